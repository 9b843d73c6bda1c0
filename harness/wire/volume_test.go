package wire

import (
	"bytes"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"
)

func noise(n int) []byte {
	data := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(data)
	return data
}

func TestBothDirectionsFullWithASlowReader(t *testing.T) {
	const size = 8 << 20
	ours, theirs := noise(size), noise(size + 1)[1:]
	sum := make(chan [32]byte, 1)
	conn := dial(t, Options{ReadPaused: true, ReceiveBuffer: 4096}, func(c *net.TCPConn) {
		wrote := make(chan struct{})
		go func() {
			defer close(wrote)
			put(t, c, theirs)
			_ = c.CloseWrite()
		}()
		// The peer does not read either until its own writing is stuck for sure.
		time.Sleep(short)
		all, _ := io.ReadAll(c)
		sum <- sha256.Sum256(all)
		<-wrote
	})
	conn.Send(ours)
	conn.CloseWrite()
	wantResult(t, conn.Await(t.Context(), "nothing, since reading is paused", short, AtLeast(1)), TimedOut)
	conn.PauseReading(false)
	wantResult(t, conn.Flush(t.Context(), soon), Enough)
	wantResult(t, untilEnd(conn), EndedByFIN)
	if !bytes.Equal(conn.Consume(size+1), theirs) {
		t.Error("what was received is not what was sent")
	}
	if <-sum != sha256.Sum256(ours) {
		t.Error("what the peer received is not what was sent")
	}
	transcript := conn.Transcript()
	if !transcript.Truncated || len(transcript.Bytes(KindReceived)) != verbatimCap || len(transcript.Bytes(KindSent)) != verbatimCap {
		t.Errorf("kept %d and %d bytes", len(transcript.Bytes(KindReceived)), len(transcript.Bytes(KindSent)))
	}
	counted := map[Kind]int{}
	for _, event := range transcript.Events {
		counted[event.Kind] += event.Size
	}
	if counted[KindReceived] != size || counted[KindSent] != size {
		t.Errorf("counted %v, want %d each way", counted, size)
	}
}

func TestFloodEndsInAVerdict(t *testing.T) {
	stop := make(chan struct{})
	conn := dial(t, Options{ReceiveCap: 1 << 20}, func(c *net.TCPConn) {
		block := noise(64 << 10)
		for {
			if _, err := c.Write(block); err != nil {
				close(stop)
				return
			}
		}
	})
	outcome := untilEnd(conn)
	wantResult(t, outcome, Overflow)
	if len(conn.Unread()) != 1<<20 {
		t.Errorf("%d bytes kept, want the cap", len(conn.Unread()))
	}
	conn.Consume(1 << 20)
	wantResult(t, conn.Await(t.Context(), "more", soon, AtLeast(1)), Overflow)
	conn.Abort()
	<-stop
}

func TestExactlyTheCapIsNoOverflow(t *testing.T) {
	conn := dial(t, Options{ReceiveCap: 1000}, func(c *net.TCPConn) { put(t, c, noise(1000)) })
	wantResult(t, untilEnd(conn), EndedByFIN)
	if len(conn.Unread()) != 1000 {
		t.Errorf("%d bytes", len(conn.Unread()))
	}
}

func TestConsumeMakesRoom(t *testing.T) {
	next := make(chan struct{})
	conn := dial(t, Options{ReceiveCap: 1000}, func(c *net.TCPConn) {
		for range 5 {
			put(t, c, noise(1000))
			<-next
		}
	})
	for range 5 {
		wantResult(t, conn.Await(t.Context(), "a block", soon, AtLeast(1000)), Enough)
		conn.Consume(1000)
		next <- struct{}{}
	}
	wantResult(t, untilEnd(conn), EndedByFIN)
}

func TestFlushWithoutAReader(t *testing.T) {
	release := make(chan struct{})
	conn := dial(t, Options{}, func(c *net.TCPConn) {
		<-release
		_, _ = io.Copy(io.Discard, c)
	})
	conn.Send(noise(32 << 20))
	wantResult(t, conn.Flush(t.Context(), short), TimedOut)
	close(release)
	wantResult(t, conn.Flush(t.Context(), soon), Enough)
}

func TestNothingIsLeftBehind(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	remote := listener.Addr().(*net.TCPAddr).AddrPort()
	fds, goroutines := census(t)
	for i := range 40 {
		conn := Dial(t.Context(), Options{Remote: remote})
		server, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		conn.Send(noise(1 << 20))
		switch i % 4 {
		case 0:
			conn.Close()
		case 1:
			conn.Abort()
		case 2:
			reset(server.(*net.TCPConn))
			untilEnd(conn)
			conn.Close()
		case 3:
			_ = server.Close()
			untilEnd(conn)
			conn.Abort()
		}
		_ = server.Close()
	}
	refused := Dial(t.Context(), Options{Remote: remote, Source: remote.Addr().Next()})
	refused.Close()
	if server, err := listener.Accept(); err == nil {
		_ = server.Close()
	}
	fdsAfter, goroutinesAfter := census(t)
	if fdsAfter > fds || goroutinesAfter > goroutines {
		t.Errorf("descriptors %d -> %d, goroutines %d -> %d", fds, fdsAfter, goroutines, goroutinesAfter)
	}
}
