package agent

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/rpc"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"qmconformance/harness/capture"
	"qmconformance/harness/process"
)

// How long the agent outlives its last caller. It is the dead-man's switch of
// the container: whatever happens to the harness, to its reaper and to the
// connection, the container ends by itself (and is removed, as it is started
// with AutoRemove). Longer than any pause of a debugger-free run, short enough
// that two runs in a row do not pile up.
const (
	// FirstCall is how long PID 1 waits for its first caller.
	FirstCall = 60 * time.Second
	// Lease is how long it goes on without any.
	Lease = 10 * time.Second
)

// tokenLimit is how long a caller may take to show its token.
const tokenLimit = 2 * time.Second

// Agent is the receiver of the remote calls.
type Agent struct {
	// root is put before every path that a caller names, and where the agent's
	// programs and sockets have theirs; empty in a container.
	root string

	mu     sync.Mutex
	log    *syslogSocket
	xinetd *daemon
	links  linkTable
	texts  texts
	// started counts the probe's starts, ident is this host's identity server.
	started starts
	ident   identServers
	// packets records those of the container; nil where nobody does.
	packets *capture.Recorder
	// helpers are what a benchmark runs beside the subject.
	helpers helpers
}

// Serve answers callers until the lease runs out. It returns an exit status.
func Serve() int {
	// Most of what the calls leave is gone at once, and a collection costs more than
	// the memory: three in four are saved, within a sixth of what a target may use.
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(64 << 20)
	l, err := net.Listen("tcp", ":"+strconv.Itoa(Port))
	if err != nil {
		fmt.Fprintln(os.Stderr, "agent:", err)
		return 1
	}
	token := os.Getenv(TokenEnv)
	os.Unsetenv(TokenEnv)
	if token == "" {
		fmt.Fprintln(os.Stderr, "agent: no token given")
		return 1
	}
	life := lease{first: FirstCall, later: Lease, over: func() { os.Exit(0) }}
	a := New("")
	if err := a.record(); err != nil {
		fmt.Fprintln(os.Stderr, "agent:", err)
		return 1
	}
	if err := a.serve(l, token, life); err != nil {
		fmt.Fprintln(os.Stderr, "agent:", err)
	}
	return 1
}

// New makes an agent whose files are below root; an empty root is that of the
// process.
func New(root string) *Agent { return &Agent{root: root} }

// ServeOn answers callers on a listener until it is closed. It is for agents in
// a process that ends by itself, and so without a lease.
func (a *Agent) ServeOn(l net.Listener, token string) error {
	return a.serve(l, token, lease{first: math.MaxInt64, later: math.MaxInt64, over: func() {}})
}

// lease is how long to serve without a caller, before the first and after the
// last one, and what to do then.
type lease struct {
	first, later time.Duration
	over         func()
}

func (a *Agent) serve(l net.Listener, token string, life lease) error {
	server := rpc.NewServer()
	if err := server.Register(a); err != nil {
		return err
	}
	alone := time.AfterFunc(life.first, life.over)
	defer alone.Stop()
	var mu sync.Mutex
	callers := 0
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			if !admitted(conn, token) {
				return
			}
			mu.Lock()
			callers++
			alone.Stop()
			mu.Unlock()
			server.ServeConn(conn)
			mu.Lock()
			if callers--; callers == 0 {
				alone.Reset(life.later)
			}
			mu.Unlock()
		}()
	}
}

// at is where a path of the target's is for this process.
func (a *Agent) at(path string) string { return filepath.Join(a.root, path) }

func admitted(conn net.Conn, token string) bool {
	_ = conn.SetDeadline(time.Now().Add(tokenLimit))
	got := make([]byte, len(token))
	if _, err := io.ReadFull(conn, got); err != nil {
		return false
	}
	_ = conn.SetDeadline(time.Time{})
	return subtle.ConstantTimeCompare(got, []byte(token)) == 1
}

// None stands for "no argument" and "no answer" in remote calls.
type None struct{}

// UnpackRequest lays an archive over Root.
type UnpackRequest struct {
	Archive []byte
	Root    string
}

// Unpack lays a tar archive over a root.
func (a *Agent) Unpack(req UnpackRequest, _ *None) error {
	return unpack(req.Archive, a.at(req.Root))
}

// Run runs a command to its end.
func (a *Agent) Run(req RunRequest, res *RunResult) error {
	*res = run(req)
	return nil
}

// AddUsers appends accounts to the target.
func (a *Agent) AddUsers(users []User, _ *None) error { return addUsers(a.at("/"), users) }

// WalkRequest lists a tree of at most Limit files.
type WalkRequest struct {
	Root  string
	Limit int
}

// Walk lists a tree.
func (a *Agent) Walk(req WalkRequest, list *[]Entry) (err error) {
	*list, err = walk(a.at(req.Root), req.Limit)
	a.named(*list)
	return err
}

// ReadDir lists a directory, in the order of names.
func (a *Agent) ReadDir(path string, list *[]Entry) (err error) {
	*list, err = readDir(a.at(path))
	a.named(*list)
	return err
}

// ReadFiles lists a directory, in the order of names, and reads its regular files that
// are small. Whoever reads a configuration reads them all, some hundred times in a run.
func (a *Agent) ReadFiles(path string, list *[]File) error {
	entries, err := readDir(a.at(path))
	if err != nil {
		return err
	}
	a.named(entries)
	for _, e := range entries {
		f := File{Entry: e}
		if e.Mode.IsRegular() && e.Size <= smallFile {
			// One that cannot be read is asked for by its name, and that tells why.
			f.Text, err = a.texts.read(a.at(e.Path))
			f.Read = err == nil
		}
		*list = append(*list, f)
	}
	return nil
}

// Stat is lstat of one path.
func (a *Agent) Stat(path string, e *Entry) (err error) {
	*e, err = stat(a.at(path))
	e.Path = path
	return err
}

// named gives entries the paths that the caller knows them by.
func (a *Agent) named(list []Entry) {
	for i := range list {
		list[i].Path = filepath.Join("/", strings.TrimPrefix(list[i].Path, a.root))
	}
}

// ReadRequest reads at most Max bytes from Offset; 0 means 16 MiB.
type ReadRequest struct {
	Path   string
	Offset int64
	Max    int64
}

// ReadFile reads a file, or a part of it.
func (a *Agent) ReadFile(req ReadRequest, text *[]byte) error {
	if whole := req.Offset == 0 && (req.Max == 0 || req.Max > smallFile); whole {
		small, err := a.texts.read(a.at(req.Path))
		if err == nil {
			*text = small
			return nil
		}
	}
	f, _, err := openRegular(a.at(req.Path))
	if err != nil {
		return err
	}
	defer f.Close()
	if req.Max == 0 {
		req.Max = 16 << 20
	}
	if req.Offset > 0 {
		if _, err := f.Seek(req.Offset, io.SeekStart); err != nil {
			return err
		}
	}
	*text, err = io.ReadAll(io.LimitReader(f, req.Max))
	return err
}

// WriteRequest replaces a file.
type WriteRequest struct {
	Path string
	Text []byte
	Mode os.FileMode
}

// WriteFile replaces a file by rename; a link at the path is replaced, not followed.
func (a *Agent) WriteFile(req WriteRequest, _ *None) error {
	path := a.at(req.Path)
	if err := writeWhole(path, bytes.NewReader(req.Text)); err != nil {
		return err
	}
	return os.Chmod(path, req.Mode)
}

// Snapshot looks at every process and socket.
func (a *Agent) Snapshot(_ None, s *Snapshot) (err error) {
	*s, err = process.Read("/proc")
	return err
}

// SignalRequest signals one process.
type SignalRequest struct {
	PID    int
	Signal syscall.Signal
}

// Signal signals a process.
func (a *Agent) Signal(req SignalRequest, _ *None) error {
	if req.PID <= 1 {
		return errors.New("not a process of the subject's")
	}
	return syscall.Kill(req.PID, req.Signal)
}

// Syslog takes /dev/log if nobody serves it; the answer says whether it did.
func (a *Agent) Syslog(_ None, supplied *bool) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.log != nil {
		*supplied = true
		return nil
	}
	s, err := listenSyslog(a.at(DevLog))
	a.log = s
	*supplied = s != nil
	return err
}

// SyslogReplaced says that another program serves /dev/log.
func (a *Agent) SyslogReplaced(_ None, replaced *bool) error {
	a.mu.Lock()
	log := a.log
	a.mu.Unlock()
	*replaced = log.replaced()
	return nil
}

// Messages are what arrived at our /dev/log from the n-th on.
func (a *Agent) Messages(n int, list *[]SyslogMessage) error {
	a.mu.Lock()
	log := a.log
	a.mu.Unlock()
	*list = log.since(n)
	return nil
}
