package agent

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"qmconformance/harness/wire"
)

// peer serves one connection by a function that may misbehave.
func peer(t *testing.T, do func(*net.TCPConn)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(soon))
		do(conn.(*net.TCPConn))
	}()
	t.Cleanup(func() {
		l.Close()
		select {
		case <-served:
		case <-time.After(soon):
			t.Error("the peer did not end")
		}
	})
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// relayed dials a peer through an agent.
func relayed(t *testing.T, remote netip.AddrPort) wire.Link {
	t.Helper()
	c, _ := connected(t)
	link, err := c.Dial(limited(t), DialRequest{Remote: remote})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(link.Close)
	return link
}

func TestAConversationOverTheRelay(t *testing.T) {
	g := NewWithT(t)
	seen := make(chan netip.AddrPort, 1)
	remote := peer(t, func(c *net.TCPConn) {
		seen <- c.RemoteAddr().(*net.TCPAddr).AddrPort()
		got, _ := io.ReadAll(c)
		_, _ = c.Write(append([]byte("you said "), got...))
	})
	link := relayed(t, remote)
	// Known at once, as of a connection of this process.
	g.Expect(link.Connected()).To(BeTrue())
	g.Expect(link.LocalAddr()).To(Equal(<-seen))
	g.Expect(link.RemoteAddr()).To(Equal(remote))
	link.Send([]byte("hel"))
	link.Send([]byte("lo"))
	g.Expect(link.Flush(t.Context(), soon).OK()).To(BeTrue())
	link.CloseWrite()
	end := link.Await(t.Context(), "the end", soon, wire.TheEnd)
	g.Expect(end.Result).To(Equal(wire.EndedByFIN))
	g.Expect(string(link.Unread())).To(Equal("you said hello"))
	g.Expect(string(link.Consume(9))).To(Equal("you said "))
	g.Expect(string(link.Consume(99))).To(Equal("hello"))
	link.Close()
	transcript := link.Transcript()
	g.Expect(transcript.Local.IsValid()).To(BeTrue())
	g.Expect(string(transcript.Bytes(wire.KindSent))).To(Equal("hello"))
	for _, kind := range []wire.Kind{wire.KindConnected, wire.KindShutdown, wire.KindFIN, wire.KindClosed} {
		_, there := transcript.First(kind)
		g.Expect(there).To(BeTrue(), string(kind))
	}
	_, failed := transcript.First(wire.KindLocalError)
	g.Expect(failed).To(BeFalse())
	link.Close() // twice does no harm
}

func TestHowARelayedConnectionEnds(t *testing.T) {
	for name, k := range map[string]struct {
		do   func(*net.TCPConn)
		want wire.Result
		got  string
	}{
		"by a FIN":          {func(c *net.TCPConn) { _, _ = io.WriteString(c, "bye") }, wire.EndedByFIN, "bye"},
		"by a FIN at once":  {func(*net.TCPConn) {}, wire.EndedByFIN, ""},
		"by a RST":          {func(c *net.TCPConn) { _ = c.SetLinger(0) }, wire.EndedByReset, ""},
		"not, in this time": {func(c *net.TCPConn) { _, _ = io.WriteString(c, "wait"); _, _ = io.Copy(io.Discard, c) }, wire.TimedOut, "wait"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			link := relayed(t, peer(t, k.do))
			limit := soon
			if k.want == wire.TimedOut {
				g.Expect(link.Await(t.Context(), "the bytes", soon, wire.AtLeast(len(k.got))).OK()).To(BeTrue())
				limit = 300 * time.Millisecond
			}
			g.Expect(link.Await(t.Context(), "the end", limit, wire.TheEnd).Result).To(Equal(k.want))
			g.Expect(string(link.Unread())).To(Equal(k.got))
			link.Close()
		})
	}
}

func TestARefusalIsAnEventAndNoError(t *testing.T) {
	g := NewWithT(t)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	g.Expect(err).NotTo(HaveOccurred())
	remote := l.Addr().(*net.TCPAddr).AddrPort()
	l.Close()
	link := relayed(t, remote)
	g.Expect(link.Connected()).To(BeFalse())
	g.Expect(link.Await(t.Context(), "the first byte", soon, wire.AtLeast(1)).Result).To(Equal(wire.Refused))
}

func TestOurOwnRSTOverTheRelay(t *testing.T) {
	g := NewWithT(t)
	result := make(chan error, 1)
	link := relayed(t, peer(t, func(c *net.TCPConn) {
		_, err := io.ReadAll(c)
		result <- err
	}))
	link.Abort()
	g.Expect(<-result).To(MatchError(unix.ECONNRESET))
	link.Close()
}

func TestUrgentDataOverTheRelay(t *testing.T) {
	g := NewWithT(t)
	got := make(chan []byte, 1)
	link := relayed(t, peer(t, func(c *net.TCPConn) {
		raw, _ := c.SyscallConn()
		_ = raw.Write(func(fd uintptr) bool {
			_ = unix.Sendto(int(fd), []byte{'!'}, unix.MSG_OOB, nil)
			return true
		})
		plain, _ := io.ReadAll(c)
		got <- plain
	}))
	link.Send([]byte("a"))
	link.SendUrgent('?')
	link.Send([]byte("b"))
	link.CloseWrite()
	g.Expect(string(<-got)).To(Equal("ab"), "the urgent byte is outside the stream")
	link.Await(t.Context(), "the end", soon, wire.TheEnd)
	g.Expect(string(link.Transcript().Bytes(wire.KindUrgent))).To(ContainSubstring("!"))
	g.Expect(link.Unread()).To(BeEmpty())
}

func TestASlowReaderOverTheRelay(t *testing.T) {
	g := NewWithT(t)
	data := bytes.Repeat([]byte("0123456789abcdef"), 4<<10) // within what a relay may receive
	link := relayed(t, peer(t, func(c *net.TCPConn) {
		ask := make([]byte, 1)
		_, _ = io.ReadFull(c, ask)
		_, _ = c.Write(data)
	}))
	link.PauseReading(true)
	link.Send([]byte("x"))
	g.Expect(link.Await(t.Context(), "bytes", 200*time.Millisecond, wire.AtLeast(1)).Silent()).To(BeTrue())
	link.PauseReading(false)
	g.Expect(link.Await(t.Context(), "the end", soon, wire.TheEnd).Result).To(Equal(wire.EndedByFIN))
	g.Expect(bytes.Equal(link.Unread(), data)).To(BeTrue())
}

func TestTooMuchForARelay(t *testing.T) {
	link := relayed(t, peer(t, func(c *net.TCPConn) { _, _ = c.Write(make([]byte, relayCap+64<<10)) }))
	outcome := link.Await(t.Context(), "the end", soon, wire.TheEnd)
	NewWithT(t).Expect(outcome.Result).To(Equal(wire.Overflow))
}

func TestDeedsThatAreNone(t *testing.T) {
	g := NewWithT(t)
	a := New("")
	g.Expect(a.Do(DeedRequest{ID: 1, Deed: DeedSend}, nil)).To(MatchError("no connection 1"))
	g.Expect(a.News(NewsRequest{ID: 1}, &News{})).To(MatchError("no connection 1"))
	var id int
	g.Expect(a.Dial(DialRequest{Remote: peer(t, func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) })}, &id)).To(Succeed())
	g.Expect(a.Do(DeedRequest{ID: id, Deed: "dance"}, nil)).To(MatchError(ContainSubstring("dance")))
	g.Expect(a.Do(DeedRequest{ID: id, Deed: DeedUrgent}, nil)).To(MatchError(ContainSubstring("urgent")))
	var news News
	g.Expect(a.News(NewsRequest{ID: id, From: 99}, &news)).To(Succeed(), "asked for what is not yet")
	g.Expect(news.Events).To(BeEmpty())
	g.Expect(a.Do(DeedRequest{ID: id, Deed: DeedClose}, nil)).To(Succeed())
}

// An agent that is gone is our own failure, and must not read like the peer's.
func TestALostAgentIsALocalError(t *testing.T) {
	g := NewWithT(t)
	remote := peer(t, func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) })
	a := New("")
	c, err := ConnectTo(limited(t), serve(t, a), token)
	g.Expect(err).NotTo(HaveOccurred())
	link, err := c.Dial(limited(t), DialRequest{Remote: remote})
	g.Expect(err).NotTo(HaveOccurred())
	// In a container the socket would go with the agent.
	defer func() { _ = a.Do(DeedRequest{ID: 1, Deed: DeedClose}, nil) }()
	c.Close()
	g.Expect(link.Await(t.Context(), "the end", soon, wire.TheEnd).Result).To(Equal(wire.LocalError))
	_, err = c.Dial(limited(t), DialRequest{Remote: netip.MustParseAddrPort("127.0.0.1:1")})
	g.Expect(err).To(HaveOccurred())
}
