package agent

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"qmconformance/harness/process"
)

// How often readiness is looked at. xinetd is ready, and logs it, some ten milliseconds
// after its start. A look at the log costs next to nothing; its sockets, which tell
// where the log doesn't, cost half a millisecond of a processor.
const (
	readyPoll     = 2 * time.Millisecond
	listenersPoll = 25 * time.Millisecond
)

// settle is how long the set of listening sockets must have stayed the same
// where no log line says that xinetd is ready: it opens them all within a
// millisecond (service by service, in one loop).
const settle = 250 * time.Millisecond

// stopGrace is how long xinetd may take to leave after a signal that it may
// handle. It closes its listeners and exits within a few milliseconds.
const stopGrace = 2 * time.Second

// StartRequest starts the super-server.
type StartRequest struct {
	Argv []string
	// Ready is how long it may take until it is ready.
	Ready time.Duration
}

// Readiness says how a start ended.
type Readiness struct {
	Daemon Daemon
	// Line is the log line that said it was ready, if one came.
	Line string
	// Listeners are the sockets that it listens on.
	Listeners []process.Socket
	// Ready is false when the limit ran out or the process ended first.
	Ready  bool
	Waited time.Duration
}

// StartXinetd starts the super-server and waits until it says that it is ready,
// or listens; it never connects, since each connection starts a server.
func (a *Agent) StartXinetd(req StartRequest, res *Readiness) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.xinetd != nil && a.xinetd.status().Running {
		return errors.New("xinetd runs already")
	}
	if len(req.Argv) == 0 {
		return errors.New("no command given")
	}
	if _, err := exec.LookPath(req.Argv[0]); err != nil {
		return err
	}
	seen := len(a.log.since(0))
	began := time.Now()
	d, err := startDaemon(req.Argv)
	if err != nil {
		// The subject's program cannot be executed: a fact about it, not a failure
		// of the call.
		res.Daemon = Daemon{Exit: err.Error()}
		return nil
	}
	a.xinetd = d
	looked, stableSince, stable := began, began, -1
	for time.Since(began) < req.Ready {
		state := d.status()
		for _, m := range a.log.since(seen) {
			if strings.Contains(m.Raw, "Started working:") {
				res.Line = m.Raw
			}
		}
		if decided := !state.Running || res.Line != ""; decided || time.Since(looked) >= listenersPoll {
			looked = time.Now()
			// What cannot be read now is tried again until the limit.
			res.Listeners, _ = process.Listeners("/proc", state.PID)
			if len(res.Listeners) != stable {
				stable, stableSince = len(res.Listeners), looked
			}
		}
		quiet := stable > 0 && time.Since(stableSince) >= settle
		if !state.Running || res.Line != "" || quiet {
			res.Ready = state.Running
			break
		}
		select {
		case <-d.done:
		case <-time.After(readyPoll):
		}
	}
	res.Daemon = d.status()
	res.Waited = time.Since(began)
	return nil
}

// StopXinetd ends the super-server by a signal, and by SIGKILL when it has not
// left within the grace. What it leaves behind (pid file, sessions) is untouched.
func (a *Agent) StopXinetd(sig syscall.Signal, res *Daemon) error {
	a.mu.Lock()
	d := a.xinetd
	a.mu.Unlock()
	if d == nil {
		return errors.New("xinetd was not started")
	}
	state := d.status()
	if state.Running {
		if err := syscall.Kill(state.PID, sig); err != nil {
			return err
		}
		// A stopped process handles no signal but SIGKILL until it is continued.
		_ = syscall.Kill(state.PID, syscall.SIGCONT)
		select {
		case <-d.done:
		case <-time.After(stopGrace):
			_ = syscall.Kill(state.PID, syscall.SIGKILL)
			<-d.done
		}
	}
	*res = d.status()
	return nil
}

// XinetdState is how the super-server fares.
func (a *Agent) XinetdState(_ None, res *Daemon) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.xinetd == nil {
		return errors.New("xinetd was not started")
	}
	*res = a.xinetd.status()
	return nil
}

// Listeners are the sockets that the super-server listens on now.
func (a *Agent) Listeners(_ None, res *[]process.Socket) (err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.xinetd == nil {
		return errors.New("xinetd was not started")
	}
	*res, err = process.Listeners("/proc", a.xinetd.status().PID)
	return err
}

// ReplaceRequest puts a program in another's place.
type ReplaceRequest struct{ Path, With string }

// Replace puts the file With at Path, keeping Path's owner and mode; what was
// there is kept beside it and its name returned. Programs that run from it go on.
func (a *Agent) Replace(req ReplaceRequest, kept *string) error {
	path := a.at(req.Path)
	old, err := stat(path)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(a.at(req.With))
	if err != nil {
		return err
	}
	*kept = req.Path + ".replaced"
	if err := os.Rename(path, a.at(*kept)); err != nil {
		return err
	}
	if err := os.WriteFile(path, text, 0o700); err != nil {
		return err
	}
	if err := os.Chown(path, int(old.UID), int(old.GID)); err != nil {
		return err
	}
	return os.Chmod(path, old.Mode.Perm())
}
