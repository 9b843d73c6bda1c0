package wire

import (
	"context"
	"net"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"time"
)

// Limits of the tests: a second is far above what loopback needs, on a busy machine too.
const (
	soon  = 5 * time.Second
	short = 30 * time.Millisecond
)

// peer serves one connection by a function that may misbehave.
func peer(t *testing.T, network, address string, serve func(*net.TCPConn)) netip.AddrPort {
	t.Helper()
	listener, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		serve(conn.(*net.TCPConn))
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		select {
		case <-served:
		case <-time.After(soon):
			t.Error("the peer did not end")
		}
	})
	return listener.Addr().(*net.TCPAddr).AddrPort()
}

// dial connects to a peer on loopback and closes at the end of the test, before the peer is waited for.
func dial(t *testing.T, options Options, serve func(*net.TCPConn)) *Conn {
	t.Helper()
	options.Remote = peer(t, "tcp4", "127.0.0.1:0", serve)
	conn := Dial(t.Context(), options)
	t.Cleanup(conn.Close)
	if !conn.Connected() {
		t.Fatalf("not connected:\n%s", conn.Transcript().Text())
	}
	return conn
}

func reset(conn *net.TCPConn) {
	_ = conn.SetLinger(0)
	_ = conn.Close()
}

func put(t *testing.T, conn *net.TCPConn, data []byte) {
	if _, err := conn.Write(data); err != nil {
		t.Errorf("peer's write: %v", err)
	}
}

func kinds(t Transcript) []Kind {
	var all []Kind
	for _, event := range t.Events {
		if len(all) == 0 || all[len(all)-1] != event.Kind {
			all = append(all, event.Kind)
		}
	}
	return all
}

func wantKinds(t *testing.T, conn *Conn, want ...Kind) {
	t.Helper()
	got := kinds(conn.Transcript())
	if len(got) == len(want) {
		same := true
		for i := range got {
			same = same && got[i] == want[i]
		}
		if same {
			return
		}
	}
	t.Errorf("events %v, want %v\n%s", got, want, conn.Transcript().Text())
}

func wantResult(t *testing.T, got Outcome, want Result) {
	t.Helper()
	if got.Result != want {
		t.Errorf("outcome %s (%s), want %s", got.Result, got, want)
	}
}

// untilEnd waits for the end of the connection.
func untilEnd(conn *Conn) Outcome {
	return conn.Await(context.Background(), "the end", soon, TheEnd)
}

// census counts what a leak would leave: descriptors and goroutines.
func census(t *testing.T) (fds, goroutines int) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries), runtime.NumGoroutine()
}
