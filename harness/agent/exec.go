package agent

import (
	"bytes"
	"errors"
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

// output is the pipe for both output channels of a program. It is not one of the
// agent's own descriptors, and no writer that exec would wait for.
type output struct {
	cappedBuffer
	r, w *os.File
	once sync.Once
	// settled is closed when all that the program had written is read.
	settled chan struct{}
}

// collect gives a program its pipe, and reads that until every holder has closed
// it: what a daemon that was left behind writes is dropped in the end, so that it
// never blocks on it.
func collect(cmd *exec.Cmd) (*output, error) {
	o := &output{settled: make(chan struct{})}
	var err error
	if o.r, o.w, err = os.Pipe(); err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = o.w, o.w
	go o.read()
	return o, nil
}

// started closes our copy of the program's end, once the program has its own.
func (o *output) started() { o.w.Close() }

func (o *output) read() {
	defer o.r.Close()
	defer o.settle()
	buf := make([]byte, 32<<10)
	for {
		n, err := o.r.Read(buf)
		_, _ = o.Write(buf[:n])
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			o.rest(buf)
			o.settle()
		case err != nil:
			return
		}
	}
}

func (o *output) settle() { o.once.Do(func() { close(o.settled) }) }

// pipeSize is how much a pipe of Linux holds unless it is told otherwise
// (pipe(7)): what a program had written when it ended is no more than that.
const pipeSize = 64 << 10

// rest reads what is in the pipe now. Nobody need wait for a grace to be over: the
// program has ended, so that all it wrote is there already.
func (o *output) rest(buf []byte) {
	_ = o.r.SetReadDeadline(time.Time{})
	pipe, err := o.r.SyscallConn()
	if err != nil {
		return
	}
	for got := 0; got < pipeSize; {
		n := 0
		_ = pipe.Read(func(fd uintptr) bool {
			n, err = syscall.Read(int(fd), buf)
			return true // with EAGAIN too: that it is empty is the answer
		})
		if err == syscall.EINTR {
			continue
		}
		if n <= 0 {
			return
		}
		_, _ = o.Write(buf[:n])
		got += n
	}
}

// all is the whole output of a program that has ended.
func (o *output) all() string {
	_ = o.r.SetReadDeadline(time.Unix(1, 0)) // wakes the reader; an error says that it is done
	<-o.settled
	return o.String()
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
	out, err := collect(cmd)
	if err != nil {
		return RunResult{Exit: -1, StartError: err.Error()}
	}
	began := time.Now()
	err = cmd.Start()
	out.started()
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
	res := RunResult{Exit: cmd.ProcessState.ExitCode(), TimedOut: timedOut, Output: out.all(), Duration: time.Since(began)}
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
	out   *output
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
	out, err := collect(cmd)
	if err != nil {
		return nil, err
	}
	d.out = out
	err = cmd.Start()
	out.started()
	if err != nil {
		return nil, err
	}
	d.state = Daemon{PID: cmd.Process.Pid, Running: true, Started: time.Now()}
	go func() {
		err := cmd.Wait()
		// Whoever is told that it has ended is told all that it said, too.
		out.all()
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
