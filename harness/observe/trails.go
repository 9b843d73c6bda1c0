package observe

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"qmconformance/harness/requirement"
	"qmconformance/harness/xinetd"
)

// SessionTrail is one session and what it left in the log.
type SessionTrail struct {
	Logging Logging
	From    netip.Addr
	// PID is the server's, as it says itself, and PPID its parent's; 0 where it did
	// not speak.
	PID, PPID int
	Outcome   string
	// Held is how long the session was open, as the client saw it: from before the
	// dial to the end. Served is the part of it that lies between the server's first
	// line and our last word, so that the session was no shorter.
	Held, Served time.Duration
	// Jump is by how much the clock was set meanwhile: xinetd takes a session's length
	// from the time of day.
	Jump   time.Duration
	Status int
	Logged []xinetd.Record
}

// SessionTrails are those of all services.
type SessionTrails struct {
	Sessions map[requirement.Service]*SessionTrail
}

// sessionStatus is what the probe ends with, and sessionLength how long it is
// held: the log counts whole seconds, and 0 would be right for any session that
// ends at once.
const (
	sessionStatus = 3
	sessionLength = 1100 * time.Millisecond
)

// Sessions holds a session with each service for a moment, and ends it.
var Sessions = &Look[SessionTrails]{
	Name: "session-trails", Takes: 1200 * time.Millisecond, Stage: WithProbe, Last: true, Limit: 60 * time.Second,
	// Both services at once: most of it is the length of the sessions.
	Patient: true,
	Take: func(ctx context.Context, s *Scene) (SessionTrails, error) {
		f := SessionTrails{Sessions: map[requirement.Service]*SessionTrail{}}
		mark, err := s.MarkLog(ctx)
		if err != nil {
			return f, err
		}
		open := map[requirement.Service]*probed{}
		began, greeted := map[requirement.Service]moment{}, map[requirement.Service]moment{}
		for _, service := range requirement.NetworkServices {
			at := *s
			at.Service, at.Port = service, s.Ports[service]
			t, err := newTracer(ctx, &at)
			if err != nil {
				return f, err
			}
			began[service] = reading()
			link, err := t.dial(ctx, t.v4)
			if err != nil {
				return f, err
			}
			defer link.Close()
			p := greetProbe(ctx, link)
			greeted[service] = reading()
			trail := &SessionTrail{Logging: t.logging, From: t.v4, Outcome: p.greeted.String(), Status: sessionStatus}
			if p.context != nil {
				trail.PID, trail.PPID = p.context.PID, p.context.PPID
			}
			open[service], f.Sessions[service] = p, trail
		}
		select { // sessions that last, not a wait for something
		case <-ctx.Done():
			return f, ctx.Err()
		case <-time.After(sessionLength):
		}
		for service, p := range open {
			trail := f.Sessions[service]
			trail.Served, _ = lasted(greeted[service], reading())
			p.command(fmt.Sprintf("exit %d", sessionStatus))
			p.end(ctx, probeEnd)
			trail.Held, trail.Jump = lasted(began[service], reading())
			p.link.Close()
			s.Evidence.Wire(string(service), p.link.Transcript())
		}
		log, err := s.AwaitLog(ctx, mark, func(records []xinetd.Record) bool {
			for _, trail := range f.Sessions {
				if len(xinetd.Entries(records, xinetd.Exit, trail.Logging.ID)) == 0 {
					return false
				}
			}
			return true
		})
		for _, trail := range f.Sessions {
			trail.Logged = log.Records
		}
		s.Evidence.Log("xinetd.log", log.Text)
		return f, err
	},
}
