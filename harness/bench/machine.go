package bench

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// ThisMachine describes where the benchmark runs.
func ThisMachine() Machine {
	m := Machine{Cores: runtime.NumCPU(), Kernel: firstLine("/proc/sys/kernel/osrelease"), Processor: field("/proc/cpuinfo", "model name"), LoadBefore: LoadAverage()}
	if kib, err := strconv.ParseInt(strings.TrimSuffix(field("/proc/meminfo", "MemTotal"), " kB"), 10, 64); err == nil {
		m.MemoryMiB = kib >> 10
	}
	// The kernel is a part of it: an upgrade changes the cost of a fork by more than
	// what is looked for.
	sum := sha256.Sum256(fmt.Appendf(nil, "%s|%s|%d|%s", firstLine("/etc/machine-id"), m.Processor, m.Cores, m.Kernel))
	m.ID = hex.EncodeToString(sum[:8])
	return m
}

// AvailableMiB is the memory that is free for use.
func AvailableMiB() int64 {
	kib, err := strconv.ParseInt(strings.TrimSuffix(field("/proc/meminfo", "MemAvailable"), " kB"), 10, 64)
	if err != nil {
		return 0
	}
	return kib >> 10
}

// LoadAverage is that of the last minute.
func LoadAverage() float64 {
	text, _, _ := strings.Cut(firstLine("/proc/loadavg"), " ")
	load, _ := strconv.ParseFloat(text, 64) // 0 where there is none to read
	return load
}

func firstLine(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(line)
}

// field is the value of the first line of that name in a file of names and values.
func field(path, name string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// ownTowards is our own address on the network of a target: none is sent anything
// by a connected datagram socket.
func ownTowards(target netip.Addr) netip.Addr {
	conn, err := net.Dial("udp", netip.AddrPortFrom(target, 9).String())
	if err != nil {
		return netip.Addr{}
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
}
