package agent

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

func TestATokenIsAskedFor(t *testing.T) {
	address := serve(t, New(t.TempDir()))
	for name, shown := range map[string]string{
		"another of the same length": "0123456789abcdeF",
		"one that begins alike":      "0123456789abcde ",
		"its beginning alone":        "0123",
		"a longer one that is wrong": "x0123456789abcdef",
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			conn, err := net.Dial("tcp", address.String())
			g.Expect(err).NotTo(HaveOccurred())
			defer conn.Close()
			_, err = io.WriteString(conn, shown)
			g.Expect(err).NotTo(HaveOccurred())
			_ = conn.(*net.TCPConn).CloseWrite()
			_ = conn.SetDeadline(time.Now().Add(soon))
			said, err := io.ReadAll(conn)
			if !errors.Is(err, syscall.ECONNRESET) {
				g.Expect(err).NotTo(HaveOccurred())
			}
			g.Expect(said).To(BeEmpty())
		})
	}
	t.Run("the client's calls fail", func(t *testing.T) {
		g := NewWithT(t)
		c, err := ConnectTo(limited(t), address, "0123456789abcdeF")
		g.Expect(err).NotTo(HaveOccurred())
		defer c.Close()
		_, err = c.Stat(t.Context(), "/")
		g.Expect(err).To(MatchError(HavePrefix("agent: stat")))
	})
	t.Run("the right one opens", func(t *testing.T) {
		g := NewWithT(t)
		c, err := ConnectTo(limited(t), address, token)
		g.Expect(err).NotTo(HaveOccurred())
		defer c.Close()
		e, err := c.Stat(t.Context(), "/")
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(e.Path).To(Equal("/"))
		g.Expect(e.Mode.IsDir()).To(BeTrue())
	})
}

func TestASilentCallerIsNotWaitedForForLong(t *testing.T) {
	g := NewWithT(t)
	address := serve(t, New(t.TempDir())).String()
	// The server's clock starts when it accepts, which may be before Dial
	// returns: only a time taken before it is a lower bound.
	began := time.Now()
	conn, err := net.Dial("tcp", address)
	g.Expect(err).NotTo(HaveOccurred())
	defer conn.Close()
	_ = conn.SetDeadline(began.Add(soon))
	_, err = conn.Read(make([]byte, 1))
	g.Expect(err).To(Equal(io.EOF))
	g.Expect(time.Since(began)).To(BeNumerically(">=", tokenLimit))
}

func TestConnectGivesUpWithItsContext(t *testing.T) {
	g := NewWithT(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	g.Expect(err).NotTo(HaveOccurred())
	address := l.Addr().(*net.TCPAddr).AddrPort()
	l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = ConnectTo(ctx, address, token)
	g.Expect(err).To(MatchError(ContainSubstring(address.String())))
}

func TestConnectWaitsUntilTheAgentIsThere(t *testing.T) {
	g := NewWithT(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	g.Expect(err).NotTo(HaveOccurred())
	address := l.Addr().(*net.TCPAddr).AddrPort()
	l.Close()
	time.AfterFunc(30*time.Millisecond, func() {
		if l, err := net.Listen("tcp", address.String()); err == nil {
			t.Cleanup(func() { l.Close() })
			_ = New("").ServeOn(l, token)
		}
	})
	c, err := ConnectTo(limited(t), address, token)
	g.Expect(err).NotTo(HaveOccurred())
	c.Close()
}

func TestTheLease(t *testing.T) {
	const short = 50 * time.Millisecond
	start := func(t *testing.T, life lease) (string, <-chan struct{}) {
		over := make(chan struct{}, 8)
		life.over = func() { over <- struct{}{} }
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() { _ = New("").serve(l, token, life) }()
		return l.Addr().String(), over
	}
	call := func(t *testing.T, address string) net.Conn {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	ends := func(t *testing.T, over <-chan struct{}) {
		t.Helper()
		select {
		case <-over:
		case <-time.After(soon):
			t.Error("the lease did not end")
		}
	}
	t.Run("nobody calls", func(t *testing.T) {
		_, over := start(t, lease{first: short, later: time.Hour})
		ends(t, over)
	})
	t.Run("a caller without a token is nobody", func(t *testing.T) {
		address, over := start(t, lease{first: short, later: time.Hour})
		_, _ = io.WriteString(call(t, address), "0123456789abcdeF")
		ends(t, over)
	})
	t.Run("the last of two callers decides", func(t *testing.T) {
		address, over := start(t, lease{first: 20 * short, later: short})
		var callers []*Client
		for range 2 {
			c, err := ConnectTo(limited(t), netip.MustParseAddrPort(address), token)
			if err != nil {
				t.Fatal(err)
			}
			// Only an answer says that it was admitted: one that is still on its way when
			// the other leaves would be nobody yet.
			if _, err := c.Stat(limited(t), "/"); err != nil {
				t.Fatal(err)
			}
			callers = append(callers, c)
		}
		callers[0].Close()
		select {
		case <-over:
			t.Error("it ended while a caller was there")
		case <-time.After(22 * short): // beyond both leases
		}
		callers[1].Close()
		ends(t, over)
	})
}

func TestServeEndsWithItsListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	g := NewWithT(t)
	g.Expect(err).NotTo(HaveOccurred())
	l.Close()
	g.Expect(New("").ServeOn(l, token)).To(MatchError(net.ErrClosed))
}

func TestWithoutATokenNobodyIsServed(t *testing.T) {
	t.Setenv(TokenEnv, "")
	if l, err := net.Listen("tcp", ":61442"); err == nil {
		l.Close()
		NewWithT(t).Expect(Serve()).To(Equal(1))
	}
}

func TestFilesOverTheConnection(t *testing.T) {
	g := NewWithT(t)
	c, root := connected(t)
	ctx := limited(t)
	g.Expect(os.Mkdir(filepath.Join(root, "etc"), 0o755)).To(Succeed())
	g.Expect(c.WriteFile(ctx, "/etc/file", []byte("0123456789"), 0o640)).To(Succeed())
	info, err := os.Stat(filepath.Join(root, "etc", "file"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(info.Mode().Perm()).To(BeEquivalentTo(0o640))
	g.Expect(c.ReadFile(ctx, "/etc/file")).To(BeEquivalentTo("0123456789"))
	g.Expect(c.ReadFrom(ctx, "/etc/file", 4)).To(BeEquivalentTo("456789"))
	g.Expect(c.ReadFrom(ctx, "/etc/file", 99)).To(BeEmpty())
	g.Expect(c.Resolve(ctx, "/etc/../etc/file")).To(Equal("/etc/file"))

	// A link is replaced and not followed: what it leads to is somebody else's.
	g.Expect(os.Symlink("file", filepath.Join(root, "etc", "link"))).To(Succeed())
	g.Expect(c.Resolve(ctx, "/etc/link")).To(Equal("/etc/file"))
	g.Expect(c.WriteFile(ctx, "/etc/link", []byte("new"), 0o600)).To(Succeed())
	g.Expect(text(t, root, "etc/file")).To(Equal("0123456789"))
	g.Expect(text(t, root, "etc/link")).To(Equal("new"))

	for name, call := range map[string]func() error{
		"read":    func() error { _, err := c.ReadFile(ctx, "/none"); return err },
		"stat":    func() error { _, err := c.Stat(ctx, "/none"); return err },
		"readdir": func() error { _, err := c.ReadDir(ctx, "/none"); return err },
		"files":   func() error { _, err := c.ReadFiles(ctx, "/none"); return err },
		"resolve": func() error { _, err := c.Resolve(ctx, "/none"); return err },
		"walk":    func() error { _, err := c.Walk(ctx, "/none", 9); return err },
		"write":   func() error { return c.WriteFile(ctx, "/none/x", nil, 0o600) },
		"replace": func() error { _, err := c.Replace(ctx, "/none", "/etc/file"); return err },
	} {
		err := call()
		g.Expect(errors.Is(err, fs.ErrNotExist)).To(BeTrue(), "%s: %v", name, err)
	}
	_, err = c.ReadFile(ctx, "/etc")
	g.Expect(err).To(HaveOccurred())
	g.Expect(errors.Is(err, fs.ErrNotExist)).To(BeFalse())
	g.Expect(syscall.Mkfifo(filepath.Join(root, "etc/pipe"), 0o600)).To(Succeed())
	_, err = c.ReadFile(ctx, "/etc/pipe")
	g.Expect(err).To(MatchError(ErrNotRegular), "a pipe in a file's place keeps nobody waiting")
}

func TestReplacePutsAProgramInAnothersPlace(t *testing.T) {
	asRoot(t)
	g := NewWithT(t)
	c, root := connected(t)
	qm := put(t, root, "bin/qm", "the old one", 0o775)
	g.Expect(os.Chown(qm, 1234, 1235)).To(Succeed())
	put(t, root, "probe", "the new one", 0o600)
	kept, err := c.Replace(limited(t), "/bin/qm", "/probe")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(text(t, root, kept)).To(Equal("the old one"))
	g.Expect(text(t, root, "bin/qm")).To(Equal("the new one"))
	e, err := c.Stat(limited(t), "/bin/qm")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect([]any{e.UID, e.GID, e.Mode.Perm()}).To(Equal([]any{uint32(1234), uint32(1235), os.FileMode(0o775)}))
}

func TestOnlyTheSubjectsProcessesAreSignalled(t *testing.T) {
	g := NewWithT(t)
	c, _ := connected(t)
	for _, pid := range []int{1, 0, -1} {
		g.Expect(c.Signal(limited(t), pid, 0)).To(MatchError(ContainSubstring("not a process of the subject's")))
	}
	g.Expect(c.Signal(limited(t), os.Getpid(), 0)).To(Succeed())
}

func TestASnapshotHoldsThisProcess(t *testing.T) {
	g := NewWithT(t)
	c, _ := connected(t)
	s, err := c.Snapshot(limited(t))
	g.Expect(err).NotTo(HaveOccurred())
	_, found := s.Process(os.Getpid())
	g.Expect(found).To(BeTrue())
}

func TestAddressesHoldTheLoopback(t *testing.T) {
	g := NewWithT(t)
	c, _ := connected(t)
	list, err := c.Addresses(limited(t))
	g.Expect(err).NotTo(HaveOccurred())
	var all []string
	for _, a := range list {
		all = append(all, a.Prefix.String())
	}
	g.Expect(all).To(ContainElement("127.0.0.1/8"))
}

func TestACallEndsWithItsContext(t *testing.T) {
	g := NewWithT(t)
	c, _ := connected(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := c.Run(ctx, RunRequest{Argv: []string{"sleep", "1"}, Limit: soon})
	g.Expect(err).To(MatchError(context.DeadlineExceeded))
}
