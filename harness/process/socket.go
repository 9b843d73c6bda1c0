package process

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Socket is one line of /proc/net/tcp or tcp6 (proc_net_tcp in proc(5)).
type Socket struct {
	// Inode is 0 for a socket without an owner: TIME_WAIT, or a connection that
	// nobody has accepted yet.
	Inode uint64
	// Family is the table it was in. A dual-stack listener's IPv4 connections are
	// in tcp6 with mapped addresses, so this can be IPv6 where the addresses,
	// unmapped here, are IPv4.
	Family string
	// State is the kernel's name: ESTABLISHED, LISTEN, TIME_WAIT...
	State  string
	Local  netip.AddrPort
	Remote netip.AddrPort
	UID    int
	// TxQueue and RxQueue are bytes not acknowledged and bytes not read; for a
	// listener RxQueue is the number of connections that wait for accept.
	TxQueue uint64
	RxQueue uint64
}

// Families of the socket tables.
const (
	FamilyIPv4 = "tcp"
	FamilyIPv6 = "tcp6"
)

// Names of the states that queries ask for.
const (
	StateEstablished = "ESTABLISHED"
	StateListen      = "LISTEN"
	StateTimeWait    = "TIME_WAIT"
)

// states is indexed by the number in the table (linux/include/net/tcp_states.h).
var states = []string{
	"", StateEstablished, "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", StateTimeWait,
	"CLOSE", "CLOSE_WAIT", "LAST_ACK", StateListen, "CLOSING", "NEW_SYN_RECV", "BOUND_INACTIVE",
}

func parseSockets(text, family string) ([]Socket, error) {
	var sockets []Socket
	number := 0
	for line := range strings.Lines(text) {
		number++
		if number == 1 {
			continue // the heading
		}
		socket, err := parseSocket(line, family)
		if err != nil {
			return sockets, fmt.Errorf("line %d: %w", number, err)
		}
		sockets = append(sockets, socket)
	}
	return sockets, nil
}

// parseSocket reads: sl local rem st tx:rx tr:when retrnsmt uid timeout inode ...
func parseSocket(line, family string) (Socket, error) {
	fields := strings.Fields(line)
	if len(fields) < 10 {
		return Socket{}, fmt.Errorf("%d fields", len(fields))
	}
	local, err := parseAddress(fields[1])
	if err != nil {
		return Socket{}, err
	}
	remote, err := parseAddress(fields[2])
	if err != nil {
		return Socket{}, err
	}
	state, err := strconv.ParseUint(fields[3], 16, 8)
	if err != nil {
		return Socket{}, err
	}
	tx, rx, _ := strings.Cut(fields[4], ":")
	var numbers numberReader
	socket := Socket{
		Inode: numbers.base(fields[9], 10), Family: family, State: stateName(int(state)),
		Local: local, Remote: remote, UID: int(numbers.signed(fields[7])),
		TxQueue: numbers.base(tx, 16), RxQueue: numbers.base(rx, 16),
	}
	return socket, numbers.err
}

func stateName(number int) string {
	if number > 0 && number < len(states) {
		return states[number]
	}
	return "STATE_" + strconv.Itoa(number)
}

// parseAddress reads "0100007F:1092". The kernel prints the address as 32-bit
// words of its own byte order, so 127.0.0.1 is backwards on a little-endian
// machine and an IPv6 address is backwards in each group of four bytes; the
// port is an ordinary number.
func parseAddress(text string) (netip.AddrPort, error) {
	address, port, ok := strings.Cut(text, ":")
	raw, err := hex.DecodeString(address)
	if !ok || err != nil || (len(raw) != 4 && len(raw) != 16) {
		return netip.AddrPort{}, fmt.Errorf("address not understood: %.60q", text)
	}
	number, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("port not understood: %.60q", text)
	}
	for i := 0; i < len(raw); i += 4 {
		binary.NativeEndian.PutUint32(raw[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	addr, _ := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(addr.Unmap(), uint16(number)), nil
}
