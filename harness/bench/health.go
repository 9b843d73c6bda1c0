package bench

import (
	"context"
	"fmt"
	"strings"
	"time"

	"qmconformance/harness/process"
)

// inventory is what a target holds: processes, and places taken in the database.
type inventory struct {
	users     int
	processes map[[2]uint64]bool
}

// Before notes what is in the subject's target before anything is measured.
func (s *Session) Before(ctx context.Context) (inventory, error) {
	users, err := s.users(ctx)
	if err != nil {
		return inventory{}, err
	}
	snap, err := s.B.Target.Snapshot(ctx)
	if err != nil {
		return inventory{}, err
	}
	inv := inventory{users: users, processes: map[[2]uint64]bool{}}
	for _, p := range snap.Processes {
		inv.processes[[2]uint64{uint64(p.PID), p.StartTime}] = true
	}
	s.Doc.Health.UsersBefore = users
	return inv, nil
}

// settleLimit is how long what was measured last may take to be gone: a session
// that hangs up takes a second.
const settleLimit = 5 * time.Second

// After looks for what was left: a session that still runs, or a place that is
// still taken. It does not look at helpers of our own, which the end of the target
// ends.
func (s *Session) After(ctx context.Context, before inventory) error {
	h := &s.Doc.Health
	for began := time.Now(); ; {
		users, err := s.users(ctx)
		if err != nil {
			return err
		}
		snap, err := s.B.Target.Snapshot(ctx)
		if err != nil {
			return err
		}
		h.UsersAfter, h.Left = users, nil
		for _, p := range snap.Processes {
			if !before.processes[[2]uint64{uint64(p.PID), p.StartTime}] && s.isSession(p) {
				h.Left = append(h.Left, fmt.Sprintf("%s (pid %d, state %s, %d ticks of processor time)", strings.Join(p.Args, " "), p.PID, p.State, p.CPUTicks))
			}
		}
		h.Whole = h.UsersAfter <= h.UsersBefore && len(h.Left) == 0
		if h.Whole {
			return nil
		}
		if time.Since(began) > settleLimit {
			return fmt.Errorf("the benchmark left something behind: %d places are taken where %d were, and %d sessions run: %s",
				h.UsersAfter, h.UsersBefore, len(h.Left), strings.Join(h.Left, "; "))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// isSession says whether a process is a qm, which a helper of ours is not, nor is
// the database's own daemon, which was there before.
func (s *Session) isSession(p process.Process) bool {
	return p.Exe == s.B.Target.QM() || p.Comm == "qm"
}

// users counts the places that are taken in the database.
func (s *Session) users(ctx context.Context) (int, error) {
	res, err := s.B.Target.Command(ctx, s.B.Target.QM(), "-u")
	if err != nil {
		return 0, err
	}
	if !res.OK() || !strings.HasPrefix(strings.TrimSpace(res.Output), "Uid") {
		return 0, fmt.Errorf("qm -u: exit %d: %s", res.Exit, strings.TrimSpace(res.Output))
	}
	n := 0
	for line := range strings.Lines(res.Output) {
		if line = strings.TrimSpace(line); line != "" && line[0] >= '0' && line[0] <= '9' {
			n++
		}
	}
	return n, nil
}
