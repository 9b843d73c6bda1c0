package observe

import (
	"context"
	"errors"
	"time"

	"qmconformance/harness/process"
	"qmconformance/harness/requirement"
	"qmconformance/harness/target"
	"qmconformance/harness/wire"
)

// Parted is what a user's session saw of the end of the database.
type Parted struct {
	LoggedIn bool
	Said     string
	// Ended says that the session's connection ended, within partLimit.
	Ended bool
}

// Stoppage is the database stopped, started, suspended and resumed under a running
// xinetd.
type Stoppage struct {
	// Failed is the command that did not work, with what it printed; what should have
	// come after it was not tried.
	Failed string
	// What clients met, each in its state.
	Stopped, Started, Suspended, Resumed map[requirement.Service]Told
	// Same says that the xinetd from before still listened, on the same sockets.
	Same bool
}

// Partings is what users' sessions saw of a stop of the database.
type Partings struct {
	Failed string
	Live   map[requirement.Service]Parted
}

// Crowded is the database with less room than clients.
type Crowded struct {
	Failed string
	// Inside are the users who took all the places.
	Inside map[requirement.Service]Parted
	// Over met a full database, Freed one in which a place was free again.
	Over, Freed map[requirement.Service]Told
}

// partLimit is how long a session may take to end when the database stops: an API
// session takes 3 s to notice, a second for each byte of a length that it awaits.
const partLimit = 10 * time.Second

// Stoppages stops the database and suspends it, and never touches xinetd. It needs the
// subject just as it was packaged, as most others do, and is the last to have it.
var Stoppages = &Look[Stoppage]{
	Name: "stoppages", Takes: time.Second, Stage: AsShipped, Last: true, Patient: true,
	// A stop, and eight conversations of which each may be held to its limits.
	Limit: 240 * time.Second,
	Take: func(ctx context.Context, s *Scene) (f Stoppage, err error) {
		db := &database{scene: s}
		db.begin(ctx)
		before, err := s.Snapshot(ctx)
		if err != nil {
			return f, err
		}
		db.do(ctx, "-stop")
		f.Stopped = db.met(ctx, "stopped")
		db.do(ctx, "-start")
		f.Started = db.met(ctx, "started")
		db.do(ctx, "-suspend")
		f.Suspended = db.met(ctx, "suspended")
		db.do(ctx, "-resume")
		f.Resumed = db.met(ctx, "resumed")
		after, err := s.Snapshot(ctx)
		f.Failed, f.Same = db.failed, sameListeners(before, after, s)
		s.Evidence.Text("commands", db.log.String())
		return f, errors.Join(err, db.err)
	},
}

// Stopping stops the database under users who are at work.
var Stopping = &Look[Partings]{
	Name: "stopping", Takes: 4 * time.Second, Stage: AsShipped, Last: true, Patient: true, Limit: 120 * time.Second,
	Take: func(ctx context.Context, s *Scene) (Partings, error) {
		f := Partings{Live: map[requirement.Service]Parted{}}
		db := &database{scene: s}
		db.begin(ctx)
		live := openInside(ctx, s)
		db.do(ctx, "-stop")
		for service, session := range live {
			f.Live[service] = part(ctx, s, session, string(service)+"-live")
		}
		f.Failed = db.failed
		db.do(ctx, "-start")
		s.Evidence.Text("commands", db.log.String())
		return f, db.err
	},
}

// Full leaves the database room for two users, and has a third come.
var Full = &Look[Crowded]{
	Name: "full", Takes: 1200 * time.Millisecond, Stage: AsShipped, Last: true, Patient: true,
	Limit: 240 * time.Second,
	Take: func(ctx context.Context, s *Scene) (f Crowded, err error) {
		db := &database{scene: s}
		db.begin(ctx)
		conf, err := s.ReadFile(ctx, scarletConf)
		if err != nil {
			return f, err
		}
		db.restart(ctx, numUsers(string(conf), len(requirement.NetworkServices)))
		inside := openInside(ctx, s)
		f.Inside = map[requirement.Service]Parted{}
		for service, session := range inside {
			f.Inside[service] = Parted{LoggedIn: session.LoggedIn, Said: session.Said}
		}
		f.Over = db.met(ctx, "over")
		inside[requirement.QMClient].Close(ctx, s, "inside-qmclient")
		f.Freed = db.met(ctx, "freed")
		inside[requirement.QMServer].Close(ctx, s, "inside-qmserver")
		f.Failed = db.failed
		// The other look wants the usual room, whatever became of this one.
		db.failed = ""
		db.restart(context.WithoutCancel(ctx), string(conf))
		s.Evidence.Text("commands", db.log.String())
		return f, db.err
	},
}

// at is the scene of one of the services.
func (s *Scene) at(service requirement.Service) *Scene {
	other := *s
	other.Service, other.Port = service, s.Ports[service]
	return &other
}

// openInside logs a user in on each port.
func openInside(ctx context.Context, s *Scene) map[requirement.Service]*Session {
	m := map[requirement.Service]*Session{}
	for _, service := range requirement.NetworkServices {
		m[service] = OpenSession(ctx, s.at(service), target.Carol)
	}
	return m
}

// part waits for the end of a session that nobody asked to end.
func part(ctx context.Context, s *Scene, session *Session, name string) Parted {
	p := Parted{LoggedIn: session.LoggedIn, Said: session.Said}
	if p.LoggedIn {
		end := session.conn.Await(ctx, "the end of the session", partLimit, wire.TheEnd)
		p.Ended, p.Said = end.Ended(), end.String()
	}
	if p.LoggedIn && !p.Ended {
		session.Close(ctx, s, name)
		return p
	}
	session.conn.Close()
	s.Evidence.Wire(name, session.conn.Transcript())
	return p
}

// sameListeners says that xinetd is the one from before and listens where it did.
func sameListeners(before, after process.Snapshot, s *Scene) bool {
	then, now := listening(before, s), listening(after, s)
	for _, service := range requirement.NetworkServices {
		if then[service] == 0 || then[service] != now[service] {
			return false
		}
	}
	pid := s.Startup.Xinetd.Daemon.PID
	old, was := before.Process(pid)
	kept, is := after.Process(pid)
	return was && is && identity(old) == identity(kept)
}
