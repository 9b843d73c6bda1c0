package telnet

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"qmconformance/harness/wire"
)

// The streams of a real session, ScarletDME 2.6-6 under xinetd.
const (
	negotiation = "\xff\xfd-\xff\xfb\x01\xff\xfd\x03\xff\xfb\x03\xff\xfe\"\xff\xfd\x18"
	sendType    = "\xff\xfa\x18\x01\xff\xf0"
	isVT100     = "\xff\xfa\x18\x00vt100\xff\xf0"
	banner      = "\x1b[H\x1b[J[ ScarletDME Rev 2.6-6   Copyright Ladybridge Systems, 2007 ]\r\x00\n\r\x00\nTelnet connection from 127.0.0.1\r\x00\n"
)

// step of a scripted peer: what it sends, then what it must read before the next step.
type step struct {
	send   string
	expect string
	pause  time.Duration // after the expected bytes, a sleep of the real qm
	drip   bool          // one byte in a segment
	reset  bool
}

func greeting(rest ...step) []step {
	return append([]step{
		{send: negotiation, expect: "\xff\xfb\x18"},
		{send: sendType, expect: isVT100},
		{send: banner},
	}, rest...)
}

// play serves the script on loopback and returns a client of it. The peer's end is a close in order.
func play(t *testing.T, terminal string, steps ...step) *Client {
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
			if err := perform(conn.(*net.TCPConn), s); err != nil {
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
	c := New(link, terminal)
	c.kickAfter = never
	return c
}

// never is longer than any script takes on a busy machine: a peer that is slow to get
// its turn must not be taken for one that lost an answer.
const never = time.Minute

type unexpected string

func (u unexpected) Error() string { return "peer read " + string(u) }

// heard reads what is expected, and passes over kicks that come between: how many
// there are depends on how soon this peer gets its turn.
func heard(conn io.Reader, expect string) (string, error) {
	var got []byte
	for len(got) < len(expect) {
		var next [1]byte
		if _, err := io.ReadFull(conn, next[:]); err != nil {
			return string(got), err
		}
		got = append(got, next[0])
		if kick := []byte{IAC, NOP}; bytes.HasSuffix(got, kick) && !strings.HasPrefix(expect, string(got)) {
			got = got[:len(got)-len(kick)]
		}
	}
	return string(got), nil
}

func perform(conn *net.TCPConn, s step) error {
	size := max(1, len(s.send))
	if s.drip {
		size = 1
	}
	for rest := s.send; rest != ""; rest = rest[min(size, len(rest)):] {
		if _, err := io.WriteString(conn, rest[:min(size, len(rest))]); err != nil {
			return err
		}
	}
	got, err := heard(conn, s.expect)
	if err != nil || got != s.expect {
		return unexpected(got + ", not " + s.expect)
	}
	time.Sleep(s.pause)
	if s.reset {
		_ = conn.SetLinger(0)
		_ = conn.Close()
	}
	return nil
}
