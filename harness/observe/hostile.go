package observe

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"qmconformance/harness/process"
	"qmconformance/harness/qmclient"
	"qmconformance/harness/requirement"
	"qmconformance/harness/telnet"
	"qmconformance/harness/xinetd"
)

// Hostile is a stage of its own: after its looks nothing can be said of the target
// any more.
const Hostile Stage = "hostile"

// Aftermath is what the clients of one manner left behind.
type Aftermath struct {
	Manner   Manner
	Misdeeds []Misdeed
	// Left are the processes that stayed, Took how long it was until all the others
	// were gone.
	Left []Leftover
	Took time.Duration
	// PlacesBefore and PlacesAfter are the rows of "qm -u"; -1 where it could not tell.
	PlacesBefore, PlacesAfter int
	Users                     string
	// Locked are the records that clients had locked, StillLocked those that another
	// user cannot lock now.
	Locked, StillLocked []string
}

// Survived is how a service fared under clients that misbehave.
type Survived struct {
	Service requirement.Service
	// Program is the file of the database's program.
	Program string
	Manners []Aftermath
	// Stopped is the manner behind which the service did not serve any more: those after
	// it were not tried. Empty where all were.
	Stopped Manner
	// Resident is a session from before; it answered Before, and After.
	Resident Residence
	// Serves says that the service was as it should be in the end; Said is what it
	// said.
	Serves bool
	Said   string
	// Xinetd is the super-server before and after; its descriptors and memory with it.
	XinetdBefore, XinetdAfter process.Process
	XinetdThere               bool
}

// Residence is a session that was opened before anybody misbehaved.
type Residence struct {
	LoggedIn bool
	Said     string
	// Before and After are what WHO printed.
	Before, After string
	// Same says that the process behind the session is still the one from before.
	Same bool
}

// Of returns what the clients of one manner left.
func (f Survived) Of(m Manner) (Aftermath, bool) {
	for _, a := range f.Manners {
		if a.Manner == m {
			return a, true
		}
	}
	return Aftermath{}, false
}

// Survival has clients misbehave in every manner, and looks at what is left after
// each. The limits of the super-server are out of the way, since the clients come
// faster than people do: the limits are judged elsewhere.
var Survival = &Look[Survived]{
	Name: "survival", Takes: 5 * time.Second, Stage: Hostile, Each: true,
	// Six manners, in each of which a process may stay to the limit.
	Limit: 150 * time.Second,
	Take: func(ctx context.Context, s *Scene) (f Survived, err error) {
		f.Service = s.Service
		if f.Program, err = s.Resolve(ctx, s.QM()); err != nil {
			return f, err
		}
		service := string(s.Service)
		edition, err := s.Edit(ctx, xinetd.Set(service, "cps", "1000 1"),
			xinetd.Set(service, "instances", "UNLIMITED"), xinetd.Set(service, "per_source", "UNLIMITED"))
		if err != nil {
			return f, err
		}
		defer func() {
			// The other service's look comes next.
			undone := edition.Undo(ctx)
			_, respawned := s.Respawn(context.WithoutCancel(ctx))
			err = errors.Join(err, undone, respawned)
		}()
		if _, err := s.Respawn(ctx); err != nil {
			return f, err
		}
		return f, f.survive(ctx, s)
	},
}

func (f *Survived) survive(ctx context.Context, s *Scene) error {
	home := OpenSession(ctx, s, resident)
	defer home.Close(ctx, s, string(s.Service)+"-resident")
	f.Resident.LoggedIn, f.Resident.Said = home.LoggedIn, home.Said
	if home.LoggedIn {
		f.Resident.Before = home.Execute(ctx, "WHO")
	}
	first, err := s.Snapshot(ctx)
	if err != nil {
		return err
	}
	f.XinetdBefore, _ = first.Process(s.Startup.Xinetd.Daemon.PID)
	server, found := first.ServerOn(home.conn.LocalAddr(), home.conn.RemoteAddr())
	for _, m := range Manners {
		a, err := aftermath(ctx, s, m, home)
		if err != nil {
			return err
		}
		f.Manners = append(f.Manners, a)
		if f.stopped(ctx, s, a) {
			break
		}
	}
	if home.LoggedIn {
		f.Resident.After = home.Execute(ctx, "WHO")
	}
	last, err := s.Snapshot(ctx)
	if err != nil {
		return err
	}
	s.Evidence.Snapshot("in-the-end", last)
	f.XinetdAfter, f.XinetdThere = last.Process(f.XinetdBefore.PID)
	now, still := last.ServerOn(home.conn.LocalAddr(), home.conn.RemoteAddr())
	f.Resident.Same = found && still && identity(server) == identity(now)
	f.Serves, f.Said = converse(ctx, s, "in-the-end")
	return nil
}

// stopped looks whether the service serves, where a client did not get to where it was
// to misbehave: where it does not, each of the clients to come would wait to its limit.
func (f *Survived) stopped(ctx context.Context, s *Scene, a Aftermath) bool {
	if !slices.ContainsFunc(a.Misdeeds, func(m Misdeed) bool { return !m.Reached }) {
		return false
	}
	if ok, _ := converse(ctx, s, "behind those who "+string(a.Manner)); ok {
		return false
	}
	f.Stopped = a.Manner
	return true
}

// aftermath has the clients of one manner come and looks at what they leave.
func aftermath(ctx context.Context, s *Scene, m Manner, home *Session) (Aftermath, error) {
	a := Aftermath{Manner: m}
	snap, err := s.Snapshot(ctx)
	if err != nil {
		return a, err
	}
	if a.PlacesBefore, _, err = slots(ctx, s); err != nil {
		return a, err
	}
	a.Misdeeds, a.Locked = misbehave(ctx, s, m)
	if a.Left, a.Took, err = awaitLeaving(ctx, s, crowdOf(snap)); err != nil {
		return a, err
	}
	if a.PlacesAfter, a.Users, err = awaitPlaces(ctx, s, a.PlacesBefore); err != nil {
		return a, err
	}
	if home.LoggedIn && home.program != nil {
		a.StillLocked = stillLocked(ctx, home.program, a.Locked)
	}
	return a, clearAway(ctx, s, a.Left, a.PlacesAfter > a.PlacesBefore || len(a.StillLocked) > 0)
}

// stillLocked are the records that another user holds.
func stillLocked(ctx context.Context, program *qmclient.Client, ids []string) (held []string) {
	if len(ids) == 0 {
		return nil
	}
	file, opened := program.OpenFile(ctx, lockedFile)
	if !opened.OK() {
		return nil
	}
	for _, id := range ids {
		got := program.ReadLocked(ctx, file, id)
		if got.Form == qmclient.FormReply && got.Reply.ServerError == qmclient.ErrorLocked {
			held = append(held, id)
			continue
		}
		program.Release(ctx, file, id)
	}
	program.CloseFile(ctx, file)
	return held
}

// converse is a conversation as far as it goes without a login, and says whether
// it went as it should.
func converse(ctx context.Context, s *Scene, when string) (ok bool, said string) {
	conn := s.Dial(ctx, s.Port, prompt)
	defer conn.Close()
	defer func() { s.Evidence.Wire(string(s.Service)+"-"+when, conn.Transcript()) }()
	if s.Service == requirement.QMServer {
		client := telnet.New(conn, Terminal)
		greeting := client.Greet(ctx)
		left := client.LeaveBeforeLogin(ctx)
		if !greeting.OK() {
			return false, strings.TrimSpace(greeting.Outcome.String() + " " + greeting.Text)
		}
		return left.OK(), left.Outcome.String()
	}
	client := qmclient.New(conn)
	if greeting := client.Greet(ctx); !greeting.OK() {
		return false, greeting.String()
	}
	left := client.RefusedRequest(ctx)
	return left.OK(), left.String()
}
