package wire

import (
	"net"
	"reflect"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// still is a connected loop that nobody turns, so that a test decides the order of what it sees.
func still(t *testing.T, serve func(*net.TCPConn)) *loop {
	t.Helper()
	remote := peer(t, "tcp4", "127.0.0.1:0", serve)
	c := &Conn{
		options: Options{Remote: remote, ConnectLimit: soon, ReceiveCap: 1 << 20},
		inbox:   NewInbox(remote), done: make(chan struct{}), fd: -1, wake: -1,
	}
	if err := c.open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.free)
	l := &loop{Conn: c, buffer: make([]byte, chunk)}
	if !l.connect() {
		t.Fatal("not connected")
	}
	return l
}

func (l *loop) until(t *testing.T, events int16) {
	t.Helper()
	fds := []unix.PollFd{{Fd: int32(l.fd), Events: events}}
	poll(fds, int(soon/time.Millisecond))
	if fds[0].Revents&events == 0 {
		t.Fatalf("poll says %#x", fds[0].Revents)
	}
}

// The kernel tells of a RST once, and a send may be the one that is told. What had arrived before is not lost.
func TestSendTakesTheNoteOfTheReset(t *testing.T) {
	connected := make(chan struct{})
	l := still(t, func(c *net.TCPConn) { <-connected; put(t, c, []byte("last words")); reset(c) })
	close(connected)
	l.until(t, unix.POLLERR)
	l.enqueue(item{data: []byte("x")})
	l.send()
	l.turn()
	l.turn()
	want := []Kind{KindConnected, KindSendFailed, KindReceived, KindReset}
	if got := kinds(l.Transcript()); !reflect.DeepEqual(got, want) || string(l.Unread()) != "last words" {
		t.Errorf("events %v, want %v", got, want)
	}
}

// A socket that has ended both ways is reported by every poll. The loop must not turn for that.
func TestEndedConnectionDoesNotSpin(t *testing.T) {
	l := still(t, func(*net.TCPConn) {})
	l.CloseWrite()
	l.until(t, unix.POLLIN)
	for range 4 { // our ring, the peer's FIN, our FIN, the hang-up
		l.ring()
		l.turn()
	}
	turned := make(chan struct{})
	go func() {
		l.turn()
		l.turn()
		close(turned)
	}()
	select {
	case <-turned:
		t.Error("the loop turned with nothing to do")
	case <-time.After(short):
	}
	for range 2 {
		l.ring()
		select {
		case <-turned:
		case <-time.After(short):
		}
	}
	<-turned
}
