package observe

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"time"

	"qmconformance/harness/requirement"
	"qmconformance/harness/xinetd"
)

// changedUmask is one that no package has reason to use.
const changedUmask = "0037"

// Reload is one SIGHUP to xinetd, with sessions open.
type Reload struct {
	Standing map[requirement.Service]*Standing
	// Left is what was on the ports.
	Left map[requirement.Service]Onlookers
	// Before and After are the listening sockets; During and Later are connections,
	// made between the signal and the end of the reload, and after that.
	Before, After map[requirement.Service]uint64
	During, Later map[requirement.Service]Visit
	// Finished says that xinetd said that it had reloaded; Running that it still
	// runs.
	Finished, Running bool
	Log               []xinetd.Record
}

// Unchanged reloads xinetd with nothing changed, with sessions open and others in
// TIME_WAIT.
var Unchanged = &Look[Reload]{
	Name: "reload-unchanged", Takes: 200 * time.Millisecond, Stage: WithProbe, Last: true, Limit: 60 * time.Second,
	Take: func(ctx context.Context, s *Scene) (Reload, error) {
		if err := afresh(ctx, s); err != nil {
			return Reload{}, err
		}
		visits(ctx, s, "before")
		return reload(ctx, s, "unchanged", nil)
	},
}

// reload opens sessions, has change change the configuration, and reloads.
func reload(ctx context.Context, s *Scene, name string, change func() error) (Reload, error) {
	f := Reload{Standing: map[requirement.Service]*Standing{}}
	open := hold(ctx, s, f.Standing)
	defer open.end(ctx, s, name+"-held")
	if change != nil {
		if err := change(); err != nil {
			return f, err
		}
	}
	snap, err := s.Snapshot(ctx)
	if err != nil {
		return f, err
	}
	f.Before, f.Left = listening(snap, s), onlookers(snap, s)
	mark, err := s.MarkLog(ctx)
	if err != nil {
		return f, err
	}
	if pid := s.Startup.Xinetd.Daemon.PID; pid > 0 {
		// One that has ended gets no signal, which is seen by what it does not do.
		_ = s.Signal(ctx, pid, syscall.SIGHUP)
	}
	f.During = visits(ctx, s, name+"-during")
	log, err := s.AwaitLog(ctx, mark, reconfigured)
	if err != nil {
		return f, err
	}
	f.Finished = reconfigured(log.Records)
	f.Later = visits(ctx, s, name+"-later")
	open.answer(ctx, f.Standing)
	if snap, err = s.Snapshot(ctx); err != nil {
		return f, err
	}
	f.After = listening(snap, s)
	s.Evidence.Snapshot(name+"-reloaded", snap)
	state, err := s.XinetdState(ctx)
	f.Running = state.Running
	log, readErr := s.ReadLog(ctx, mark)
	f.Log = log.Records
	s.Evidence.Log(name+"-xinetd.log", log.Text)
	return f, errors.Join(err, readErr)
}

// reconfigured tells whether xinetd has said that a reload is over.
func reconfigured(records []xinetd.Record) bool {
	for _, r := range xinetd.Messages(records) {
		if strings.HasPrefix(r.Text, "Reconfigured:") {
			return true
		}
	}
	return false
}

// Setting is an attribute of a service and its value.
type Setting struct{ Attribute, Value string }

// Altered are attributes whose effect a new session shows, and what is set: each
// is a value that no package has reason to use.
var Altered = []Setting{
	{"umask", changedUmask},
	{"server_args", "-n -q -conformance"},
	{"env", "CONFORMANCE=reloaded"},
	{"group", "5"},
	{"groups", "no"},
	{"rlimit_files", "333"},
}

// Changes reloads xinetd with attributes changed.
var Changes = &Look[Reload]{
	Name: "reload-changed", Takes: 200 * time.Millisecond, Stage: WithProbe, Last: true, Limit: 60 * time.Second,
	Take: func(ctx context.Context, s *Scene) (f Reload, err error) {
		if err := afresh(ctx, s); err != nil {
			return f, err
		}
		undo := func() error { return nil }
		f, err = reload(ctx, s, "changed", func() error {
			edition, err := editBoth(ctx, s, Altered...)
			if err == nil {
				undo = func() error { return edition.Undo(ctx) }
			}
			return err
		})
		return f, errors.Join(err, undo(), afresh(ctx, s))
	},
}
