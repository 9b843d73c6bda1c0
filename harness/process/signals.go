package process

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// SignalSet is a mask as proc_pid_status(5) writes it: bit 0 is signal 1.
type SignalSet uint64

// Has says whether the signal of that number is in the set.
func (s SignalSet) Has(signal int) bool {
	return signal >= 1 && signal <= 64 && s&(1<<(signal-1)) != 0
}

// Names lists the signals in ascending order: SIGPIPE, or SIG34 for a
// real-time signal, whose name depends on the C library and not on the kernel.
func (s SignalSet) Names() []string {
	var names []string
	for n := 1; n <= 64; n++ {
		if s.Has(n) {
			names = append(names, SignalName(n))
		}
	}
	return names
}

// String is the names joined by blanks, or "none".
func (s SignalSet) String() string {
	if s == 0 {
		return "none"
	}
	return strings.Join(s.Names(), " ")
}

// SignalName is the name of one signal.
func SignalName(signal int) string {
	if name := unix.SignalName(unix.Signal(signal)); name != "" {
		return name
	}
	return "SIG" + strconv.Itoa(signal)
}
