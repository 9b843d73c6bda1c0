package yardstick

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Trace is what a tracer saw of one connection, in nanoseconds of the kernel's
// monotonic clock, which the target shares with the client.
type Trace struct {
	// PID is the server's, as the target numbers it.
	PID int
	// Accepted is when accept returned in the super-server, Forked when it had a
	// child, Executed when the child had become the program, Exited its end.
	Accepted, Forked, Executed, Exited int64
}

// traceMode follows a super-server for a while: its own system calls, but of its
// children only the exec and the end. To stop a child at every system call would
// cost more than the child does.
func traceMode(args []string) error {
	if len(args) != 2 {
		return errors.New("want PID SECONDS")
	}
	pid, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseFloat(args[1], 64)
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	list, err := follow(pid, time.Duration(seconds*float64(time.Second)))
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(list)
}

// Now is the kernel's monotonic clock.
func Now() int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) // it exists on every Linux
	return ts.Nano()
}

// tracer is a ptrace session with one super-server.
type tracer struct {
	parent int
	// inCall is whether the parent's next stop is the return of a system call.
	inCall   bool
	accepted int64
	open     map[int]*Trace
	done     []Trace
	// strangers are children whose first stop came before the parent's event. They are
	// held until it comes.
	strangers map[int]bool
}

const (
	seize   = unix.PTRACE_SEIZE
	options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEEXEC
)

func ptrace(request, pid int, addr, data uintptr) error {
	if _, _, errno := unix.Syscall6(unix.SYS_PTRACE, uintptr(request), uintptr(pid), addr, data, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// follow traces until the time is over. A SIGALRM that wakes the wait ends it.
func follow(pid int, d time.Duration) ([]Trace, error) {
	t := &tracer{parent: pid, open: map[int]*Trace{}, strangers: map[int]bool{}}
	if err := ptrace(seize, pid, 0, options); err != nil {
		return nil, fmt.Errorf("trace process %d: %w", pid, err)
	}
	if err := ptrace(unix.PTRACE_INTERRUPT, pid, 0, 0); err != nil {
		return nil, err
	}
	fmt.Fprintln(os.Stderr, "tracing")
	// Told by what wakes it: by a clock of its own it could be woken a moment before,
	// and never again.
	var over atomic.Bool
	time.AfterFunc(d, func() {
		over.Store(true)
		_ = ptraceInterruptFrom(pid)
	})
	for {
		var status unix.WaitStatus
		who, err := unix.Wait4(-1, &status, unix.WALL, nil)
		now := Now()
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.ECHILD:
			return t.done, nil
		case err != nil:
			return nil, err
		}
		if who == t.parent && status.Stopped() && over.Load() {
			// Children that are still traced go on by themselves: a tracer that ends lets
			// everything go that it has not stopped.
			return t.done, ptrace(unix.PTRACE_DETACH, who, 0, signalOf(status))
		}
		t.stopped(who, status, now)
	}
}

// ptraceInterruptFrom wakes the super-server by a signal that it takes for the
// end of a child, since only the tracing thread may interrupt it.
func ptraceInterruptFrom(pid int) error { return unix.Kill(pid, unix.SIGCHLD) }

// signalOf is the signal to hand on with a stop: that which was to be delivered.
func signalOf(status unix.WaitStatus) uintptr {
	sig := status.StopSignal()
	if sig == unix.SIGTRAP || sig == unix.SIGTRAP|0x80 || int(status)>>16 != 0 {
		return 0
	}
	return uintptr(sig)
}

const eventStop = 128 // PTRACE_EVENT_STOP, linux/ptrace.h

func (t *tracer) stopped(who int, status unix.WaitStatus, now int64) {
	if status.Exited() || status.Signaled() {
		if tr, ok := t.open[who]; ok {
			tr.Exited = now
			t.done = append(t.done, *tr)
			delete(t.open, who)
		}
		return
	}
	if !status.Stopped() {
		return
	}
	event := int(status) >> 16
	if who != t.parent {
		t.child(who, status, event, now)
		return
	}
	switch {
	case status.StopSignal() == unix.SIGTRAP|0x80:
		t.inCall = !t.inCall
		if !t.inCall && t.isAccept(who) {
			t.accepted = now
		}
	case event == unix.PTRACE_EVENT_FORK || event == unix.PTRACE_EVENT_VFORK || event == unix.PTRACE_EVENT_CLONE:
		if message, err := unix.PtraceGetEventMsg(who); err == nil {
			child := int(message)
			t.open[child] = &Trace{PID: child, Accepted: t.accepted, Forked: now}
			if t.strangers[child] {
				delete(t.strangers, child)
				_ = ptrace(unix.PTRACE_CONT, child, 0, 0)
			}
		}
	}
	_ = ptrace(unix.PTRACE_SYSCALL, who, 0, signalOf(status))
}

// child is a stop of a server: its birth, its exec, or a signal that is on its way.
func (t *tracer) child(who int, status unix.WaitStatus, event int, now int64) {
	if event == unix.PTRACE_EVENT_EXEC {
		if tr, ok := t.open[who]; ok && tr.Executed == 0 {
			tr.Executed = now
		}
	}
	if _, known := t.open[who]; !known && event == eventStop {
		// It waits for its parent's event: were it let go, its exec could come first and
		// would be nobody's.
		t.strangers[who] = true
		return
	}
	_ = ptrace(unix.PTRACE_CONT, who, 0, signalOf(status))
}
