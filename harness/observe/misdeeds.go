package observe

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"qmconformance/harness/agent"
	"qmconformance/harness/qmclient"
	"qmconformance/harness/requirement"
	"qmconformance/harness/target"
	"qmconformance/harness/telnet"
	"qmconformance/harness/wire"
)

// Manner is a way in which clients misbehave; all misdeeds of one manner are made
// at the same time, and what is left then was left by one of them.
type Manner string

// The manners, in the order in which they are tried.
const (
	LeaveAtOnce        Manner = "leave right after the connect"
	LeaveBeforeLogin   Manner = "leave before they have logged in"
	LeaveLoggedIn      Manner = "leave after the login"
	LeaveUnanswered    Manner = "leave with a request under way"
	LeaveUnfinished    Manner = "leave in the middle of a message"
	SpeakSomethingElse Manner = "send what is not the protocol"
)

// Manners lists them.
var Manners = []Manner{LeaveAtOnce, LeaveBeforeLogin, LeaveLoggedIn, LeaveUnanswered, LeaveUnfinished, SpeakSomethingElse}

// Misdeed is one client of a manner.
type Misdeed struct {
	// What the client did, in a few words.
	What string
	// Reached says that it got to where it was to misbehave; Said is what came
	// instead, or at last.
	Reached bool
	Said    string
	// Held says that the client closed its own direction, and that the server did
	// not end the connection within a limit.
	Held bool
}

// misdeed is how a client commits one; it says whether it got to where it was to.
type misdeed struct {
	what string
	make func(ctx context.Context, g *guest) bool
}

// guest is a client that is about to misbehave.
type guest struct {
	scene *Scene
	conn  *wire.Conn
	// said is what came last, for the report.
	said string
	// lock is the id of a record whose lock the guest had when it left.
	lock string
	held bool
	n    int
}

func (g *guest) dial(ctx context.Context) bool {
	g.conn = g.scene.Dial(ctx, g.scene.Port, prompt)
	g.said = "connected"
	if !g.conn.Connected() {
		g.said = g.conn.Await(ctx, "the connection", 0, wire.AtLeast(1)).String()
	}
	return g.conn.Connected()
}

// firstByte is where the server has spoken, and may still be at its start.
func (g *guest) firstByte(ctx context.Context) bool {
	if !g.dial(ctx) {
		return false
	}
	outcome := g.conn.Await(ctx, "the first byte", telnet.FirstByteLimit, wire.AtLeast(1))
	g.said = outcome.String()
	return outcome.OK()
}

// negotiating is where a terminal has been asked for its type and has offered to
// tell it.
func (g *guest) negotiating(ctx context.Context) bool {
	if !g.firstByte(ctx) {
		return false
	}
	asked := []byte{telnet.IAC, telnet.DO, telnet.OptionTermType}
	outcome := g.conn.Await(ctx, "the question for the terminal's type", telnet.PromptLimit, func(received []byte, _ bool) bool {
		return bytes.Contains(received, asked)
	})
	g.said = outcome.String()
	g.conn.Send([]byte{telnet.IAC, telnet.WILL, telnet.OptionTermType})
	return outcome.OK()
}

// atLogin is where the server waits for a name, or for a request.
func (g *guest) atLogin(ctx context.Context) bool {
	if !g.dial(ctx) {
		return false
	}
	if g.scene.Service == requirement.QMServer {
		greeting := telnet.New(g.conn, Terminal).Greet(ctx)
		g.said = greeting.Outcome.String()
		return greeting.Reached == telnet.PromptUsername
	}
	greeting := qmclient.New(g.conn).Greet(ctx)
	g.said = greeting.String()
	return greeting.OK()
}

// atPassword is where a name was given.
func (g *guest) atPassword(ctx context.Context) bool {
	if !g.atLogin(ctx) {
		return false
	}
	g.conn.Send([]byte(target.Carol.Name + "\r"))
	outcome := g.conn.Await(ctx, "the password prompt", telnet.StepLimit, func(received []byte, _ bool) bool {
		return bytes.HasSuffix(received, []byte("Password: "))
	})
	g.said = outcome.String()
	return outcome.OK()
}

// loggedIn is where a user works.
func (g *guest) loggedIn(ctx context.Context) bool {
	session := OpenSession(ctx, g.scene, target.Carol)
	g.conn, g.said = session.conn, session.Said
	return session.LoggedIn
}

// locking is loggedIn with a record locked, where the service has such a request.
func (g *guest) locking(ctx context.Context) bool {
	session := OpenSession(ctx, g.scene, target.Carol)
	g.conn, g.said = session.conn, session.Said
	if !session.LoggedIn || session.program == nil {
		return session.LoggedIn
	}
	id := fmt.Sprintf("HARNESS.%d", g.n)
	file, opened := session.program.OpenFile(ctx, lockedFile)
	if opened.OK() {
		if got := session.program.ReadLocked(ctx, file, id); got.Form == qmclient.FormReply && got.Reply.ServerError != qmclient.ErrorLocked {
			g.lock = id
		}
	}
	return true
}

// lockedFile is one that every account has; what is locked in it is no record of
// its own, so that nobody is kept from anything.
const lockedFile = "VOC"

// halfCloseEnd is how long a session may take to end after its client's FIN: a
// second for a hang-up, and what a busy machine adds.
const halfCloseEnd = 2500 * time.Millisecond

// after makes misdeeds that get to a place and leave there, n times each by FIN and
// by RST.
func after(where string, n int, place func(*guest, context.Context) bool) (list []misdeed) {
	for range n {
		list = append(list,
			misdeed{"close " + where, func(ctx context.Context, g *guest) bool { return place(g, ctx) }},
			misdeed{"reset " + where, func(ctx context.Context, g *guest) bool {
				reached := place(g, ctx)
				g.conn.Abort()
				return reached
			}})
	}
	return list
}

// sending makes misdeeds that get to a place, send bytes there and leave.
func sending(what string, n int, place func(*guest, context.Context) bool, data []byte) []misdeed {
	return after(what, n, func(g *guest, ctx context.Context) bool {
		reached := place(g, ctx)
		g.conn.Send(data)
		g.conn.Flush(ctx, halfCloseEnd)
		return reached
	})
}

// settleIn gives the server the time to take what was sent before the client leaves:
// until it answers or ends, and no longer than this, since it may do neither.
const settleIn = 100 * time.Millisecond

// offering is sending with that time.
func offering(what string, place func(*guest, context.Context) bool, data []byte) misdeed {
	return misdeed{what, func(ctx context.Context, g *guest) bool {
		reached := place(g, ctx)
		before := len(g.conn.Unread())
		g.conn.Send(data)
		g.said = g.conn.Await(ctx, "an answer or the end", settleIn, wire.AtLeast(before+1)).String()
		return reached
	}}
}

// halfClosing makes a misdeed that ends its own direction and waits for the end.
func halfClosing(where string, place func(*guest, context.Context) bool) misdeed {
	return misdeed{"close their direction " + where, func(ctx context.Context, g *guest) bool {
		reached := place(g, ctx)
		g.conn.CloseWrite()
		end := g.conn.Await(ctx, "the end of the session", halfCloseEnd, wire.TheEnd)
		g.said, g.held = end.String(), reached && !end.Ended()
		return reached
	}}
}

// misdeeds are those of a manner on a service.
func misdeeds(m Manner, s requirement.Service) []misdeed {
	terminal := s == requirement.QMServer
	switch m {
	case LeaveAtOnce:
		return append(after("right after the connect", 3, (*guest).dial), halfClosing("right after the connect", (*guest).dial))
	case LeaveBeforeLogin:
		list := after("after the first byte", 3, (*guest).firstByte)
		if terminal {
			list = append(list, after("in the negotiation", 1, (*guest).negotiating)...)
			list = append(list, after("at the password", 1, (*guest).atPassword)...)
		}
		list = append(list, after("at the login", 1, (*guest).atLogin)...)
		return append(list, halfClosing("after the first byte", (*guest).firstByte), halfClosing("at the login", (*guest).atLogin))
	case LeaveLoggedIn:
		return append(after("after the login", 2, (*guest).locking), halfClosing("after the login", (*guest).locking))
	case LeaveUnanswered:
		quick, long := requests(s)
		return append(sending("behind a request", 1, (*guest).loggedIn, quick), sending("while a command runs", 1, (*guest).loggedIn, long)...)
	case LeaveUnfinished:
		var list []misdeed
		for _, part := range unfinished(s) {
			place := (*guest).atLogin
			if part.early {
				place = (*guest).dial
			}
			list = append(list, sending("after "+part.name, 1, place, part.data)...)
		}
		return list
	case SpeakSomethingElse:
		var list []misdeed
		for _, other := range somethingElse(s) {
			place := (*guest).atLogin
			if other.early {
				place = (*guest).dial
			}
			list = append(list, offering("send "+other.name, place, other.data))
		}
		return list
	}
	return nil
}

// requests are one that every session answers at once, and one that takes a while:
// its program must not outlive the session for longer than that.
func requests(s requirement.Service) (quick, long []byte) {
	if s == requirement.QMServer {
		return []byte("who\r"), []byte("sh SLEEP 0.3\r") // qm turns the case round
	}
	return qmclient.EncodeExecute("WHO"), qmclient.EncodeExecute("SH sleep 0.3")
}

// message is bytes that a client sends; early says that it does not wait for the
// server to speak first.
type message struct {
	name  string
	early bool
	data  []byte
}

// unfinished are messages whose end never comes.
func unfinished(s requirement.Service) []message {
	if s == requirement.QMServer {
		return []message{
			{"half a name", true, []byte("hca")},
			{"half a telnet command", false, []byte{telnet.IAC}},
			{"half a subnegotiation", false, append([]byte{telnet.IAC, telnet.SB, telnet.OptionTermType, 0}, Terminal...)},
		}
	}
	whole := qmclient.EncodeLogin(target.Carol.Name, target.Password)
	return []message{
		{"half a length", true, whole[:2]},
		{"half a request", false, whole[:len(whole)/2]},
		{"a length that promises more than comes", false, append([]byte{0, 0, 1, 0, 21, 0}, bytes.Repeat([]byte{'a'}, 1000)...)},
	}
}

// somethingElse are first bytes of other protocols, and what no message can be.
func somethingElse(s requirement.Service) []message {
	// No line of them ends: that would be a name and a password.
	web := []byte("GET / HTTP/1.1\nHost: qm.example\n\n")
	tls := []byte{22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	if s == requirement.QMServer {
		return []message{
			{"a web browser's request", true, web},
			{"the beginning of a TLS handshake", true, tls},
			{"a line of 4096 bytes", false, bytes.Repeat([]byte{'a'}, 4096)},
			{"a request of the other service", false, qmclient.EncodeQuit()},
		}
	}
	return []message{
		{"the length 0", false, []byte{0, 0, 0, 0, 1, 0}},
		{"the length 3", false, []byte{3, 0, 0, 0, 1, 0}},
		{"the length -1", false, []byte{255, 255, 255, 255, 1, 0}},
		{"the length of 2 GiB", false, []byte{255, 255, 255, 127, 1, 0}},
		{"a web browser's request", true, web},
		{"the beginning of a TLS handshake", true, tls},
	}
}

// company is how many misbehave at the same time: with one session beside them they
// are fewer than the ten users that a database is usually licensed for.
const company = 6

// misbehave makes all misdeeds of a manner, some at a time, and returns the ids of
// the records that were locked by those who left.
func misbehave(ctx context.Context, s *Scene, m Manner) (made []Misdeed, locked []string) {
	list := misdeeds(m, s.Service)
	made = make([]Misdeed, len(list))
	guests := make([]*guest, len(list))
	room := make(chan struct{}, company)
	var wg sync.WaitGroup
	for i, v := range list {
		wg.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			g := &guest{scene: s, n: i + 1}
			guests[i] = g
			reached := v.make(ctx, g)
			g.conn.Close()
			made[i] = Misdeed{What: v.what, Reached: reached, Said: strings.TrimSpace(g.said), Held: g.held}
		})
	}
	wg.Wait()
	for i, g := range guests {
		s.Evidence.Wire(fmt.Sprintf("%s-%s-%d", s.Service, made[i].What, i+1), g.conn.Transcript())
		if g.lock != "" {
			locked = append(locked, g.lock)
		}
	}
	return made, locked
}

// resident is the user whose session is there before anybody misbehaves, and must
// not be disturbed; it is not the one as whom guests log in.
var resident agent.User = target.Dave
