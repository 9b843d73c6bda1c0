package agent

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net"
	"net/rpc"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

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
	mu     sync.Mutex
	log    *syslogSocket
	xinetd *daemon
	links  linkTable
	// watched counts executions, ident is this host's identity server.
	watched watches
	ident   identServer
}

// Serve answers callers until the lease runs out. It returns an exit status.
func Serve() int {
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
	a := &Agent{}
	server := rpc.NewServer()
	if err := server.Register(a); err != nil {
		fmt.Fprintln(os.Stderr, "agent:", err)
		return 1
	}
	lease := time.AfterFunc(FirstCall, func() { os.Exit(0) })
	var mu sync.Mutex
	callers := 0
	for {
		conn, err := l.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, "agent:", err)
			return 1
		}
		go func() {
			defer conn.Close()
			if !admitted(conn, token) {
				return
			}
			mu.Lock()
			callers++
			lease.Stop()
			mu.Unlock()
			server.ServeConn(conn)
			mu.Lock()
			if callers--; callers == 0 {
				lease.Reset(Lease)
			}
			mu.Unlock()
		}()
	}
}

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
func (a *Agent) Unpack(req UnpackRequest, _ *None) error { return unpack(req.Archive, req.Root) }

// Run runs a command to its end.
func (a *Agent) Run(req RunRequest, res *RunResult) error {
	*res = run(req)
	return nil
}

// AddUsers appends accounts to the target.
func (a *Agent) AddUsers(users []User, _ *None) error { return addUsers(users) }

// WalkRequest lists a tree of at most Limit files.
type WalkRequest struct {
	Root  string
	Limit int
}

// Walk lists a tree.
func (a *Agent) Walk(req WalkRequest, list *[]Entry) (err error) {
	*list, err = walk(req.Root, req.Limit)
	return err
}

// ReadDir lists a directory, in the order of names.
func (a *Agent) ReadDir(path string, list *[]Entry) (err error) {
	*list, err = readDir(path)
	return err
}

// Stat is lstat of one path.
func (a *Agent) Stat(path string, e *Entry) (err error) {
	*e, err = stat(path)
	return err
}

// ReadRequest reads at most Max bytes from Offset; 0 means 16 MiB.
type ReadRequest struct {
	Path   string
	Offset int64
	Max    int64
}

// ReadFile reads a file, or a part of it.
func (a *Agent) ReadFile(req ReadRequest, text *[]byte) error {
	f, err := os.Open(req.Path)
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
	if err := writeWhole(req.Path, bytes.NewReader(req.Text)); err != nil {
		return err
	}
	return os.Chmod(req.Path, req.Mode)
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
	s, err := listenSyslog(DevLog)
	a.log = s
	*supplied = s != nil
	return err
}

// Messages are what arrived at our /dev/log from the n-th on.
func (a *Agent) Messages(n int, list *[]SyslogMessage) error {
	a.mu.Lock()
	log := a.log
	a.mu.Unlock()
	*list = log.since(n)
	return nil
}
