package observe

import (
	"context"
	"fmt"
	"time"

	"qmconformance/harness/qmclient"
	"qmconformance/harness/requirement"
	"qmconformance/harness/target"
	"qmconformance/harness/telnet"
	"qmconformance/harness/wire"
)

// Idled is what became of a user while others only held their connections.
type Idled struct {
	Service requirement.Service
	// Idle are the clients that were greeted and said nothing more.
	Idle []Attempt
	// LoggedIn says that a user got in beside them; Said is what it was told.
	LoggedIn bool
	Said     string
}

// idlers is how many hold a connection: with the user beside them five, which is
// fewer than a small office has.
const idlers = 4

// Idle has clients come as far as the login and say nothing, and logs a user in
// meanwhile. They leave in good order.
var Idle = &Look[Idled]{
	Name: "idle", Stage: AsShipped, Each: true, Limit: 90 * time.Second,
	Take: func(ctx context.Context, s *Scene) (Idled, error) {
		f := Idled{Service: s.Service}
		began := time.Now()
		var leave []func()
		defer func() {
			for _, l := range leave {
				l()
			}
		}()
		for i := range idlers {
			conn := s.Dial(ctx, s.Port, prompt)
			name := fmt.Sprintf("%s-idle-%d", s.Service, i+1)
			a, l := idler(ctx, s, conn)
			a.At = time.Since(began)
			f.Idle = append(f.Idle, a)
			leave = append(leave, func() {
				l()
				conn.Close()
				s.Evidence.Wire(name, conn.Transcript())
			})
		}
		user := OpenSession(ctx, s, target.Dave)
		f.LoggedIn, f.Said = user.LoggedIn, user.Said
		user.Close(ctx, s, string(s.Service)+"-user")
		return f, nil
	},
}

// idler greets, and returns how to leave in good order.
func idler(ctx context.Context, s *Scene, conn *wire.Conn) (Attempt, func()) {
	if s.Service == requirement.QMServer {
		client := telnet.New(conn, Terminal)
		g := client.Greet(ctx)
		return Attempt{Served: g.OK(), Outcome: g.Outcome.String()}, func() { client.LeaveBeforeLogin(ctx) }
	}
	client := qmclient.New(conn)
	g := client.Greet(ctx)
	return Attempt{Served: g.OK(), Outcome: g.String()}, func() {
		if conn.Connected() {
			client.RefusedRequest(ctx)
		}
	}
}

// Patience is a stage for looks that take long and disturb nobody.
const Patience Stage = "patience"

// Slowed is what came of a client that sends one byte a second.
type Slowed struct {
	Service requirement.Service
	// Greeted says that it was greeted at all.
	Greeted bool
	Said    string
	// Sent is the number of bytes; Answered says that the answer came that is due to
	// them, and the session then ended in order.
	Sent     int
	Answered bool
	// Others are conversations of other clients meanwhile.
	Others []Attempt
}

// bytePace is the pace of the slow client.
const bytePace = time.Second

// Slow sends a message one byte a second, while others talk.
var Slow = &Look[Slowed]{
	Name: "slow", Takes: 11 * time.Second, Stage: Patience, Each: true, Patient: true,
	// Six bytes, a conversation in their middle, and a name that is refused.
	Limit: 120 * time.Second,
	Take: func(ctx context.Context, s *Scene) (Slowed, error) {
		f := Slowed{Service: s.Service}
		conn := s.Dial(ctx, s.Port, prompt)
		defer conn.Close()
		defer func() { s.Evidence.Wire(string(s.Service)+"-slow", conn.Transcript()) }()
		var terminal *telnet.Client
		data := qmclient.EncodeQuit()
		if s.Service == requirement.QMServer {
			terminal, data = telnet.New(conn, Terminal), []byte("slowly\r")
			g := terminal.Greet(ctx)
			f.Greeted, f.Said = g.OK(), g.Outcome.String()
		} else {
			g := qmclient.New(conn).Greet(ctx)
			f.Greeted, f.Said = g.OK(), g.String()
		}
		if !f.Greeted {
			return f, nil
		}
		began := time.Now()
		for i := range data {
			conn.Send(data[i : i+1])
			f.Sent++
			if i == len(data)/2 {
				ok, said := converse(ctx, s, "in-the-end")
				f.Others = append(f.Others, Attempt{Served: ok, Outcome: said, At: time.Since(began)})
			}
			if i == len(data)-1 {
				break
			}
			// The pace of the client itself: nothing is waited for.
			if err := pause(ctx, time.Until(began.Add(time.Duration(i+1)*bytePace))); err != nil {
				return f, err
			}
		}
		f.Answered, f.Said = slowEnd(ctx, conn, terminal)
		return f, nil
	},
}

// slowEnd takes the answer that is due to the slow client, and leaves in order.
func slowEnd(ctx context.Context, conn *wire.Conn, terminal *telnet.Client) (bool, string) {
	if terminal != nil {
		outcome := terminal.Await(ctx, "the password prompt", telnet.StepLimit, func(data []byte) bool {
			return terminal.Prompt() == telnet.PromptPassword
		})
		if !outcome.OK() {
			return false, outcome.String()
		}
		left := terminal.LeaveBeforeLogin(ctx)
		return left.OK(), left.Outcome.String()
	}
	due := qmclient.NotLoggedIn()
	outcome := conn.Await(ctx, "the reply", qmclient.ReplyLimit, wire.AtLeast(len(due.Encode())))
	form, reply, _ := qmclient.Decode(conn.Unread())
	if form != qmclient.FormReply || string(reply.Encode()) != string(due.Encode()) {
		return false, outcome.String()
	}
	end := conn.Await(ctx, "the end", qmclient.EndLimit, wire.TheEnd)
	return end.Ended(), end.String()
}
