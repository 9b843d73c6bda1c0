// Package reaper leaves nothing behind. Everything that a run creates in Docker
// carries the labels of its [Session]; a second process removes what carries them
// when the run ends, however it ends, and [Sweep] removes at the next start what
// even that process could not (power loss, a reaper that was killed too).
//
// The second process is the same binary, started once more with an environment
// variable. Importing this package is enough for that: its init function takes
// over before main, so that no program can start itself in full by mistake.
package reaper

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/moby/moby/client"
)

// Reaper is the second process, seen from the run.
type Reaper struct {
	session Session
	remover remover
	cmd     *exec.Cmd
	// guard is the container of the third process; empty where the run is in none.
	guard  string
	alive  *os.File // write end; its closing, by whatever cause, is the child's signal
	exited chan error
	once   sync.Once
	left   []Leftover
	err    error
}

// Start starts the reaper of a session and returns when it is on duty.
// Call it before the first object is created. The child has a session of its own
// (no signal of the terminal or of the process group reaches it), no standard
// streams (nobody waits for it by reading them), and serves the daemon that docker talks to.
func Start(session Session, docker *client.Client) (*Reaper, error) {
	return start(session, docker, defaultLimits)
}

func start(session Session, docker *client.Client, lim limits) (*Reaper, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("start reaper: %w", err)
	}
	guard := ""
	if session.Box != nil {
		if guard, err = startGuard(session, docker, lim); err != nil {
			return nil, fmt.Errorf("start a reaper beside this container: %w", err)
		}
	}
	r, err := startChild(self, session, docker, guard, lim)
	if err != nil && guard != "" {
		removeGuard(docker, guard, lim)
	}
	return r, err
}

func startChild(self string, session Session, docker *client.Client, guard string, lim limits) (*Reaper, error) {
	duty, err := json.Marshal(childDuty{Session: session.ID, Limits: lim, Guard: guard})
	if err != nil {
		return nil, fmt.Errorf("start reaper: %w", err)
	}
	aliveR, aliveW, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start reaper: %w", err)
	}
	defer aliveR.Close()
	readyR, readyW, err := os.Pipe()
	if err != nil {
		aliveW.Close()
		return nil, fmt.Errorf("start reaper: %w", err)
	}
	defer readyR.Close()

	cmd := exec.Command(self)
	cmd.Args = []string{"qmconformance-reaper", session.ID}
	cmd.Env = append(os.Environ(), dutyVariable+"="+string(duty), client.EnvOverrideHost+"="+docker.DaemonHost())
	cmd.ExtraFiles = []*os.File{aliveR, readyW} // fds aliveFD and readyFD
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	readyW.Close()
	if err != nil {
		aliveW.Close()
		return nil, fmt.Errorf("start reaper: %w", err)
	}
	r := &Reaper{
		session: session, remover: remover{docker, lim}, guard: guard,
		cmd: cmd, alive: aliveW, exited: make(chan error, 1),
	}
	go func() { r.exited <- cmd.Wait() }()

	// A child that dies closes its end, so this read ends at once in every case but a hang.
	_ = readyR.SetReadDeadline(time.Now().Add(lim.Ready))
	if n, err := readyR.Read(make([]byte, 1)); n != 1 {
		_ = cmd.Process.Kill()
		aliveW.Close()
		return nil, fmt.Errorf("start reaper: it did not report for duty: %w", err)
	}
	return r, nil
}

// Stop is the orderly end: it removes everything of the session and dismisses
// the second process. What could not be removed is returned, and is left to the
// second process, which goes on trying after this process has ended.
// A second call returns what the first one did.
func (r *Reaper) Stop(ctx context.Context) ([]Leftover, error) {
	r.once.Do(func() { r.left, r.err = r.stop(ctx) })
	return r.left, r.err
}

func (r *Reaper) stop(ctx context.Context) ([]Leftover, error) {
	defer r.alive.Close()
	ctx, cancel := context.WithTimeout(ctx, r.remover.limits.Stop)
	defer cancel()
	var left []Leftover
	for {
		seen, l, err := r.remover.session(ctx, r.session.ID)
		if err != nil {
			return l, err
		}
		left = l
		if seen == 0 {
			break
		}
		// Look again at once: an object may have appeared behind the list. What
		// resists is not asked twice, the second process does that.
		if len(left) > 0 {
			return left, nil
		}
	}
	if r.guard != "" {
		removeGuard(r.remover.docker, r.guard, r.remover.limits)
	}
	if _, err := r.alive.Write([]byte{dismissed}); err != nil {
		return nil, fmt.Errorf("dismiss reaper: %w", err)
	}
	select {
	case <-r.exited:
	case <-ctx.Done():
		return nil, fmt.Errorf("dismiss reaper: %w", ctx.Err())
	}
	return nil, nil
}

// Err reports that the second process has died before its time, nil while it is on duty.
func (r *Reaper) Err() error {
	select {
	case err := <-r.exited:
		r.exited <- err
		return errors.Join(errors.New("the reaper process has ended before the run"), err)
	default:
		return nil
	}
}
