package agent

import (
	"archive/tar"
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// FuzzCaller: whatever a caller with the token sends, the agent outlives it.
func FuzzCaller(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x00\x01\x02\x03 not gob at all"))
	f.Add([]byte{0xf8, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, said []byte) {
		ours, theirs := net.Pipe()
		l := &single{conn: theirs, closed: make(chan struct{})}
		served := make(chan struct{})
		go func() {
			defer close(served)
			_ = New(t.TempDir()).ServeOn(l, token)
		}()
		deadline := time.Now().Add(soon)
		_ = ours.SetDeadline(deadline)
		go func() { _, _ = io.Copy(io.Discard, ours) }()
		_, _ = ours.Write([]byte(token))
		_, _ = ours.Write(said)
		ours.Close()
		l.Close()
		select {
		case <-served:
		case <-time.After(soon):
			t.Fatal("the agent hangs")
		}
	})
}

// single is a listener with one caller.
type single struct {
	conn   net.Conn
	closed chan struct{}
	given  bool
}

func (l *single) Accept() (net.Conn, error) {
	if !l.given {
		l.given = true
		return l.conn, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}

func (l *single) Close() error {
	close(l.closed)
	return nil
}

func (l *single) Addr() net.Addr { return &net.TCPAddr{} }

// FuzzUnpack: no archive writes outside the root, whatever its names, links and order.
func FuzzUnpack(f *testing.F) {
	f.Add("etc/xinetd.d/qmclient", "text", "", "")
	f.Add("../../escape", "text", "/..", "x")
	f.Add("link", "", "..", "link/escape")
	f.Add("a/../../b", "text", "", "\x00")
	f.Fuzz(func(t *testing.T, name, content, linkTo, second string) {
		outer := t.TempDir()
		root := filepath.Join(outer, "root")
		if err := os.Mkdir(root, 0o755); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		write := func(h *tar.Header, text string) {
			h.Size = int64(len(text))
			if w.WriteHeader(h) == nil {
				_, _ = w.Write([]byte(text))
			}
		}
		if linkTo != "" && !filepath.IsAbs(linkTo) {
			// A link may lead anywhere in a target; here it must not lead out of the test.
			write(&tar.Header{Name: "inside", Typeflag: tar.TypeSymlink, Linkname: filepath.Join(root, filepath.Clean("/"+linkTo))}, "")
		}
		write(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644}, content)
		write(&tar.Header{Name: second, Typeflag: tar.TypeReg, Mode: 0o600}, content)
		_ = w.Close()
		_ = unpack(b.Bytes(), root)
		entries, err := os.ReadDir(outer)
		if err != nil || len(entries) != 1 || entries[0].Name() != "root" {
			t.Fatalf("beside the root: %v, %v", entries, err)
		}
		err = filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
			if err == nil && strings.HasPrefix(filepath.Base(path), ".conformance-") {
				t.Errorf("left behind: %s", path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzIdentQuery: an asker that sends anything gets at most one answer, and is noted
// with one line.
func FuzzIdentQuery(f *testing.F) {
	f.Add([]byte("40000, 4242\r\n"))
	f.Add([]byte("{ports},{ports}\n"))
	f.Add(bytes.Repeat([]byte("x"), 3*identLine))
	f.Fuzz(func(t *testing.T, query []byte) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		var servers identServers
		go servers.serve(l, &identServer{request: IdentRequest{Manner: IdentAnswers, Reply: "{ports} : USERID : UNIX : alice\r\n"}})
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(soon))
		_, _ = conn.Write(query)
		_ = conn.(*net.TCPConn).CloseWrite()
		answer, _ := io.ReadAll(conn)
		if len(answer) > identLine+100 || bytes.Count(answer, []byte("alice")) > 1 {
			t.Fatalf("%d bytes of answer", len(answer))
		}
		servers.mu.Lock()
		defer servers.mu.Unlock()
		for _, q := range servers.queries {
			if strings.Contains(q.Line, "\n") || len(q.Line) > identLine {
				t.Fatalf("noted as %q", q.Line)
			}
		}
	})
}
