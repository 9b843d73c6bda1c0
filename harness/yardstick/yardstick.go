// Package yardstick holds the small servers that a benchmark measures xinetd
// against, the wrapper that slows a server down by a known time, and the tracer
// that says where a connection's time goes. They run in the target, as modes of
// the agent's program, in processes of their own: what the agent itself does
// must not share a scheduler with what is measured.
package yardstick

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Modes of the program, as its first argument.
const (
	// FloorMode PORT: accept, send one byte, close.
	FloorMode = "floor"
	// IdealMode PORT GID GROUPS UMASK PROGRAM ARGS...: what a super-server cannot do
	// without, and nothing else: accept, fork, exec.
	IdealMode = "ideal"
	// WrapMode SLEEP PROGRAM ARGS...: sleep, then become the program.
	WrapMode = "wrap"
	// TraceMode PID SECONDS: times of accept, fork, exec and exit of a super-server.
	TraceMode = "trace"
)

// FloorByte is what the floor sends: the byte that qmclient's port begins with.
const FloorByte = 0x06

// Main runs a mode. known is false where the first argument is none of ours.
func Main(args []string) (exit int, known bool) {
	if len(args) == 0 {
		return 0, false
	}
	var err error
	switch args[0] {
	case FloorMode:
		err = floor(args[1:])
	case IdealMode:
		err = ideal(args[1:])
	case WrapMode:
		err = wrap(args[1:])
	case TraceMode:
		err = traceMode(args[1:])
	default:
		return 0, false
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, args[0]+":", err)
		return 1, true
	}
	return 0, true
}

// backlog is larger than any load of ours, so that the floor never queues where
// xinetd, with its 64, would.
const backlog = 1024

// listen makes a socket for both families, as xinetd's is.
func listen(port string) (int, error) {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return -1, fmt.Errorf("port %q: %w", port, err)
	}
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return -1, err
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return -1, err
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0); err != nil {
		return -1, err
	}
	if err := unix.Bind(fd, &unix.SockaddrInet6{Port: int(n)}); err != nil {
		return -1, err
	}
	return fd, unix.Listen(fd, backlog)
}

// sleepExactly sleeps without the kernel's usual slack of 50 microseconds, and
// without Go's timers, whose error is larger than what is to be told apart.
func sleepExactly(d time.Duration) {
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	ts := unix.NsecToTimespec(d.Nanoseconds())
	for unix.Nanosleep(&ts, &ts) == unix.EINTR {
	}
}

// wrap becomes the program after a sleep; the first argument says how long. The
// same wrapper with no sleep is what it is compared with: to execute it costs a
// quarter of a connection by itself.
func wrap(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("want SLEEP PROGRAM ARGS")
	}
	d, err := time.ParseDuration(args[0])
	if err != nil {
		return err
	}
	if d > 0 {
		sleepExactly(d)
	}
	argv := append([]string{args[1][strings.LastIndexByte(args[1], '/')+1:]}, args[2:]...)
	return unix.Exec(args[1], argv, os.Environ())
}
