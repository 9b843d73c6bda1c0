package agent

import (
	"bytes"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// plainEnv is what a program sees that the system's init starts: no HOME, no
// terminal, nothing of whoever runs the harness.
var plainEnv = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "PWD=/", "LANG="}

// cappedBuffer keeps the first OutputCap bytes and forgets the rest, so that a
// program that floods its output costs nothing.
type cappedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *cappedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if room := OutputCap - b.buf.Len(); room > 0 {
		b.buf.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

func (b *cappedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// drainGrace is how long the output of a command that has ended is waited for.
// A daemon that it started may hold the pipe open for good; what it writes later
// is read and dropped, so that it never blocks on it.
const drainGrace = 20 * time.Millisecond

// capture gives a program one pipe for both of its output channels, and reads it
// until every holder has closed it. Not the agent's own descriptors, and not a
// writer that exec would wait for.
func capture(cmd *exec.Cmd) (out *cappedBuffer, drained <-chan struct{}, started func(), err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, nil, err
	}
	cmd.Stdout, cmd.Stderr = w, w
	out = &cappedBuffer{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer r.Close()
		buf := make([]byte, 32<<10)
		for {
			n, err := r.Read(buf)
			_, _ = out.Write(buf[:n])
			if err != nil {
				return
			}
		}
	}()
	return out, done, func() { w.Close() }, nil
}

// run runs a command in a process group of its own, so that a limit ends
// whatever it started as well.
func run(req RunRequest) RunResult {
	if len(req.Argv) == 0 {
		return RunResult{Exit: -1, StartError: "no command given"}
	}
	cmd := exec.Command(req.Argv[0], req.Argv[1:]...)
	cmd.Dir = "/"
	if req.Dir != "" {
		cmd.Dir = req.Dir
	}
	cmd.Env = append(append([]string{}, plainEnv...), req.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if req.UID != 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: req.UID, Gid: req.GID}
	}
	out, drained, started, err := capture(cmd)
	if err != nil {
		return RunResult{Exit: -1, StartError: err.Error()}
	}
	began := time.Now()
	err = cmd.Start()
	started()
	if err != nil {
		return RunResult{Exit: -1, StartError: err.Error(), Duration: time.Since(began)}
	}
	var expired sync.Once
	timedOut := false
	timer := time.AfterFunc(req.Limit, func() {
		expired.Do(func() { timedOut = true })
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	})
	_ = cmd.Wait() // its state says it all
	timer.Stop()
	expired.Do(func() {}) // from here on timedOut is settled
	select {
	case <-drained:
	case <-time.After(drainGrace):
	}
	res := RunResult{Exit: cmd.ProcessState.ExitCode(), TimedOut: timedOut, Output: out.String(), Duration: time.Since(began)}
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		res.Signal = ws.Signal().String()
	}
	return res
}

// daemon is a program that the agent started and watches: xinetd, or whatever
// stands in its place.
type daemon struct {
	mu    sync.Mutex
	state Daemon
	out   *cappedBuffer
	done  chan struct{}
}

// startDaemon starts a program in a session of its own, as an init would.
func startDaemon(argv []string) (*daemon, error) {
	d := &daemon{done: make(chan struct{})}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = "/"
	cmd.Env = plainEnv
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	// What a daemon says on stderr before it can log is often the only trace of
	// why it gave up.
	out, _, started, err := capture(cmd)
	if err != nil {
		return nil, err
	}
	d.out = out
	err = cmd.Start()
	started()
	if err != nil {
		return nil, err
	}
	d.state = Daemon{PID: cmd.Process.Pid, Running: true, Started: time.Now()}
	go func() {
		err := cmd.Wait()
		d.mu.Lock()
		d.state.Running = false
		d.state.Exit = "exit status 0"
		if err != nil {
			d.state.Exit = err.Error()
		}
		d.mu.Unlock()
		close(d.done)
	}()
	return d, nil
}

func (d *daemon) status() Daemon {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.state
	s.Output = d.out.String()
	return s
}
