package wire

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// chunk is the most that one system call reads or writes, so that neither direction starves the other.
	chunk = 64 << 10
	// drainRounds bounds what is still read from the kernel before a close: as much as a large receive buffer
	// holds (tcp_rmem's usual maximum is 6 MiB), and not a flood without end.
	drainRounds = 6 << 20 / chunk
)

// loop is the state of the one goroutine that owns the socket.
type loop struct {
	*Conn
	buffer  []byte
	urgent  []byte // taken from the kernel, but the stream has not reached its mark yet
	total   int    // bytes of the stream so far
	ended   bool   // nothing more will be read
	broken  bool   // nothing more will be sent
	peerRST bool   // a send has taken the kernel's note of a RST: the end of the stream is that RST
	quiet   bool   // the kernel reports a hang-up that we know already; asking again would spin
}

func (c *Conn) run() {
	defer close(c.done)
	defer c.free()
	l := &loop{Conn: c, buffer: make([]byte, chunk)}
	if l.connect() {
		for l.turn() {
		}
		l.end()
	}
}

// connect returns whether there is a connection.
func (l *loop) connect() bool {
	address, err := sockaddr(l.options.Remote)
	if err != nil {
		l.inbox.Deliver(l.event(KindLocalError, err.Error()))
		return false
	}
	var errno unix.Errno
	if err = unix.Connect(l.fd, address); err != nil {
		errno = errnoOf(err)
	}
	deadline := time.Now().Add(l.options.ConnectLimit)
	for errno == unix.EINPROGRESS || errno == unix.EINTR {
		left := time.Until(deadline)
		if left <= 0 {
			l.inbox.Deliver(l.event(KindConnectTimeout, "limit "+Duration(l.options.ConnectLimit)))
			return false
		}
		fds := []unix.PollFd{{Fd: int32(l.wake), Events: unix.POLLIN}, {Fd: int32(l.fd), Events: unix.POLLOUT}}
		poll(fds, int(left/time.Millisecond)+1)
		if l.heard(fds[0]) {
			l.inbox.Deliver(l.event(KindClosed, "during the handshake"))
			return false
		}
		if fds[1].Revents != 0 {
			errno = pendingError(l.fd)
		}
	}
	// A RST between the end of the handshake and our look at it: there was a connection. Its bytes, if any, are still to be read.
	l.peerRST = errno == unix.ECONNRESET || errno == unix.EPIPE
	if errno != 0 && !l.peerRST {
		l.inbox.Deliver(l.event(connectFailure(errno), errno.Error()))
		return false
	}
	l.inbox.SetLocal(localAddr(l.fd))
	l.quickAck()
	l.inbox.Deliver(l.event(KindConnected, ""))
	return true
}

// heard takes a ring of the wake-up descriptor and tells whether the connection is to end.
func (l *loop) heard(fd unix.PollFd) bool {
	if fd.Revents != 0 {
		var ring [8]byte
		_, _ = unix.Read(l.wake, ring[:])
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ending != ""
}

// turn waits for something to do and does it; it returns false when the connection is to end.
func (l *loop) turn() bool {
	l.mu.Lock()
	paused, sending := l.paused, len(l.queue) > 0 && !l.broken
	l.mu.Unlock()
	fds := []unix.PollFd{{Fd: int32(l.wake), Events: unix.POLLIN}, {Fd: int32(l.fd), Events: unix.POLLPRI}}
	if !paused && !l.ended {
		fds[1].Events |= unix.POLLIN
		l.quiet = false
	}
	if sending {
		fds[1].Events |= unix.POLLOUT
	}
	if l.quiet {
		fds[1].Fd = -1
	}
	if l.peerRST && !l.ended {
		l.drain()
		if !l.ended {
			l.deliverEnd(KindReset, "")
		}
		return true
	}
	poll(fds, -1)
	if l.heard(fds[0]) {
		return false
	}
	got := fds[1].Revents
	if got&unix.POLLPRI != 0 {
		l.readUrgent(paused)
	}
	switch {
	case got&unix.POLLIN != 0 && fds[1].Events&unix.POLLIN != 0:
		l.read()
	case got&unix.POLLERR != 0 && !l.ended:
		// Reset while paused. The peer can notice nothing of our reading any more, so that nothing is gained by leaving the rest.
		l.drain()
	case got&(unix.POLLERR|unix.POLLHUP) != 0:
		l.hungUp()
	}
	if sending && !l.broken && got&(unix.POLLOUT|unix.POLLERR|unix.POLLHUP) != 0 {
		l.send()
	}
	if l.broken {
		l.dropQueue("the connection had ended")
	}
	return true
}

// read makes one system call. It is called only after a poll reported input: the next byte is then an
// ordinary one, and the kernel stops before an urgent one, which must not be skipped before readUrgent took it.
func (l *loop) read() {
	room := l.options.ReceiveCap - len(l.inbox.Unread())
	if room <= 0 {
		l.readFull()
		return
	}
	n, err := unix.Read(l.fd, l.buffer[:min(room, len(l.buffer))])
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
	case err != nil:
		l.readFailed(errnoOf(err))
	case n == 0 && l.peerRST:
		l.deliverEnd(KindReset, "")
	case n == 0:
		l.deliverEnd(KindFIN, "")
	default:
		l.total += n
		l.quickAck()
		l.inbox.Deliver(Event{At: l.inbox.Elapsed(), Kind: KindReceived, Data: l.buffer[:n]})
		l.passMark()
	}
}

// readFull looks at what comes after a full cap without taking it: a peer that sent exactly that much has not overflowed.
func (l *loop) readFull() {
	n, _, err := unix.Recvfrom(l.fd, l.buffer[:1], unix.MSG_PEEK)
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
	case err != nil:
		l.readFailed(errnoOf(err))
	case n == 0:
		l.deliverEnd(KindFIN, "")
	default:
		l.deliverEnd(KindOverflow, fmt.Sprintf("cap %d bytes", l.options.ReceiveCap))
	}
}

func (l *loop) readFailed(errno unix.Errno) {
	if errno == unix.ECONNRESET || errno == unix.EPIPE {
		l.deliverEnd(KindReset, "")
		return
	}
	l.deliverEnd(KindUnreachable, errno.Error())
}

func (l *loop) deliverEnd(kind Kind, note string) {
	if l.urgent != nil {
		l.deliverUrgent("its mark was never reached")
	}
	l.ended = true
	l.broken = l.broken || kind.endsSending()
	l.inbox.Deliver(l.event(kind, note))
}

// hungUp looks at a connection whose reading is over (or paused): a RST may follow a FIN.
func (l *loop) hungUp() {
	switch errno := pendingError(l.fd); {
	case errno == 0:
		l.quiet = true
	case errno == unix.ECONNRESET || errno == unix.EPIPE:
		l.deliverEnd(KindReset, l.leftInKernel())
	default:
		l.deliverEnd(KindUnreachable, errno.Error())
	}
}

// drain reads what the kernel holds, within its bounds.
func (l *loop) drain() {
	for range drainRounds {
		fds := []unix.PollFd{{Fd: int32(l.fd), Events: unix.POLLIN | unix.POLLPRI}}
		poll(fds, 0)
		if fds[0].Revents&unix.POLLPRI != 0 {
			l.readUrgent(false)
		}
		if fds[0].Revents&(unix.POLLIN|unix.POLLERR|unix.POLLHUP) == 0 || l.ended {
			return
		}
		l.read()
	}
}

// send does the first thing of the queue.
func (l *loop) send() {
	l.mu.Lock()
	it := l.queue[0]
	l.mu.Unlock()
	if it.fin {
		_ = unix.Shutdown(l.fd, unix.SHUT_WR)
		l.advance(0)
		l.inbox.Deliver(l.event(KindShutdown, ""))
		return
	}
	flags, note := unix.MSG_NOSIGNAL, ""
	if it.urgent {
		flags, note = flags|unix.MSG_OOB, "urgent"
	}
	data := it.data[:min(chunk, len(it.data))]
	n, err := unix.SendmsgN(l.fd, data, nil, nil, flags)
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
	case err != nil:
		l.sendFailed(errnoOf(err))
	default:
		l.advance(n)
		l.inbox.Deliver(Event{At: l.inbox.Elapsed(), Kind: KindSent, Data: data[:n], Note: note})
	}
}

// advance removes n bytes, or a FIN, from the head of the queue.
func (l *loop) advance(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue[0].data = l.queue[0].data[n:]
	if len(l.queue[0].data) == 0 {
		l.queue = l.queue[1:]
	}
}

// sendFailed: the error of a send may be the kernel's only note of a RST (it is given once). EPIPE is one too,
// a RST after the peer's FIN, because nothing is queued after our own.
func (l *loop) sendFailed(errno unix.Errno) {
	l.broken = true
	l.dropQueue(errno.Error())
	switch {
	case errno != unix.ECONNRESET && errno != unix.EPIPE:
		return
	case l.ended:
		l.deliverEnd(KindReset, "")
	default:
		l.peerRST = true
	}
}

// end closes the socket in the way that was asked for.
func (l *loop) end() {
	l.mu.Lock()
	how, paused, pending := l.ending, l.paused, len(l.queue)
	l.mu.Unlock()
	if how == KindClosed {
		for ; pending > 0 && !l.broken; pending-- {
			l.send()
		}
	}
	if !paused && !l.ended {
		l.drain()
	}
	l.dropQueue("closed before")
	if l.urgent != nil {
		l.deliverUrgent("its mark was never reached")
	}
	left := l.leftInKernel()
	if how == KindAborted {
		abortOnClose(l.fd)
	} else if left != "" {
		left += ", so the peer sees RST"
	}
	l.mu.Lock()
	_ = unix.Close(l.fd)
	l.fd = -1
	l.mu.Unlock()
	l.inbox.Deliver(l.event(how, left))
}

// leftInKernel notes bytes that were never read.
func (l *loop) leftInKernel() string {
	if n, err := unix.IoctlGetInt(l.fd, unix.TIOCINQ); err == nil && n > 0 {
		return fmt.Sprintf("%s left unread in the kernel", count(n))
	}
	return ""
}
