package wire

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestSegmentsJoinIntoOneStream(t *testing.T) {
	for name, parts := range map[string][]string{
		"split":     {"a", "b", "c", "d"},
		"coalesced": {"abcd"},
	} {
		t.Run(name, func(t *testing.T) {
			conn := dial(t, Options{}, func(c *net.TCPConn) {
				for _, part := range parts {
					put(t, c, []byte(part))
				}
				_, _ = io.Copy(io.Discard, c)
			})
			wantResult(t, conn.Await(t.Context(), "abcd", soon, AtLeast(4)), Enough)
			if got := string(conn.Consume(2)); got != "ab" {
				t.Errorf("consumed %q", got)
			}
			if got := string(conn.Unread()); got != "cd" {
				t.Errorf("unread %q", got)
			}
			wantKinds(t, conn, KindConnected, KindReceived)
			if conn.LocalAddr().Port() == 0 || !conn.RemoteAddr().IsValid() {
				t.Errorf("addresses %v %v", conn.LocalAddr(), conn.RemoteAddr())
			}
		})
	}
}

func TestEndsOfTheConnection(t *testing.T) {
	cases := []struct {
		name   string
		send   string
		serve  func(*net.TCPConn)
		result Result
		data   string
		kinds  []Kind
	}{
		{"early FIN", "", func(*net.TCPConn) {}, EndedByFIN, "", []Kind{KindConnected, KindFIN}},
		{"FIN with data before", "", func(c *net.TCPConn) { put(t, c, []byte("bye")) }, EndedByFIN, "bye", []Kind{KindConnected, KindReceived, KindFIN}},
		{"RST", "", reset, EndedByReset, "", []Kind{KindConnected, KindReset}},
		{"RST with data before", "", func(c *net.TCPConn) { put(t, c, []byte("bye")); reset(c) }, EndedByReset, "bye", []Kind{KindConnected, KindReceived, KindReset}},
		{"close with unread input is RST", "unread", func(c *net.TCPConn) {
			one := make([]byte, 1)
			_, _ = io.ReadFull(c, one)
		}, EndedByReset, "", []Kind{KindConnected, KindSent, KindReset}},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			conn := dial(t, Options{}, test.serve)
			conn.Send([]byte(test.send))
			wantResult(t, untilEnd(conn), test.result)
			if got := string(conn.Unread()); got != test.data {
				t.Errorf("received %q, want %q", got, test.data)
			}
			wantKinds(t, conn, test.kinds...)
		})
	}
}

// A send into a connection that was reset takes the kernel's only note of the RST.
func TestResetIsSeenByASendFirst(t *testing.T) {
	gone := make(chan struct{})
	conn := dial(t, Options{ReadPaused: true}, func(c *net.TCPConn) { put(t, c, []byte("last words")); reset(c); close(gone) })
	<-gone
	conn.Send([]byte("x"))
	wantResult(t, untilEnd(conn), EndedByReset)
	if got := string(conn.Unread()); got != "last words" {
		t.Errorf("received %q", got)
	}
	conn.Send([]byte("too late"))
	wantResult(t, conn.Flush(t.Context(), soon), SendFailed)
	if _, ok := conn.Transcript().First(KindSendFailed); !ok {
		t.Errorf("no send-failed:\n%s", conn.Transcript().Text())
	}
}

func TestResetAfterFIN(t *testing.T) {
	conn := dial(t, Options{}, func(c *net.TCPConn) {})
	wantResult(t, untilEnd(conn), EndedByFIN)
	conn.Send([]byte("nobody reads this"))
	deadline := time.Now().Add(soon)
	for {
		if _, ok := conn.Transcript().First(KindReset); ok {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("no RST after the FIN:\n%s", conn.Transcript().Text())
		}
		time.Sleep(time.Millisecond)
	}
	wantKinds(t, conn, KindConnected, KindFIN, KindSent, KindReset)
}

func TestSilenceAndTrickle(t *testing.T) {
	more := make(chan struct{})
	conn := dial(t, Options{}, func(c *net.TCPConn) {
		<-more
		for i := range 20 {
			put(t, c, []byte{byte('a' + i)})
			time.Sleep(time.Millisecond)
		}
		_, _ = io.Copy(io.Discard, c)
	})
	outcome := conn.Await(t.Context(), "a greeting", short, AtLeast(1))
	wantResult(t, outcome, TimedOut)
	if got := outcome.String(); got != "nothing for 30 ms" {
		t.Errorf("outcome reads %q", got)
	}
	event, ok := conn.Transcript().First(KindTimeout)
	if !ok || event.Note != "a greeting, waited 30 ms" {
		t.Errorf("timeout event %+v", event)
	}
	close(more)
	wantResult(t, conn.Await(t.Context(), "20 bytes", soon, AtLeast(20)), Enough)
	outcome = conn.Await(t.Context(), "21 bytes", short, AtLeast(21))
	if got := outcome.String(); got != "20 bytes, but not 21 bytes within 30 ms" {
		t.Errorf("outcome reads %q", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantResult(t, conn.Await(ctx, "more", soon, AtLeast(21)), Cancelled)
}

func TestClosedPort(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	remote := listener.Addr().(*net.TCPAddr).AddrPort()
	_ = listener.Close()
	conn := Dial(t.Context(), Options{Remote: remote})
	defer conn.Close()
	if conn.Connected() {
		t.Fatal("connected to a closed port")
	}
	outcome := untilEnd(conn)
	wantResult(t, outcome, Refused)
	if !strings.HasPrefix(outcome.String(), "connection refused after ") {
		t.Errorf("outcome reads %q", outcome)
	}
	conn.Send([]byte("x"))
	wantResult(t, conn.Flush(t.Context(), soon), SendFailed)
	wantKinds(t, conn, KindRefused, KindSendFailed)
}

func TestFullAcceptQueue(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(fd) }()
	if err = unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err = unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	options := Options{Remote: localAddr(fd), ConnectLimit: 200 * time.Millisecond}
	// A queue of length 0 takes one connection; the rest of the tries get no answer.
	var last *Conn
	for range 4 {
		last = Dial(t.Context(), options)
		defer last.Close()
	}
	outcome := untilEnd(last)
	wantResult(t, outcome, ConnectTimeout)
	if got := outcome.String(); !strings.HasPrefix(got, "no answer to the connect for ") || outcome.At < options.ConnectLimit {
		t.Errorf("outcome reads %q", got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), short)
	defer cancel()
	options.ConnectLimit = soon
	given := Dial(ctx, options)
	defer given.Close()
	wantKinds(t, given, KindTimeout, KindClosed)
}

func TestOurOwnFaultsAreNotThePeers(t *testing.T) {
	for name, options := range map[string]Options{
		"no address":       {},
		"foreign source":   {Remote: netip.MustParseAddrPort("127.0.0.1:9"), Source: netip.MustParseAddr("192.0.2.77")},
		"mixed families":   {Remote: netip.MustParseAddrPort("127.0.0.1:9"), Source: netip.MustParseAddr("::1")},
		"unknown zone":     {Remote: netip.MustParseAddrPort("[fe80::1%nosuch0]:9")},
		"zone of no index": {Remote: netip.MustParseAddrPort("[fe80::1]:9")},
	} {
		t.Run(name, func(t *testing.T) {
			conn := Dial(t.Context(), options)
			defer conn.Close()
			wantResult(t, untilEnd(conn), LocalError)
		})
	}
}

func TestSourceAddress(t *testing.T) {
	seen := make(chan string, 1)
	options := Options{Source: netip.MustParseAddr("127.3.2.1")}
	conn := dial(t, options, func(c *net.TCPConn) { seen <- c.RemoteAddr().String() })
	if got := <-seen; got != conn.LocalAddr().String() || !strings.HasPrefix(got, "127.3.2.1:") {
		t.Errorf("peer saw %s, we are %s", got, conn.LocalAddr())
	}
}

func TestIPv6(t *testing.T) {
	if probe, err := net.Listen("tcp6", "[::1]:0"); err != nil {
		t.Skip("no IPv6 on this host")
	} else {
		_ = probe.Close()
	}
	remote := peer(t, "tcp6", "[::1]:0", func(c *net.TCPConn) { put(t, c, []byte("six")) })
	conn := Dial(t.Context(), Options{Remote: remote})
	defer conn.Close()
	wantResult(t, untilEnd(conn), EndedByFIN)
	if !bytes.Equal(conn.Unread(), []byte("six")) || !conn.LocalAddr().Addr().Is6() {
		t.Errorf("%s", conn.Transcript().Text())
	}
}

func TestHalfClose(t *testing.T) {
	conn := dial(t, Options{}, func(c *net.TCPConn) {
		all, _ := io.ReadAll(c)
		put(t, c, append([]byte("got "), all...))
	})
	conn.Send([]byte("request"))
	conn.CloseWrite()
	wantResult(t, conn.Flush(t.Context(), soon), Enough)
	wantResult(t, untilEnd(conn), EndedByFIN)
	if got := string(conn.Unread()); got != "got request" {
		t.Errorf("received %q", got)
	}
	conn.Send([]byte("after our FIN"))
	wantKinds(t, conn, KindConnected, KindSent, KindShutdown, KindReceived, KindFIN, KindSendFailed)
}

func TestCloseAndAbortAsThePeerSeesThem(t *testing.T) {
	cases := []struct {
		name string
		end  func(*Conn)
		want string
		kind Kind
	}{
		{"close", (*Conn).Close, "EOF", KindClosed},
		{"abort", (*Conn).Abort, "reset", KindAborted},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			saw := make(chan string, 1)
			conn := dial(t, Options{}, func(c *net.TCPConn) {
				put(t, c, []byte("unread by the caller"))
				_, err := c.Read(make([]byte, 10))
				switch {
				case err == io.EOF:
					saw <- "EOF"
				case err != nil && strings.Contains(err.Error(), "reset"):
					saw <- "reset"
				default:
					saw <- "other"
				}
			})
			wantResult(t, conn.Await(t.Context(), "the text", soon, AtLeast(20)), Enough)
			test.end(conn)
			test.end(conn) // a second call must do nothing
			if got := <-saw; got != test.want {
				t.Errorf("peer saw %s, want %s", got, test.want)
			}
			if got := string(conn.Unread()); got != "unread by the caller" {
				t.Errorf("unread bytes are gone: %q", got)
			}
			wantKinds(t, conn, KindConnected, KindReceived, test.kind)
			wantResult(t, untilEnd(conn), ClosedByUs)
		})
	}
}

func TestSendThenCloseDeliversWhatFits(t *testing.T) {
	got := make(chan []byte, 1)
	conn := dial(t, Options{}, func(c *net.TCPConn) {
		all, _ := io.ReadAll(c)
		got <- all
	})
	conn.Send([]byte("one "))
	conn.Send([]byte("two"))
	conn.Close()
	if all := <-got; string(all) != "one two" {
		t.Errorf("peer received %q", all)
	}
}
