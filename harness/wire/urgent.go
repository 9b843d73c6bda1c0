package wire

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// readUrgent takes the urgent byte that poll has reported. It is taken at once, because the kernel
// drops it when the stream is read past its mark (tcp(7), sockatmark(3)), and delivered when the stream has been
// read up to the mark, so that the transcript keeps the peer's order. A paused reader does not wait for the mark.
func (l *loop) readUrgent(paused bool) {
	if l.urgent != nil {
		l.deliverUrgent("its mark was never reached")
	}
	var one [1]byte
	n, _, err := unix.Recvfrom(l.fd, one[:], unix.MSG_OOB)
	if err != nil || n != 1 {
		return
	}
	l.urgent = []byte{one[0]}
	if paused || l.ended {
		l.deliverUrgent("reading was stopped")
		return
	}
	l.passMark()
}

// passMark delivers the urgent byte if the stream has been read up to it.
func (l *loop) passMark() {
	if l.urgent == nil {
		return
	}
	if at, err := unix.IoctlGetInt(l.fd, unix.SIOCATMARK); err == nil && at != 0 {
		l.deliverUrgent(fmt.Sprintf("after %s of the stream", count(l.total)))
	}
}

func (l *loop) deliverUrgent(note string) {
	l.inbox.Deliver(Event{At: l.inbox.Elapsed(), Kind: KindUrgent, Data: l.urgent, Note: note})
	l.urgent = nil
}
