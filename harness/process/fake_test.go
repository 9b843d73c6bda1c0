package process

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// fakeProc is a proc file system made of ordinary files and dangling links.
type fakeProc struct {
	t    *testing.T
	root string
}

func newFakeProc(t *testing.T) fakeProc {
	t.Helper()
	f := fakeProc{t, t.TempDir()}
	f.write("net/tcp", readText(t, "tcp"))
	f.write("net/tcp6", readText(t, "tcp6"))
	return f
}

func readText(t testing.TB, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func (f fakeProc) write(path, content string) {
	f.t.Helper()
	path = filepath.Join(f.root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

func (f fakeProc) link(path, target string) {
	f.t.Helper()
	path = filepath.Join(f.root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		f.t.Fatal(err)
	}
}

// session adds a process like a qm session, with a socket as fds 0, 1 and 2.
func (f fakeProc) session(pid, ppid int, socket string) {
	dir := strconv.Itoa(pid) + "/"
	stat := strings.NewReplacer("PPID", strconv.Itoa(ppid), "PID", strconv.Itoa(pid)).Replace(readText(f.t, "stat"))
	f.write(dir+"stat", stat)
	f.write(dir+"status", readText(f.t, "status"))
	f.write(dir+"limits", readText(f.t, "limits"))
	f.write(dir+"oom_score_adj", "-7\n")
	f.write(dir+"cmdline", "qm\x00-n\x00-q\x00")
	f.write(dir+"environ", "PATH=/usr/bin\x00REMOTE_HOST=::ffff:172.17.0.3\x00EMPTY=\x00")
	f.link(dir+"exe", "/usr/qmsys/bin/qm")
	f.link(dir+"cwd", "/usr/qmsys")
	f.link(dir+"root", "/")
	for _, number := range []string{"0", "1", "2"} {
		f.link(dir+"fd/"+number, socket)
		f.write(dir+"fdinfo/"+number, "pos:\t0\nflags:\t02004002\nmnt_id:\t9\nino:\t999\n")
	}
	f.link(dir+"fd/10", "/usr/qmsys/MESSAGES/%0")
	f.write(dir+"fdinfo/10", "pos:\t0\nflags:\t0100002\nmnt_id:\t9\nino:\t1234\n")
}
