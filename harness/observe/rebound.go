package observe

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"qmconformance/harness/agent"
	"qmconformance/harness/requirement"
	"qmconformance/harness/xinetd"
)

// Rebound is a stop of xinetd and a start after it, with connections left on the
// ports.
type Rebound struct {
	// Signal is what ended xinetd.
	Signal   string
	Standing map[requirement.Service]*Standing
	// Left is what was on each port when xinetd was started again.
	Left map[requirement.Service]Onlookers
	// Stopped is how xinetd ended; ClosedAfter is false where a port was still open.
	Stopped agent.Daemon
	Took    time.Duration
	Closed  map[requirement.Service]bool
	// PidFile says that the stopped xinetd left its pid file behind.
	PidFile bool
	Ready   agent.Readiness
	// After is a connection made as soon as it was ready, Window the time from the
	// signal until that one was served.
	After  map[requirement.Service]Visit
	Window map[requirement.Service]time.Duration
	// Log is what xinetd logged from the signal on.
	Log []xinetd.Record
}

// Restarted are three ways in which xinetd comes to be started again.
type Restarted struct {
	// Established: stopped with nothing but open sessions on the ports. TimeWait:
	// with nothing but ended ones. Killed: with both.
	Established, TimeWait, Killed Rebound
}

// pidFile is where Debian's init script has xinetd write it.
const pidFile = "/run/xinetd.pid"

// Restarts stops xinetd in three ways, and starts it again each time.
var Restarts = &Look[Restarted]{
	Name: "restarts", Takes: 350 * time.Millisecond, Stage: WithProbe, Last: true, Limit: 90 * time.Second,
	Take: func(ctx context.Context, s *Scene) (f Restarted, err error) {
		// The first one before any server has ended a connection: TIME_WAIT lasts for
		// a minute.
		for _, one := range []struct {
			rebound  *Rebound
			name     string
			signal   syscall.Signal
			sessions bool
			ended    bool
		}{
			{&f.Established, "established", syscall.SIGTERM, true, false},
			{&f.TimeWait, "time-wait", syscall.SIGTERM, false, true},
			{&f.Killed, "killed", syscall.SIGKILL, true, true},
		} {
			if *one.rebound, err = rebind(ctx, s, one.name, one.signal, one.sessions, one.ended); err != nil {
				return f, err
			}
		}
		return f, afresh(ctx, s)
	},
}

func rebind(ctx context.Context, s *Scene, name string, signal syscall.Signal, sessions, ended bool) (Rebound, error) {
	f := Rebound{Signal: signalName(signal), Standing: map[requirement.Service]*Standing{}, Window: map[requirement.Service]time.Duration{}, Closed: map[requirement.Service]bool{}}
	if err := afresh(ctx, s); err != nil {
		return f, err
	}
	if ended {
		visits(ctx, s, name+"-before")
	}
	open := hold(ctx, s, f.Standing)
	defer open.end(ctx, s, name+"-held")
	if !sessions {
		open.end(ctx, s, name+"-before")
	}
	mark, err := s.MarkLog(ctx)
	if err != nil {
		return f, err
	}
	began := time.Now()
	if f.Stopped, err = s.StopXinetd(ctx, signal); err != nil {
		return f, err
	}
	f.Took = time.Since(began)
	snap, err := s.Snapshot(ctx)
	if err != nil {
		return f, err
	}
	f.Left = onlookers(snap, s)
	s.Evidence.Snapshot(name+"-stopped", snap)
	for service, port := range s.Ports {
		f.Closed[service] = len(snap.Listeners(port)) == 0
	}
	_, statErr := s.Stat(ctx, pidFile)
	f.PidFile = statErr == nil
	if f.Ready, err = s.Launch(ctx, startLimit); err != nil {
		return f, err
	}
	f.After = map[requirement.Service]Visit{}
	for _, service := range requirement.NetworkServices {
		v := spokenWith(ctx, s, service, name+"-after")
		f.After[service] = v
		f.Window[service] = time.Since(began)
	}
	if sessions {
		open.answer(ctx, f.Standing)
	}
	log, err := s.ReadLog(ctx, mark)
	f.Log = log.Records
	s.Evidence.Log(name+"-xinetd.log", log.Text)
	return f, err
}

func signalName(signal syscall.Signal) string {
	switch signal {
	case syscall.SIGTERM:
		return "SIGTERM"
	case syscall.SIGKILL:
		return "SIGKILL"
	}
	return fmt.Sprintf("signal %d", signal)
}
