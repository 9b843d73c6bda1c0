package observe

import (
	"context"
	"errors"
	"strings"

	"qmconformance/harness/agent"
	"qmconformance/harness/requirement"
	"qmconformance/harness/xinetd"
)

// manager is what an administrator handles xinetd with: the init script, or systemd.
type manager func(ctx context.Context, s *Scene, verb string) (agent.RunResult, error)

// Reloading is a reload by a manager, with an attribute changed.
type Reloading struct {
	Reload agent.RunResult
	// Changed are the sessions that were opened after it, Reloaded how an open one
	// fared.
	Changed  map[requirement.Service]Visit
	Reloaded map[requirement.Service]*Standing
}

// Restarting is a restart by a manager, with sessions open and others in TIME_WAIT.
type Restarting struct {
	Restart Interrupted
	// Left is what was on the ports then.
	Left     map[requirement.Service]Onlookers
	Standing map[requirement.Service]*Standing
	// Before and After are the processes that listened before and after it.
	Before, After []int
	// Log is what xinetd logged from the restart on.
	Log []xinetd.Record
	// Overtaken tells of a restart before it whose start came before the end of the old
	// xinetd, so that there was none in the end, or one that could bind nothing. Debian's
	// init script does not wait for that end, and on a busy machine it is too early now
	// and then. Empty where there was no such restart.
	Overtaken string
}

// by changes the umask, which no session but a new one can show.
func (f *Reloading) by(ctx context.Context, s *Scene, do manager) error {
	f.Reloaded = map[requirement.Service]*Standing{}
	open := hold(ctx, s, f.Reloaded)
	defer open.end(ctx, s, "reload-held")
	edition, err := editBoth(ctx, s, Setting{"umask", changedUmask})
	if err != nil {
		return err
	}
	mark, err := s.MarkLog(ctx)
	if err == nil {
		f.Reload, err = do(ctx, s, "reload")
	}
	if err == nil {
		_, err = s.AwaitLog(ctx, mark, reconfigured)
	}
	if err == nil {
		f.Changed = visits(ctx, s, "reloaded")
		open.answer(ctx, f.Reloaded)
	}
	return errors.Join(err, edition.Undo(ctx))
}

// by restarts once more where the start overtook the stop, with all that belongs to a
// restart: what comes of that is judged, since a manager that always starts too early does
// so again.
func (f *Restarting) by(ctx context.Context, s *Scene, do manager) error {
	if err := f.once(ctx, s, do); err != nil {
		return err
	}
	told, ok := f.overtaken()
	if !ok {
		return nil
	}
	// Not by a restart: that is what may never do.
	for _, verb := range []string{"stop", "start"} {
		if _, err := do(ctx, s, verb); err != nil {
			return err
		}
	}
	if err := awaitListeners(ctx, s); err != nil {
		return err
	}
	snap, err := s.Snapshot(ctx)
	if err != nil {
		return err
	}
	if len(listenersOf(snap, s)) == 0 {
		return nil
	}
	*f = Restarting{Overtaken: told}
	return f.once(ctx, s, do)
}

// overtaken says by which words a start was too early: start-stop-daemon found the old
// xinetd, or the new one found the port still bound. Nobody listens then.
func (f *Restarting) overtaken() (told string, ok bool) {
	if len(f.After) > 0 {
		return "", false
	}
	for line := range strings.Lines(f.Restart.Result.Output) {
		if strings.Contains(line, "failed") {
			return strings.TrimSpace(line), true
		}
	}
	for _, record := range f.Log {
		if strings.Contains(record.Text, "failed") {
			return record.Text, true
		}
	}
	return "", false
}

// once dials all the while, to see how long nobody is served.
func (f *Restarting) once(ctx context.Context, s *Scene, do manager) error {
	f.Standing = map[requirement.Service]*Standing{}
	open := hold(ctx, s, f.Standing)
	defer open.end(ctx, s, "restart-held")
	snap, err := s.Snapshot(ctx)
	if err != nil {
		return err
	}
	f.Before, f.Left = listenersOf(snap, s), onlookers(snap, s)
	mark, err := s.MarkLog(ctx)
	if err != nil {
		return err
	}
	f.Restart, err = dialThrough(ctx, s, func() (agent.RunResult, error) { return do(ctx, s, "restart") })
	if err != nil {
		return err
	}
	open.answer(ctx, f.Standing)
	if snap, err = s.Snapshot(ctx); err != nil {
		return err
	}
	f.After = listenersOf(snap, s)
	s.Evidence.Snapshot("restarted", snap)
	log, err := s.ReadLog(ctx, mark)
	f.Log = log.Records
	s.Evidence.Log("restart-xinetd.log", log.Text)
	return err
}
