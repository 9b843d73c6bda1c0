package observe

import (
	"context"
	"errors"
	"io/fs"
	"syscall"
	"time"

	"qmconformance/harness/agent"
	"qmconformance/harness/requirement"
	"qmconformance/harness/target"
	"qmconformance/harness/xinetd"
)

// initScript is what an administrator starts and stops xinetd with where no
// systemd runs. Source: Debian's xinetd, debian/xinetd.init.
const initScript = "/etc/init.d/xinetd"

// InitScripted is what the init script does, one action after the other.
type InitScripted struct {
	// Missing says that there is no such script.
	Missing bool
	// Start is the first start, Serves a connection after it.
	Start  agent.RunResult
	Serves map[requirement.Service]Visit

	// Reload is with an attribute changed; Changed are the sessions that were
	// opened after it, Reloaded how an open one fared.
	Reload   agent.RunResult
	Changed  map[requirement.Service]Visit
	Reloaded map[requirement.Service]*Standing

	// Restart is with sessions open and others in TIME_WAIT.
	Restart agent.RunResult
	// Left is what was on the ports then.
	Left      map[requirement.Service]Onlookers
	Standing  map[requirement.Service]*Standing
	Restarted map[requirement.Service]Visit
	// Window is the time from the first refused connection to the first that was
	// served again, by service; zero where none was refused.
	Window  map[requirement.Service]time.Duration
	Refused map[requirement.Service]int
	// Before and After are the processes that listened before and after it.
	Before, After []int
	// Log is what xinetd logged from the restart on.
	Log []xinetd.Record

	// Stop is the last action; Closed says that the port was closed after it.
	Stop   agent.RunResult
	Closed map[requirement.Service]bool
}

// scriptLimit is for one action: the script itself takes some 0.1 s.
const scriptLimit = 10 * time.Second

// InitScript has the init script do what it is for.
var InitScript = &Look[InitScripted]{
	Name: "init-script", Takes: 500 * time.Millisecond, Stage: WithProbe, Last: true, Limit: 90 * time.Second,
	Take: func(ctx context.Context, s *Scene) (InitScripted, error) {
		f := InitScripted{
			Reloaded: map[requirement.Service]*Standing{}, Standing: map[requirement.Service]*Standing{},
		}
		if _, err := s.Stat(ctx, initScript); errors.Is(err, fs.ErrNotExist) {
			f.Missing = true
			return f, nil
		}
		if _, err := s.StopXinetd(ctx, syscall.SIGKILL); err != nil {
			return f, err
		}
		err := f.run(ctx, s)
		return f, errors.Join(err, afresh(ctx, s))
	},
}

func (f *InitScripted) run(ctx context.Context, s *Scene) (err error) {
	if f.Start, err = action(ctx, s, "start"); err != nil {
		return err
	}
	if err := awaitListeners(ctx, s); err != nil {
		return err
	}
	f.Serves = visits(ctx, s, "started")
	if err := f.reload(ctx, s); err != nil {
		return err
	}
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
	if err := f.restart(ctx, s); err != nil {
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
	if err != nil {
		return err
	}
	return f.stop(ctx, s)
}

// reload changes the umask, which no session but a new one can show.
func (f *InitScripted) reload(ctx context.Context, s *Scene) error {
	open := hold(ctx, s, f.Reloaded)
	defer open.end(ctx, s, "reload-held")
	edition, err := editBoth(ctx, s, Setting{"umask", changedUmask})
	if err != nil {
		return err
	}
	mark, err := s.MarkLog(ctx)
	if err == nil {
		f.Reload, err = action(ctx, s, "reload")
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

// restart dials all the while, to see how long nobody is served.
func (f *InitScripted) restart(ctx context.Context, s *Scene) error {
	through, err := dialThrough(ctx, s, func() (agent.RunResult, error) { return action(ctx, s, "restart") })
	f.Restart, f.Restarted, f.Window, f.Refused = through.Result, through.After, through.Window, through.Refused
	return err
}

func (f *InitScripted) stop(ctx context.Context, s *Scene) error {
	var err error
	if f.Stop, err = action(ctx, s, "stop"); err != nil {
		return err
	}
	f.Closed, err = awaitClosed(ctx, s, "stopped")
	return err
}

func action(ctx context.Context, s *Scene, verb string) (agent.RunResult, error) {
	res, err := s.Run(ctx, agent.RunRequest{Argv: []string{initScript, verb}, Limit: scriptLimit})
	s.Evidence.Text("init-script-"+verb, res.Output)
	return res, err
}

// awaitListeners waits until both ports are open, or no longer.
func awaitListeners(ctx context.Context, s *Scene) error {
	for began := time.Now(); time.Since(began) < startLimit; {
		snap, err := s.Snapshot(ctx)
		if err != nil {
			return err
		}
		open := 0
		for _, port := range s.Ports {
			if len(snap.Listeners(port)) > 0 {
				open++
			}
		}
		if open == len(s.Ports) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(gonePoll):
		}
	}
	return nil
}

// editBoth sets attributes of both services, as far as they are defined.
func editBoth(ctx context.Context, s *Scene, settings ...Setting) (*target.Edition, error) {
	config, _, err := s.Configuration(ctx)
	if err != nil {
		return nil, err
	}
	var changes []xinetd.Change
	for _, service := range requirement.NetworkServices {
		if !defined(config, service) {
			continue
		}
		for _, one := range settings {
			changes = append(changes, xinetd.Set(string(service), one.Attribute, one.Value))
		}
	}
	return s.Edit(ctx, changes...)
}
