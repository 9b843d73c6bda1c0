package observe

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"qmconformance/harness/agent"
	"qmconformance/harness/process"
	"qmconformance/harness/requirement"
	"qmconformance/harness/target"
)

// Neighbour is one of several sessions that are open at the same time.
type Neighbour struct {
	User     string
	LoggedIn bool
	Said     string
	Served   Served
	// Answer is what a command printed while the super-server was stopped.
	Answer string
}

// Neighboured is several sessions at once.
type Neighboured struct {
	Service  requirement.Service
	Sessions []Neighbour
	// Stopped says that the super-server was stopped in fact, as the kernel has it.
	Stopped bool
	// Continued says that it ran on afterwards.
	Continued bool
}

// neighbours is how many users a set-up must have room for at least.
var neighbours = []agent.User{target.Carol, target.Dave, target.Alice}

// Neighbours opens sessions side by side, stops the super-server, and sees
// whether they go on.
var Neighbours = &Look[Neighboured]{
	Name: "neighbours", Takes: 300 * time.Millisecond, Stage: AsShipped, Each: true,
	Limit: 90 * time.Second,
	Take: func(ctx context.Context, s *Scene) (Neighboured, error) {
		f := Neighboured{Service: s.Service}
		var open []*Session
		defer func() {
			for i, o := range open {
				o.Close(ctx, s, fmt.Sprintf("%s-%s", s.Service, neighbours[i].Name))
			}
		}()
		for _, user := range neighbours {
			o := OpenSession(ctx, s, user)
			open = append(open, o)
			f.Sessions = append(f.Sessions, Neighbour{User: user.Name, LoggedIn: o.LoggedIn, Said: o.Said})
		}
		snap, err := s.Snapshot(ctx)
		if err != nil {
			return f, err
		}
		s.Evidence.Snapshot("side-by-side", snap)
		for i, o := range open {
			f.Sessions[i].Served.fill(snap, o.conn, s.Startup.Xinetd.Daemon.PID)
		}
		return f, f.withoutSuperServer(ctx, s, open)
	},
}

// withoutSuperServer runs a command in each session while xinetd is stopped.
func (f *Neighboured) withoutSuperServer(ctx context.Context, s *Scene, open []*Session) error {
	pid := s.Startup.Xinetd.Daemon.PID
	if err := s.Signal(ctx, pid, syscall.SIGSTOP); err != nil {
		return err
	}
	// Whatever happens, it must run again: other looks take their turn after this.
	defer func() { _ = s.Signal(context.WithoutCancel(ctx), pid, syscall.SIGCONT) }()
	var err error
	if f.Stopped, err = reaches(ctx, s, pid, "T"); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(noticeTime):
	}
	for i, o := range open {
		if !o.LoggedIn {
			continue
		}
		answered, cancel := context.WithTimeout(ctx, answerLimit)
		f.Sessions[i].Answer = o.Execute(answered, "WHO")
		late := answered.Err() != nil
		cancel()
		if late {
			break // one that is held up is enough to know, and the others would be, too
		}
	}
	if err := s.Signal(ctx, pid, syscall.SIGCONT); err != nil {
		return err
	}
	f.Continued, err = reaches(ctx, s, pid, "S")
	return err
}

// noticeTime is for what watches the super-server: on a busy machine it would see
// the stop only after three commands had been answered, each in a millisecond.
const noticeTime = 200 * time.Millisecond

// answerLimit is for the answer to a command that takes a millisecond, from a
// session that somebody may have stopped.
const answerLimit = 5 * time.Second

// stateLimit is how long a signal may take to show in a process's state.
const stateLimit = 2 * time.Second

// reaches waits until a process is in a state.
func reaches(ctx context.Context, s *Scene, pid int, state string) (bool, error) {
	var p process.Process
	for began := time.Now(); time.Since(began) < stateLimit; {
		snap, err := s.Snapshot(ctx)
		if err != nil {
			return false, err
		}
		if p, _ = snap.Process(pid); p.State == state {
			return true, nil
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(gonePoll):
		}
	}
	return false, nil
}
