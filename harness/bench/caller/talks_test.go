package caller

import (
	"bytes"
	"io"
	"math"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"qmconformance/harness/qmclient"
)

// peer serves one connection after the other with a script, and tells what it was
// sent in each.
func peer(t *testing.T, script func(c *net.TCPConn)) (netip.AddrPort, <-chan error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	ends := make(chan error, 8)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.SetDeadline(time.Now().Add(20 * time.Second))
			script(c.(*net.TCPConn))
			// What we do after its end shows whether the caller left in order.
			_, err = c.Read(make([]byte, 1))
			ends <- err
			c.Close()
		}
	}()
	return l.Addr().(*net.TCPAddr).AddrPort(), ends
}

func call(t *testing.T, at netip.AddrPort, talk Talk) (c Call) {
	t.Helper()
	done := make(chan Call, 1)
	go func() { done <- new(Line).Call(&Target{Addr: at, Talk: talk, NoteLocal: true}, 0) }()
	select {
	case c = <-done:
	case <-time.After(2 * StepLimit):
		t.Fatal("the call did not end")
	}
	return c
}

func read(c net.Conn, n int) []byte {
	got := make([]byte, n)
	n, _ = io.ReadFull(c, got)
	return got[:n]
}

func TestAQMClientThatAnswersInTime(t *testing.T) {
	g := NewWithT(t)
	var asked []byte
	at, ends := peer(t, func(c *net.TCPConn) {
		c.Write([]byte{ack})
		asked = read(c, 6)
		c.Write(qmclient.NotLoggedIn().Encode())
		c.CloseWrite()
	})
	c := call(t, at, Client(nil))
	g.Expect(c.Err).NotTo(HaveOccurred())
	g.Expect(<-ends).To(Equal(io.EOF))
	g.Expect(asked).To(Equal(qmclient.EncodeQuit()))
	g.Expect([]int64{c.Start, c.Connected, c.First, c.Asked, c.Ready, c.Ended}).To(And(
		HaveEach(BeNumerically(">", 0)), WithTransform(sorted, BeTrue())))
	g.Expect(c.Intended).To(Equal(c.Start))
	g.Expect(c.Local).NotTo(BeZero())
}

func sorted(x []int64) bool {
	for i := 1; i < len(x); i++ {
		if x[i] < x[i-1] {
			return false
		}
	}
	return true
}

// Whatever the server says, the caller stays to the end of the stream: a real qm
// whose client is gone may never end.
func TestAQMClientThatMisbehavesIsStillLeftInOrder(t *testing.T) {
	for name, k := range map[string]struct {
		script func(c *net.TCPConn)
		says   string
	}{
		"another reply": {func(c *net.TCPConn) {
			c.Write([]byte{ack})
			read(c, 6)
			c.Write(bytes.Repeat([]byte("x"), 23))
			time.Sleep(20 * time.Millisecond)
			c.CloseWrite()
		}, "the reply is"},
		"text of an error": {func(c *net.TCPConn) {
			c.Write([]byte("\x06ScarletDME has not been started\n"))
			read(c, 6)
			c.CloseWrite()
		}, "the reply"},
		"an end instead of a reply": {func(c *net.TCPConn) {
			c.Write([]byte{ack})
			read(c, 6)
			c.CloseWrite()
		}, "the server ended the connection"},
		"no byte at all": {func(c *net.TCPConn) { c.CloseWrite() }, "the server ended the connection"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			at, ends := peer(t, k.script)
			c := call(t, at, Client(nil))
			g.Expect(c.Err).To(MatchError(ContainSubstring(k.says)))
			g.Expect(<-ends).To(Equal(io.EOF), "the caller closed after the server did")
		})
	}
}

func TestNobodyListensIsAnError(t *testing.T) {
	g := NewWithT(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	g.Expect(err).NotTo(HaveOccurred())
	at := l.Addr().(*net.TCPAddr).AddrPort()
	l.Close()
	c := call(t, at, Client(nil))
	g.Expect(c.Err).To(MatchError(ContainSubstring("connect: connection refused")))
	g.Expect(c.Connected).To(BeZero())
}

// greeting is what qm negotiates unasked.
const greeting = "\xff\xfd\x2d\xff\xfb\x01\xff\xfd\x03\xff\xfb\x03\xff\xfe\x22\xff\xfd\x18"

func TestATelnetDialogue(t *testing.T) {
	g := NewWithT(t)
	var answer, typed []byte
	at, ends := peer(t, func(c *net.TCPConn) {
		for _, piece := range []string{greeting[:3], greeting[3:10], greeting[10:]} {
			io.WriteString(c, piece)
			time.Sleep(time.Millisecond)
		}
		answer = read(c, 3)
		io.WriteString(c, "\xff\xfa\x18\x01\xff\xf0")
		answer = append(answer, read(c, 11)...)
		io.WriteString(c, "welcome\r\x00\nUserna")
		time.Sleep(time.Millisecond)
		io.WriteString(c, "me: ")
		typed = read(c, 3)
		c.CloseWrite()
	})
	c := call(t, at, Server(nil))
	g.Expect(c.Err).NotTo(HaveOccurred())
	g.Expect(<-ends).To(Equal(io.EOF))
	g.Expect(answer).To(Equal([]byte("\xff\xfb\x18\xff\xfa\x18\x00vt100\xff\xf0")))
	g.Expect(typed).To(Equal([]byte("\r\r\r")))
	g.Expect(time.Duration(c.Asked-c.First)).To(BeNumerically(">=", TermTypePause), "no answer before qm listens for it")
	g.Expect(c.Kicks).To(BeZero())
}

func TestALostTerminalTypeIsBroughtToMind(t *testing.T) {
	g := NewWithT(t)
	at, ends := peer(t, func(c *net.TCPConn) {
		io.WriteString(c, greeting)
		read(c, 3)
		read(c, 2) // the kick, without which it would say nothing
		io.WriteString(c, "\xff\xfa\x18\x01\xff\xf0")
		read(c, 11)
		io.WriteString(c, "Username: ")
		read(c, 3)
		c.CloseWrite()
	})
	c := call(t, at, Server(nil))
	g.Expect(c.Err).NotTo(HaveOccurred())
	g.Expect(c.Kicks).To(BeEquivalentTo(1))
	g.Expect(<-ends).To(Equal(io.EOF))
}

func TestALoginAndARequest(t *testing.T) {
	g := NewWithT(t)
	ok := qmclient.Reply{}.Encode()
	var log [][]byte
	at, ends := peer(t, func(c *net.TCPConn) {
		c.Write([]byte{ack})
		for range 4 {
			head := read(c, 4)
			log = append(log, append(head, read(c, int(head[0])-4)...))
			c.Write(ok)
		}
		c.CloseWrite()
	})
	c := call(t, at, Client(&Login{"u", "p", "QMSYS"}))
	g.Expect(c.Err).NotTo(HaveOccurred())
	g.Expect(<-ends).To(Equal(io.EOF))
	g.Expect(log).To(Equal([][]byte{
		qmclient.EncodeLogin("u", "p"), qmclient.EncodeAccount("QMSYS"), qmclient.EncodeExecute(roundTrip), qmclient.EncodeQuit(),
	}))
	g.Expect(c.LoggedIn).To(BeNumerically(">", c.LoginAt))
	g.Expect(c.Answered).To(BeNumerically(">", c.RequestAt))
}

func TestARefusedLoginIsAnError(t *testing.T) {
	g := NewWithT(t)
	at, ends := peer(t, func(c *net.TCPConn) {
		c.Write([]byte{ack})
		head := read(c, 4)
		read(c, int(head[0])-4)
		c.Write(qmclient.Reply{ServerError: qmclient.ErrorOnError, Data: []byte("Invalid username or password")}.Encode())
		c.CloseWrite()
	})
	c := call(t, at, Client(&Login{"u", "p", "QMSYS"}))
	g.Expect(c.Err).To(MatchError(ContainSubstring("Invalid username or password")))
	g.Expect(c.LoggedIn).To(BeZero())
	<-ends // by FIN or RST: we sent a request after its end
}

func TestAStayerLeavesInOrder(t *testing.T) {
	g := NewWithT(t)
	left := make(chan []byte, 1)
	at, _ := peer(t, func(c *net.TCPConn) {
		c.Write([]byte{ack})
		for range 2 {
			head := read(c, 4)
			read(c, int(head[0])-4)
			c.Write(qmclient.Reply{}.Encode())
		}
		left <- read(c, 6)
		c.CloseWrite()
	})
	s, err := Stay(&Target{Addr: at}, &Login{"u", "p", "QMSYS"})
	g.Expect(err).NotTo(HaveOccurred())
	g.Consistently(left, "50ms").ShouldNot(Receive(), "it stays")
	g.Expect(s.Leave()).To(Succeed())
	g.Expect(<-left).To(Equal(qmclient.EncodeQuit()))
}

func TestAFloodIsNoAnswer(t *testing.T) {
	g := NewWithT(t)
	at, ends := peer(t, func(c *net.TCPConn) {
		io.WriteString(c, strings.Repeat("x", 200<<10))
		read(c, 3)
		c.CloseWrite()
	})
	c := call(t, at, Server(nil))
	g.Expect(c.Err).To(MatchError(ContainSubstring(errTooLong.Error())))
	<-ends
}

func TestTheFloorIsMeasured(t *testing.T) {
	g := NewWithT(t)
	c := call(t, bareServer(t), ToTheEnd)
	g.Expect(c.Err).NotTo(HaveOccurred())
	g.Expect([]int64{c.Start, c.Connected, c.First, c.Ended}).To(WithTransform(sorted, BeTrue()))
}

func TestTheClockIsTheKernels(t *testing.T) {
	g := NewWithT(t)
	apart := int64(math.MaxInt64)
	for range 100 { // the least apart: a test may be interrupted between the two
		var ts unix.Timespec
		g.Expect(unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)).To(Succeed())
		apart = min(apart, Now()-ts.Nano())
	}
	g.Expect(time.Duration(apart)).To(BeNumerically("~", 0, 10*time.Microsecond))
}
