package qmclient

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"qmconformance/harness/wire"
)

// step of a scripted peer: what it must read, then what it sends, in hex.
type step struct {
	expect string
	pause  time.Duration // before it sends
	send   string
	drip   bool // one byte in a segment
	reset  bool
	hold   bool // keeps the connection open until the client ends it
}

var ack = step{send: "06"}

// play serves the script on loopback and returns a client of it. The peer's end is a close in order.
func play(t *testing.T, steps ...step) *Client {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		for i, s := range steps {
			if err := perform(conn.(*net.TCPConn), s, unhex(t, s.expect), unhex(t, s.send)); err != nil {
				t.Errorf("step %d: %v", i, err)
				return
			}
		}
	}()
	link := wire.Dial(t.Context(), wire.Options{Remote: listener.Addr().(*net.TCPAddr).AddrPort(), NoDelay: true})
	t.Cleanup(func() {
		link.Close()
		_ = listener.Close()
		<-ended
		if t.Failed() {
			t.Log(link.Transcript().Text())
		}
	})
	return New(link)
}

func perform(conn *net.TCPConn, s step, expect, send []byte) error {
	got := make([]byte, len(expect))
	if n, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, expect) {
		return fmt.Errorf("peer read % x, not % x", got[:n], expect)
	}
	time.Sleep(s.pause)
	size := max(1, len(send))
	if s.drip {
		size = 1
	}
	for rest := send; len(rest) > 0; rest = rest[min(size, len(rest)):] {
		if _, err := conn.Write(rest[:min(size, len(rest))]); err != nil {
			return err
		}
	}
	if s.hold {
		_, _ = io.Copy(io.Discard, conn)
	}
	if s.reset {
		_ = conn.SetLinger(0)
		_ = conn.Close()
	}
	return nil
}
