package wire

import (
	"io"
	"net"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// sendOOB sends one urgent byte from a Go connection.
func sendOOB(t *testing.T, c *net.TCPConn, b byte) {
	raw, err := c.SyscallConn()
	if err != nil {
		t.Error(err)
		return
	}
	_ = raw.Write(func(fd uintptr) bool {
		return unix.Sendto(int(fd), []byte{b}, unix.MSG_OOB, nil) != syscall.EAGAIN
	})
}

func TestUrgentFromThePeerKeepsItsPlace(t *testing.T) {
	conn := dial(t, Options{}, func(c *net.TCPConn) {
		put(t, c, []byte("before"))
		sendOOB(t, c, '!')
		put(t, c, []byte("after"))
	})
	wantResult(t, untilEnd(conn), EndedByFIN)
	if got := string(conn.Unread()); got != "beforeafter" {
		t.Errorf("stream %q", got)
	}
	transcript := conn.Transcript()
	event, ok := transcript.First(KindUrgent)
	if !ok || string(event.Data) != "!" || event.Note != "after 6 bytes of the stream" {
		t.Errorf("urgent event %+v\n%s", event, transcript.Text())
	}
	wantKinds(t, conn, KindConnected, KindReceived, KindUrgent, KindReceived, KindFIN)
}

func TestUrgentReachesAPausedReader(t *testing.T) {
	conn := dial(t, Options{ReadPaused: true}, func(c *net.TCPConn) {
		put(t, c, []byte("before"))
		sendOOB(t, c, '!')
		_, _ = io.Copy(io.Discard, c)
	})
	outcome := conn.Await(t.Context(), "the urgent byte", soon, func([]byte, bool) bool {
		_, ok := conn.Transcript().First(KindUrgent)
		return ok
	})
	wantResult(t, outcome, Enough)
	if n := len(conn.Unread()); n != 0 {
		t.Errorf("%d bytes were read while paused", n)
	}
	conn.PauseReading(false)
	wantResult(t, conn.Await(t.Context(), "the bytes before", soon, AtLeast(6)), Enough)
}

func TestUrgentToThePeer(t *testing.T) {
	stream, urgent := make(chan string, 1), make(chan byte, 1)
	conn := dial(t, Options{}, func(c *net.TCPConn) {
		all := make([]byte, 6)
		_, _ = io.ReadFull(c, all)
		raw, _ := c.SyscallConn()
		var one [1]byte
		_ = raw.Read(func(fd uintptr) bool {
			// The byte before the mark may arrive ahead of the urgent one.
			n, _, err := unix.Recvfrom(int(fd), one[:], unix.MSG_OOB)
			for err == unix.EAGAIN || err == unix.EINVAL {
				fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLPRI}}
				poll(fds, 1000)
				n, _, err = unix.Recvfrom(int(fd), one[:], unix.MSG_OOB)
				if fds[0].Revents == 0 {
					break
				}
			}
			_ = n
			return true
		})
		rest, _ := io.ReadAll(c)
		urgent <- one[0]
		stream <- string(all) + string(rest)
	})
	conn.Send([]byte("before"))
	conn.SendUrgent('!')
	wantResult(t, conn.Flush(t.Context(), soon), Enough)
	conn.Send([]byte("after"))
	conn.CloseWrite()
	if got := <-urgent; got != '!' {
		t.Errorf("urgent %q", got)
	}
	if got := <-stream; got != "beforeafter" {
		t.Errorf("stream %q", got)
	}
}
