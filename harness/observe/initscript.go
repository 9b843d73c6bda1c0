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

	Reloading
	Restarting

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
		f := InitScripted{}
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
	if err := f.Reloading.by(ctx, s, action); err != nil {
		return err
	}
	if err := f.Restarting.by(ctx, s, action); err != nil {
		return err
	}
	return f.stop(ctx, s)
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
