package observe

import (
	"context"
	"time"

	"qmconformance/harness/agent"
	"qmconformance/harness/evidence"
	"qmconformance/harness/requirement"
)

// Interrupted is a restart of xinetd, with clients that try all the while.
type Interrupted struct {
	Result agent.RunResult
	// After is the last connection to each service.
	After map[requirement.Service]Visit
	// Window is the time from the first refused connection to the first that was
	// served again, by service; zero where none was refused.
	Window  map[requirement.Service]time.Duration
	Refused map[requirement.Service]int
}

// politePause is between connections that are served: a super-server may admit as
// few as ten a second.
const politePause = 30 * time.Millisecond

// keenly is how long a closed port is tried without a pause: whether nobody was served
// for one second or for ten is told precisely enough by a try in each politePause.
const keenly = time.Second

// dialThrough dials both services while something is done to xinetd, and until both
// serve again or startLimit is over.
func dialThrough(ctx context.Context, s *Scene, act func() (agent.RunResult, error)) (Interrupted, error) {
	f := Interrupted{
		After:  map[requirement.Service]Visit{},
		Window: map[requirement.Service]time.Duration{}, Refused: map[requirement.Service]int{},
	}
	started := time.Now()
	done := make(chan error, 1)
	go func() {
		var err error
		f.Result, err = act()
		done <- err
	}()
	first := map[requirement.Service]time.Time{}
	// One refused connection of each service explains the others.
	unkept := *s
	unkept.Evidence = &evidence.Bundle{}
	var err error
	over := false
	var until time.Time
	for {
		served := 0
		for _, service := range requirement.NetworkServices {
			began, refused := first[service]
			at := s
			if refused {
				at = &unkept
			}
			v := spokenWith(ctx, at, service, "restarted")
			f.After[service] = v
			switch {
			case v.Served && refused && f.Window[service] == 0:
				f.Window[service] = time.Since(began)
			case !v.Served && !refused:
				first[service] = time.Now()
			}
			if v.Served {
				served++
			} else {
				f.Refused[service]++
			}
		}
		if over && (served == len(requirement.NetworkServices) || time.Now().After(until)) {
			return f, err
		}
		pause := time.Millisecond
		if served > 0 || time.Since(started) > keenly {
			pause = politePause
		}
		select {
		case err = <-done:
			if over = true; err != nil {
				return f, err
			}
			done, until = nil, time.Now().Add(startLimit)
		case <-time.After(pause):
		}
	}
}

// awaitClosed waits until both ports are closed, or no longer. It goes by the sockets: a
// process that is about to end has no descriptors any more, and its sockets are there
// for another moment.
func awaitClosed(ctx context.Context, s *Scene, name string) (map[requirement.Service]bool, error) {
	for began := time.Now(); ; {
		snap, err := s.Snapshot(ctx)
		if err != nil {
			return nil, err
		}
		closed, all := map[requirement.Service]bool{}, true
		for service, port := range s.Ports {
			closed[service] = len(snap.Listeners(port)) == 0
			all = all && closed[service]
		}
		if all || time.Since(began) > stateLimit {
			s.Evidence.Snapshot(name, snap)
			return closed, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(gonePoll):
		}
	}
}
