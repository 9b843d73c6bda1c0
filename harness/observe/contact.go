package observe

import (
	"context"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"

	"qmconformance/harness/process"
	"qmconformance/harness/qmclient"
	"qmconformance/harness/requirement"
	"qmconformance/harness/telnet"
	"qmconformance/harness/wire"
	"qmconformance/harness/xinetd"
)

// Terminal is the terminal type that the harness answers with; qm knows it
// wherever a terminfo library is installed.
const Terminal = "vt100"

// prompt has our end of a conversation answer at once: with the kernel's delayed
// acknowledgements each of qm's small packets would wait 40 ms for one.
var prompt = wire.Options{NoDelay: true, QuickAck: true}

// Contacted is one conversation as far as it goes without a login, and the
// process that served it.
type Contacted struct {
	Service requirement.Service
	Port    uint16
	// Qmusers is the group's number, -1 where there is none.
	Qmusers int
	// Wire says whether there was a connection at all, and what came of it.
	Connected bool
	Opening   wire.Outcome
	// Telnet or API is what the server sent unasked, by service.
	Telnet *telnet.Greeting
	API    *qmclient.Greeting
	// Left is how the conversation was ended, in the only ways that do no harm.
	TelnetLeft *telnet.Leaving
	APILeft    *qmclient.Leaving
	Served     Served
	// Ended says what became of the serving process after the connection's end.
	Ended Ended
	// Logged is what xinetd logged of this connection.
	Logged []xinetd.Record
	// Shipped are the rules and the configuration that were in force.
	Shipped Shipped
}

// Served is the process behind a connection, and who else holds it.
type Served struct {
	Found  bool
	Server process.Process
	// Client is our own end, as the server should see it.
	Client netip.AddrPort
	// Socket is the connection as the target's kernel has it.
	Socket process.Socket
	// Holders are all the processes that hold the connection.
	Holders []process.Process
	// Xinetd is the super-server's process; Parent the server's.
	Xinetd process.Process
	Parent process.Process
	// Blind are processes whose descriptors could not be looked at.
	Blind int
}

// Ended is what a session left behind.
type Ended struct {
	// Gone says that the process has ended; After is how long that took.
	Gone  bool
	After time.Duration
	// SlotsBefore and SlotsAfter are the rows of "qm -u"; -1 where it could not tell.
	SlotsBefore, SlotsAfter int
	UsersAfter              string
}

// Contact talks to a service as far as one gets without a login.
var Contact = &Look[Contacted]{
	Name: "contact", Stage: AsShipped, Each: true,
	// Ten seconds to a prompt, five blank lines, and the log.
	Limit: 60 * time.Second,
	Take:  contact,
}

func contact(ctx context.Context, s *Scene) (Contacted, error) {
	f := Contacted{Service: s.Service, Port: s.Port}
	mark, err := s.MarkLog(ctx)
	if err != nil {
		return f, err
	}
	if f.Shipped, err = shipped(ctx, s); err != nil {
		return f, err
	}
	accounts, err := readAccounts(ctx, s)
	if err != nil {
		return f, err
	}
	f.Qmusers = accounts.GID("qmusers")
	f.Ended.SlotsBefore, _, err = slots(ctx, s)
	if err != nil {
		return f, err
	}
	conn := s.Dial(ctx, s.Port, prompt)
	defer conn.Close()
	defer func() { s.Evidence.Wire(string(s.Service), conn.Transcript()) }()
	if s.Service == requirement.QMServer {
		err = f.terminal(ctx, s, conn)
	} else {
		err = f.program(ctx, s, conn)
	}
	if err != nil {
		return f, err
	}
	f.Connected = conn.Connected()
	if err := f.Ended.await(ctx, s, f.Served.Server.PID); err != nil {
		return f, err
	}
	id := LogID(f.Shipped.Config, s.Service)
	log, err := s.AwaitLog(ctx, mark, func(records []xinetd.Record) bool {
		return !f.Connected || len(xinetd.Entries(records, xinetd.Exit, id)) > 0 || len(xinetd.Entries(records, xinetd.Fail, id)) > 0
	})
	f.Logged = log.Records
	s.Evidence.Log("xinetd.log", log.Text)
	return f, err
}

func (f *Contacted) terminal(ctx context.Context, s *Scene, conn *wire.Conn) error {
	client := telnet.New(conn, Terminal)
	greeting := client.Greet(ctx)
	f.Telnet, f.Opening = &greeting, greeting.Outcome
	if err := f.Served.look(ctx, s, conn, f.Qmusers); err != nil {
		return err
	}
	left := client.LeaveBeforeLogin(ctx)
	f.TelnetLeft = &left
	return nil
}

func (f *Contacted) program(ctx context.Context, s *Scene, conn *wire.Conn) error {
	client := qmclient.New(conn)
	greeting := client.Greet(ctx)
	f.API, f.Opening = &greeting, greeting.Outcome
	if err := f.Served.look(ctx, s, conn, f.Qmusers); err != nil {
		return err
	}
	left := client.RefusedRequest(ctx)
	f.APILeft = &left
	return nil
}

// look finds the process behind a connection that is open.
func (v *Served) look(ctx context.Context, s *Scene, conn wire.Link, qmusers int) error {
	if !conn.Connected() {
		return nil
	}
	snap, err := s.Snapshot(ctx)
	if err != nil {
		return err
	}
	s.Evidence.Snapshot("session", snap)
	v.fill(snap, conn, s.Startup.Xinetd.Daemon.PID)
	if err := v.settle(ctx, s); err != nil {
		return err
	}
	s.Evidence.Compare("at the prompt", v.beside(contract{service: s.Service, qmusers: qmusers}))
	return nil
}

const (
	// settleTime is for what a program has open for a moment of its start, a socket to
	// look up a name for example: qm sends its first byte before it has done so.
	settleTime = 250 * time.Millisecond
	// handOver is for xinetd itself to close its own copy of a connection, the first
	// thing that it does after the fork: a microsecond, but on
	// a busy machine the server was seen to greet before xinetd ran again.
	handOver = 3 * time.Second
)

// settle looks again at a server that has other things open than files of its tree,
// and at a connection that others hold as well, and drops what was so for a moment
// only: what was inherited or kept is still there.
func (v *Served) settle(ctx context.Context, s *Scene) error {
	for began := time.Now(); v.unsettled(); {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(settleTime):
		}
		snap, err := s.Snapshot(ctx)
		if err != nil {
			return err
		}
		// One that has ended or become another has nothing to compare with.
		later, there := snap.Process(v.Server.PID)
		if v.Found && (!there || !same(later, v.Server) || later.Exe != v.Server.Exe) {
			return nil
		}
		s.Evidence.Snapshot("session-settled", snap)
		v.Server.FDs = lasting(v.Server.FDs, later.FDs)
		v.Holders = heldStill(v.Holders, snap.Holders(v.Socket.Inode))
		if !v.heldBy(v.Xinetd) || time.Since(began) > handOver {
			return nil
		}
	}
	return nil
}

// unsettled says that what was seen may have been so for a moment only.
func (v *Served) unsettled() bool {
	tree := path.Dir(path.Dir(v.Server.Exe)) + "/"
	return slices.ContainsFunc(v.Server.FDs, func(fd process.FD) bool { return fd.Number > 2 && !strings.HasPrefix(fd.Target, tree) }) ||
		slices.ContainsFunc(v.Holders, func(h process.Process) bool { return !same(h, v.Server) })
}

func (v *Served) heldBy(p process.Process) bool {
	return slices.ContainsFunc(v.Holders, func(h process.Process) bool { return same(h, p) })
}

// same says that two are one process, at two times: a PID alone may be used again.
func same(a, b process.Process) bool { return a.PID == b.PID && a.StartTime == b.StartTime }

// heldStill are the processes that are in both lists.
func heldStill(before, later []process.Process) []process.Process {
	return slices.DeleteFunc(slices.Clone(before), func(p process.Process) bool {
		return !slices.ContainsFunc(later, func(l process.Process) bool { return same(l, p) })
	})
}

// lasting are the descriptors that are the same in both lists.
func lasting(before, later []process.FD) []process.FD {
	return slices.DeleteFunc(slices.Clone(before), func(fd process.FD) bool {
		return !slices.ContainsFunc(later, func(l process.FD) bool { return l.Number == fd.Number && l.Target == fd.Target })
	})
}

func (v *Served) fill(snap process.Snapshot, conn wire.Link, xinetdPID int) {
	v.Client = conn.LocalAddr()
	v.Server, v.Found = snap.ServerOn(conn.LocalAddr(), conn.RemoteAddr())
	for _, socket := range snap.Connections(conn.LocalAddr(), conn.RemoteAddr()) {
		v.Socket = socket
		v.Holders = snap.Holders(socket.Inode)
	}
	v.Xinetd, _ = snap.Process(xinetdPID)
	v.Parent, _ = snap.Process(v.Server.PPID)
	v.Blind = len(snap.Blind())
}

// goneLimit is how long a process may take to end after the connection's end:
// qm is gone within a millisecond of its FIN, or a second after a hang-up.
const goneLimit = 5 * time.Second

// gonePoll is the pause between two looks.
const gonePoll = 5 * time.Millisecond

func (e *Ended) await(ctx context.Context, s *Scene, pid int) error {
	began := time.Now()
	for pid > 0 {
		snap, err := s.Snapshot(ctx)
		if err != nil {
			return err
		}
		e.After = time.Since(began)
		if _, alive := snap.Process(pid); !alive {
			e.Gone = true
			break
		}
		if e.After > goneLimit {
			s.Evidence.Snapshot("after-the-end", snap)
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(gonePoll):
		}
	}
	var err error
	e.SlotsAfter, e.UsersAfter, err = slots(ctx, s)
	s.Evidence.Text("users-after", e.UsersAfter)
	return err
}

// usersHeading begins the heading of the table of "qm -u". A database that is down
// gives a line of text in its place, and status 0 all the same.
const usersHeading = "Uid"

// slots counts the users that the database has, by "qm -u": each row begins with
// a number. -1 where the command did not work, as with a database that is down.
func slots(ctx context.Context, s *Scene) (int, string, error) {
	res, err := s.Command(ctx, s.QM(), "-u")
	if err != nil {
		return -1, "", err
	}
	if !res.OK() || !strings.HasPrefix(strings.TrimSpace(res.Output), usersHeading) {
		return -1, fmt.Sprintf("qm -u: exit %d: %s", res.Exit, res.Output), nil
	}
	return countRows(res.Output), res.Output, nil
}
