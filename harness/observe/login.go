package observe

import (
	"context"
	"time"

	"qmconformance/harness/agent"
	"qmconformance/harness/qmclient"
	"qmconformance/harness/requirement"
	"qmconformance/harness/target"
	"qmconformance/harness/telnet"
	"qmconformance/harness/wire"
)

// Account is the one that every ScarletDME installation has.
const Account = "QMSYS"

// Session is a logged-in user on either service, with the few things that the
// harness does as one.
type Session struct {
	service  requirement.Service
	conn     *wire.Conn
	terminal *telnet.Client
	program  *qmclient.Client
	// LoggedIn says whether the login succeeded; Said is the server's answer.
	LoggedIn bool
	Said     string
}

// OpenSession dials and logs in. The result is never nil; Close it.
func OpenSession(ctx context.Context, s *Scene, user agent.User) *Session {
	o := &Session{service: s.Service, conn: s.Dial(ctx, s.Port, prompt)}
	s.Evidence.Secret(target.Password)
	if s.Service == requirement.QMServer {
		o.terminal = telnet.New(o.conn, Terminal)
		if greeting := o.terminal.Greet(ctx); greeting.Reached != telnet.PromptUsername {
			o.Said = greeting.Outcome.String() + " " + greeting.Text
			return o
		}
		login := o.terminal.Login(ctx, user.Name, target.Password, Account)
		o.LoggedIn, o.Said = login.OK(), login.Text
		if !login.OK() {
			o.Said += " (" + login.Outcome.String() + ")"
		}
		return o
	}
	o.program = qmclient.New(o.conn)
	if greeting := o.program.Greet(ctx); !greeting.OK() {
		o.Said = greeting.String()
		return o
	}
	login := o.program.Login(ctx, user.Name, target.Password)
	o.LoggedIn, o.Said = login.OK(), login.String()
	if o.LoggedIn {
		account := o.program.Account(ctx, Account)
		o.LoggedIn, o.Said = account.OK(), account.String()
	}
	return o
}

// Execute runs a command of the database's and returns what it printed.
func (o *Session) Execute(ctx context.Context, line string) string {
	if o.terminal != nil {
		res := o.terminal.Command(ctx, line)
		if !res.OK() {
			return res.Text + " (" + res.Outcome.String() + ")"
		}
		return res.Text
	}
	res := o.program.Execute(ctx, line)
	if res.Form != qmclient.FormReply {
		return res.String()
	}
	if res.Reply.ServerError == qmclient.ErrorPrompt {
		o.program.EndCommand(ctx)
	}
	return res.Reply.Text()
}

// Close leaves in good order and waits for the end; a real qm whose client just
// closes may stay behind.
func (o *Session) Close(ctx context.Context, s *Scene, name string) {
	if o.conn.Connected() {
		switch {
		case o.terminal != nil && o.LoggedIn:
			o.terminal.Logout(ctx)
		case o.terminal != nil:
			o.terminal.LeaveBeforeLogin(ctx)
		default:
			o.program.Quit(ctx)
		}
	}
	o.conn.Close()
	s.Evidence.Wire(name, o.conn.Transcript())
}

// LoggedIn is a session of a user's, after the login.
type LoggedIn struct {
	Service requirement.Service
	User    string
	OK      bool
	Said    string
	Served  Served
	// UID and GID are the user's own, from the password file.
	UID, GID int
	// Qmusers is the group's number, -1 where there is none.
	Qmusers int
	Ended   Ended
}

// Login logs a user in whose primary group is another than qmusers: all that
// its session may do with the tree it may by the groups that it was given.
var Login = &Look[LoggedIn]{
	Name: "login", Stage: AsShipped, Each: true,
	// A prompt, a login that is refused after 3 s, and the way out.
	Limit: 60 * time.Second,
	Take: func(ctx context.Context, s *Scene) (LoggedIn, error) {
		f := LoggedIn{Service: s.Service, User: target.Alice.Name}
		accounts, err := readAccounts(ctx, s)
		if err != nil {
			return f, err
		}
		f.UID, f.GID, f.Qmusers = accounts.UID(f.User), accounts.PrimaryGroup(f.User), accounts.GID("qmusers")
		if f.Ended.SlotsBefore, _, err = slots(ctx, s); err != nil {
			return f, err
		}
		session := OpenSession(ctx, s, target.Alice)
		f.OK, f.Said = session.LoggedIn, session.Said
		snap, err := s.Snapshot(ctx)
		if err == nil {
			s.Evidence.Snapshot("logged-in", snap)
			f.Served.fill(snap, session.conn, s.Startup.Xinetd.Daemon.PID)
			s.Evidence.Compare("after the login of "+f.User, f.Served.beside(contract{s.Service, f.Qmusers, f.UID, f.GID}))
		}
		session.Close(ctx, s, string(s.Service)+"-"+f.User)
		if err != nil {
			return f, err
		}
		return f, f.Ended.await(ctx, s, f.Served.Server.PID)
	},
}
