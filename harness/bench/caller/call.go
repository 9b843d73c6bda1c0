// Package caller makes connections and times them, as a plain C client would:
// blocking calls on raw sockets, each caller on an operating-system thread of its
// own. Go's net package waits through a poller and a scheduler, which adds to
// every wait as much as the wait itself on a fast server.
package caller

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Call is the life of one connection, in nanoseconds of the kernel's monotonic
// clock. What did not happen is 0.
type Call struct {
	// Intended is when it was to begin; equal to Start where nothing was scheduled.
	Intended int64
	Start    int64
	// Connected is the end of connect(2), First the first byte.
	Connected, First int64
	// Asked is when everything was there that the server says unasked and our answer
	// went out; Ready is when the server could be used.
	Asked, Ready int64
	// LoginAt is when the user was named, LoggedIn when the session was his.
	LoginAt, LoggedIn int64
	// RequestAt and Answered are a request of a session and the whole answer.
	RequestAt, Answered int64
	// LeftAt is when we said that we leave, Ended the end of the stream.
	LeftAt, Ended int64
	// Queued is how long, from Connected to First, our thread could have run and waited
	// for a processor; noted with Local.
	Queued int64
	// Local is our own port: with it a capture or the target finds the connection.
	Local uint16
	// Kicks counts how often the terminal type had to be brought to qm's mind again.
	Kicks uint8
	Err   error
}

// Target is whom to call, and what to say.
type Target struct {
	Addr netip.AddrPort
	// Talk is the conversation from the first byte to the end of the stream.
	Talk Talk
	// QuickAck has the kernel acknowledge at once. qm writes its greeting in small
	// pieces under Nagle's rule, so that an ordinary client's delayed acknowledgement
	// holds it up for 40 ms.
	QuickAck bool
	// NoteLocal has the call note its own port and what it waited for a processor, for
	// some system calls more.
	NoteLocal bool
	// Hold is called when the connection is ready, before it is left; it may be nil.
	Hold func(*Call)
}

// Talk is a conversation. It leaves in the way that does the server no harm, with
// an error as well.
type Talk func(l *Line, c *Call)

// Line is one caller's own memory and socket. It is not safe for use by two
// goroutines.
type Line struct {
	fd int
	// waits is the thread's own account, -1 where nobody asks for it, and queued what
	// it said at Connected.
	waits  int
	queued int64
	quick  bool
	hold   func(*Call)
	have   int
	buf    [32 << 10]byte
	remote unix.RawSockaddrInet6
	length uintptr
	family int
}

// The limits of a call.
const (
	// StepLimit is for one blocking call: qm itself waits 2 s for a terminal type that
	// was lost and 3 s after a refused login.
	StepLimit = 10 * time.Second
	// kickAfter is when an answer on the terminal type counts as lost.
	kickAfter = 250 * time.Millisecond
)

var (
	errEnded   = errors.New("the server ended the connection")
	errSilent  = fmt.Errorf("nothing came within %v", StepLimit)
	errTooLong = errors.New("more came than any answer has")
)

// Now is the kernel's monotonic clock. Go reads it without a system call, but tells
// only differences of it, from a moment whose time was asked once.
func Now() int64 { return origin.kernel + int64(time.Since(origin.moment)) }

type moment struct {
	kernel int64
	moment time.Time
}

var origin = findOrigin()

// findOrigin asks the kernel between two looks at Go's clock, until these are so
// near each other that nothing can have come between.
func findOrigin() (found moment) {
	best := time.Duration(math.MaxInt64)
	for range 20 {
		before := time.Now()
		var ts unix.Timespec
		_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) // it exists on every Linux
		if took := time.Since(before); took < best {
			best, found = took, moment{ts.Nano() - int64(took/2), before}
		}
	}
	return found
}

// Call calls once. intended is when that was to happen; 0 means now.
func (l *Line) Call(t *Target, intended int64) (c Call) {
	if l.dial(t, &c, intended) {
		t.Talk(l, &c)
	}
	l.close()
	return c
}

// dial makes the connection; false where there is none, and the call says why.
func (l *Line) dial(t *Target, c *Call, intended int64) bool {
	l.have, l.quick, l.hold = 0, t.QuickAck, t.Hold
	l.fd, l.waits = -1, -1
	if t.NoteLocal {
		// A kernel without the account has no such file, and the wait stays 0.
		l.waits, _ = unix.Open("/proc/thread-self/schedstat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	}
	l.aim(t.Addr)
	c.Start = Now()
	if c.Intended = intended; intended == 0 {
		c.Intended = c.Start
	}
	// What cannot block is called without Go's scheduler hearing of it.
	fd, _, errno := unix.RawSyscall(unix.SYS_SOCKET, uintptr(l.family), unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if errno != 0 {
		c.Err = fmt.Errorf("socket: %w", errno)
		return false
	}
	l.fd = int(fd)
	l.limit(unix.SO_SNDTIMEO, StepLimit)
	l.limit(unix.SO_RCVTIMEO, StepLimit)
	_, _, errno = unix.Syscall(unix.SYS_CONNECT, fd, uintptr(unsafe.Pointer(&l.remote)), l.length)
	if errno == unix.EINTR {
		errno = l.awaitConnect()
	}
	if errno != 0 {
		c.Err = fmt.Errorf("connect: %w", errno)
		return false
	}
	c.Connected = Now()
	if t.NoteLocal {
		c.Local = l.localPort()
		l.queued = l.wait()
	}
	return true
}

// awaitConnect waits on for a connect(2) that one of Go's own signals interrupted:
// with a limit on the socket the kernel does not restart it (signal(7)).
func (l *Line) awaitConnect() unix.Errno {
	fds := []unix.PollFd{{Fd: int32(l.fd), Events: unix.POLLOUT}}
	for {
		n, err := unix.Poll(fds, int(StepLimit.Milliseconds()))
		switch {
		case err == unix.EINTR:
		case err != nil:
			return err.(unix.Errno)
		case n == 0:
			return unix.ETIMEDOUT
		default:
			code, err := unix.GetsockoptInt(l.fd, unix.SOL_SOCKET, unix.SO_ERROR)
			if err != nil {
				return err.(unix.Errno)
			}
			return unix.Errno(code)
		}
	}
}

func (l *Line) close() {
	if l.fd >= 0 {
		_ = unix.Close(l.fd)
		l.fd = -1
	}
	if l.waits >= 0 {
		_ = unix.Close(l.waits)
		l.waits = -1
	}
}

// aim sets the address in the kernel's own form.
func (l *Line) aim(a netip.AddrPort) {
	port := a.Port()<<8 | a.Port()>>8
	if a.Addr().Is4() {
		four := (*unix.RawSockaddrInet4)(unsafe.Pointer(&l.remote))
		*four = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: port, Addr: a.Addr().As4()}
		l.family, l.length = unix.AF_INET, unix.SizeofSockaddrInet4
		return
	}
	l.remote = unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: port, Addr: a.Addr().As16()}
	l.family, l.length = unix.AF_INET6, unix.SizeofSockaddrInet6
}

func (l *Line) limit(option int, d time.Duration) {
	tv := unix.NsecToTimeval(d.Nanoseconds())
	_, _, _ = unix.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(l.fd), unix.SOL_SOCKET, uintptr(option), uintptr(unsafe.Pointer(&tv)), unsafe.Sizeof(tv), 0)
}

// first notes the first byte.
func (l *Line) first(c *Call) {
	c.First = Now()
	if l.waits >= 0 {
		c.Queued = l.wait() - l.queued
	}
}

// wait is how long the thread has waited for a processor in all its life, in
// nanoseconds (proc(5), schedstat: the second number). It is one short system call: a
// thread that loses its processor meanwhile would count a wait that delays nothing.
func (l *Line) wait() (ns int64) {
	if l.waits < 0 {
		return 0
	}
	var text [64]byte
	n, _, errno := unix.RawSyscall6(unix.SYS_PREAD64, uintptr(l.waits), uintptr(unsafe.Pointer(&text)), uintptr(len(text)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	fields := bytes.Fields(text[:n])
	if len(fields) > 1 {
		ns, _ = strconv.ParseInt(string(fields[1]), 10, 64)
	}
	return ns
}

func (l *Line) localPort() uint16 {
	var a unix.RawSockaddrInet6 // the port is in the same place in both families
	size := uint32(unix.SizeofSockaddrInet6)
	if _, _, errno := unix.Syscall(unix.SYS_GETSOCKNAME, uintptr(l.fd), uintptr(unsafe.Pointer(&a)), uintptr(unsafe.Pointer(&size))); errno != 0 {
		return 0
	}
	return a.Port<<8 | a.Port>>8
}

// read takes what has come into the buffer. io is errEnded at the end of the
// stream, and EAGAIN when the limit is over.
func (l *Line) read() error {
	if l.have == len(l.buf) {
		return errTooLong
	}
	if l.quick {
		// It has to be asked for again and again (tcp(7)).
		_ = unix.SetsockoptInt(l.fd, unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)
	}
	for {
		n, _, errno := unix.Syscall(unix.SYS_READ, uintptr(l.fd), uintptr(unsafe.Pointer(&l.buf[l.have])), uintptr(len(l.buf)-l.have))
		switch {
		case errno == unix.EINTR:
		case errno != 0:
			return errno
		case n == 0:
			return errEnded
		default:
			l.have += int(n)
			return nil
		}
	}
}

// until reads until enough has come.
func (l *Line) until(enough func([]byte) bool) error {
	for !enough(l.buf[:l.have]) {
		if err := l.read(); err != nil {
			if err == unix.EAGAIN {
				return errSilent
			}
			return err
		}
	}
	return nil
}

// end reads to the end of the stream and notes when that was.
func (l *Line) end(c *Call) error {
	for {
		switch err := l.read(); err {
		case nil:
		case errTooLong:
			l.have = 0
		case errEnded:
			c.Ended = Now()
			return nil
		case unix.EAGAIN:
			return errSilent
		default:
			return err
		}
	}
}

func (l *Line) write(data []byte) error {
	for len(data) > 0 {
		n, _, errno := unix.Syscall6(unix.SYS_SENDTO, uintptr(l.fd), uintptr(unsafe.Pointer(&data[0])), uintptr(len(data)), unix.MSG_NOSIGNAL, 0, 0)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			return errno
		}
		data = data[n:]
	}
	return nil
}
