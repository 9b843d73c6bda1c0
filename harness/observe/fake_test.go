package observe

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"qmconformance/fixtures/probe/report"
	"qmconformance/fixtures/probe/stream"
	"qmconformance/harness/agent"
	"qmconformance/harness/evidence"
	"qmconformance/harness/requirement"
	"qmconformance/harness/target"
)

// soon is far above what anything here takes, on a busy machine too.
const soon = 20 * time.Second

// scene is a target whose files are in a directory of the test's own, with an
// agent in this process, and whose address is the loopback.
func scene(t *testing.T) (s *Scene, root string) {
	t.Helper()
	root = t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() { _ = agent.New(root).ServeOn(l, "token") }()
	c, err := agent.ConnectTo(limited(t), l.Addr().(*net.TCPAddr).AddrPort(), "token")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &Scene{
		Target:  &target.Target{Container: &target.Container{Client: c, V4: netip.MustParseAddr("127.0.0.1")}, Tree: "/usr/qmsys"},
		Service: requirement.QMServer, Evidence: &evidence.Bundle{},
	}, root
}

func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	t.Cleanup(cancel)
	return ctx
}

// put writes a file below a root.
func put(t *testing.T, root, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// player plays the probe on a connection. Its fields are ways to misbehave.
type player struct {
	silent bool   // says nothing, and ends
	first  string // what it says in place of its first line
	spoil  bool   // changes a byte of what it writes
	reset  bool   // ends by RST
	more   bool   // writes one byte too many
	short  bool   // leaves the last byte out
	oob    string // what it says of urgent data
}

// serve listens and plays, each connection by the player of its turn; the last one
// plays all that follow.
func serve(t *testing.T, players ...player) uint16 {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			p := players[min(i, len(players)-1)]
			wg.Go(func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(3 * soon))
				p.play(conn.(*net.TCPConn))
			})
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return uint16(l.Addr().(*net.TCPAddr).Port)
}

func (p player) play(conn *net.TCPConn) {
	if p.silent {
		return
	}
	if p.first != "" {
		_, _ = io.WriteString(conn, p.first)
		return
	}
	line, _ := json.Marshal(report.Context{Cwd: "/", PID: 100})
	_, _ = conn.Write(append(line, '\n'))
	command, err := commandLine(conn)
	if err != nil {
		return
	}
	verb, rest, _ := strings.Cut(strings.TrimSpace(command), " ")
	var in io.Reader = conn
	switch verb {
	case "sink":
		h := sha256.New()
		n, _ := io.Copy(h, in)
		p.write(conn, fmt.Appendf(nil, "%d %x\n", n, h.Sum(nil)))
	case "source":
		var n int64
		var seed uint64
		_, _ = fmt.Sscan(rest, &n, &seed)
		data, _ := io.ReadAll(stream.New(seed, n))
		p.write(conn, data)
	case "echo":
		p.echo(conn, in)
	case "oob":
		p.write(conn, []byte(p.urgent(conn)))
		_, _ = io.Copy(io.Discard, in)
	}
	if p.reset {
		_ = conn.SetLinger(0)
	}
}

// commandLine reads byte by byte: what follows the line belongs to the command.
func commandLine(r io.Reader) (string, error) {
	var line []byte
	for b := make([]byte, 1); ; {
		if _, err := io.ReadFull(r, b); err != nil {
			return "", err
		}
		if b[0] == '\n' {
			return string(line), nil
		}
		line = append(line, b[0])
	}
}

func (p player) write(w io.Writer, data []byte) {
	if p.spoil {
		data[len(data)/2] ^= 1
	}
	if p.short {
		data = data[:len(data)-1]
	}
	if p.more {
		data = append(data, 'x')
	}
	_, _ = w.Write(data)
}

func (p player) echo(w io.Writer, r io.Reader) {
	buf := make([]byte, 32<<10)
	for first := true; ; first = false {
		n, err := r.Read(buf)
		if n > 0 && first {
			p.write(w, append([]byte(nil), buf[:n]...))
		} else if n > 0 {
			_, _ = w.Write(buf[:n])
		}
		if err != nil {
			return
		}
	}
}

// urgent waits for the urgent byte and tells of it.
func (p player) urgent(conn *net.TCPConn) string {
	if p.oob != "" {
		return p.oob
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return err.Error()
	}
	b := make([]byte, 1)
	deadline := time.Now().Add(soon)
	for {
		var n int
		_ = raw.Control(func(fd uintptr) { n, _, err = unix.Recvfrom(int(fd), b, unix.MSG_OOB) })
		if n == 1 {
			line, _ := json.Marshal(report.Urgent{Value: int(b[0]), Offset: 1})
			return string(line) + "\n"
		}
		if time.Now().After(deadline) {
			return err.Error()
		}
		time.Sleep(time.Millisecond)
	}
}
