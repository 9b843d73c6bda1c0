package agent

import (
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"qmconformance/harness/capture"
)

// Packets are those of connections that were asked for; see capture.Recorder.
func (a *Agent) Packets(wants []capture.Want, c *capture.Capture) error {
	*c = a.packets.Find(wants)
	return nil
}

// Recording is how the recording of packets fares.
func (a *Agent) Recording(_ None, s *capture.Status) error {
	*s = a.packets.Status()
	return nil
}

// PauseRecording stops the recording of packets for a while, or goes on with it.
func (a *Agent) PauseRecording(paused bool, _ *None) error { return a.packets.Pause(paused) }

// record begins to record packets, and then gives up what that needed: the
// subject runs with the capabilities that it has without a recording.
func (a *Agent) record() error {
	a.packets = capture.Start(Port, capture.TargetLimits)
	return renounce(unix.CAP_NET_RAW)
}

// renounce gives up a capability in all threads of this process, and for all that
// it will start: out of the bounding set, nothing that is executed gets it again,
// as root or by a file's own capabilities (capabilities(7)).
func renounce(capability int) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if err := unix.Capget(&header, &sets[0]); err != nil {
		return fmt.Errorf("capget: %w", err)
	}
	set, bit := &sets[capability/32], uint32(1)<<(capability%32)
	if set.Permitted&bit == 0 {
		return nil
	}
	// The bounding set first: changing it needs CAP_SETPCAP, and where that is
	// missing the rest stays as it was too.
	if _, _, errno := syscall.AllThreadsSyscall(unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, uintptr(capability), 0); errno != 0 {
		return fmt.Errorf("drop capability %d: %w", capability, errno)
	}
	set.Permitted &^= bit
	set.Effective &^= bit
	set.Inheritable &^= bit
	if _, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&sets[0])), 0); errno != 0 {
		return fmt.Errorf("capset: %w", errno)
	}
	return nil
}
