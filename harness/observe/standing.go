package observe

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"time"

	"qmconformance/fixtures/probe/report"
	"qmconformance/harness/process"
	"qmconformance/harness/requirement"
	"qmconformance/harness/target"
	"qmconformance/harness/wire"
)

// Looks that stop, kill, start and reload xinetd are the last of their stage, and at
// both services at once: what is done to xinetd is done to both, and one pass costs half
// of two.

// Standing is a session that was open while something was done to xinetd.
type Standing struct {
	// Opened says that it served before.
	Opened bool
	// Lives says that it answered afterwards; Said is what came where one of the
	// two is not so.
	Lives bool
	Said  string
}

// Visit is one connection, made to see whether it is served.
type Visit struct {
	Connected, Served bool
	Outcome           string
	// Context is how the program found itself, where it served.
	Context *report.Context
	Took    time.Duration
}

// held are open sessions by service.
type held map[requirement.Service]*probed

// hold opens a session on both ports and sees that each answers.
func hold(ctx context.Context, s *Scene, standing map[requirement.Service]*Standing) held {
	h := held{}
	for _, service := range requirement.NetworkServices {
		p := greetProbe(ctx, s.Dial(ctx, s.Ports[service], wire.Options{NoDelay: true}))
		h[service] = p
		at := &Standing{Said: p.greeted.String()}
		standing[service] = at
		if p.context == nil {
			continue
		}
		p.command("echo")
		if at.Said = p.echoes(ctx, "before"); at.Said == "" {
			at.Opened = true
		}
	}
	return h
}

// answer asks each session whether it still lives.
func (h held) answer(ctx context.Context, standing map[requirement.Service]*Standing) {
	for service, p := range h {
		if at := standing[service]; at.Opened {
			at.Said = p.echoes(ctx, "after")
			at.Lives = at.Said == ""
		}
	}
}

// end lets the clients end the sessions: what stays of them is on the clients' side.
func (h held) end(ctx context.Context, s *Scene, name string) {
	for service, p := range h {
		if p.link.Connected() {
			p.link.CloseWrite()
			p.end(ctx, probeEnd)
		}
		p.link.Close()
		s.Evidence.Wire(fmt.Sprintf("%s-%s", name, service), p.link.Transcript())
	}
}

// echoes has the probe send a word back; the answer is what came instead, if
// something did.
func (p *probed) echoes(ctx context.Context, word string) string {
	p.link.Send([]byte(word))
	outcome := p.link.Await(ctx, "its echo", probeEnd, wire.AtLeast(len(word)))
	if !outcome.OK() {
		return outcome.String()
	}
	if got := string(p.link.Consume(len(word))); got != word {
		return fmt.Sprintf("%q in place of %q", got, word)
	}
	return ""
}

// spokenWith connects and has the server end the connection, so that what stays of it
// (TIME_WAIT) is on the server's side.
func spokenWith(ctx context.Context, s *Scene, service requirement.Service, name string) Visit {
	began := time.Now()
	p := greetProbe(ctx, s.Dial(ctx, s.Ports[service], wire.Options{}))
	v := Visit{Connected: p.link.Connected(), Served: p.context != nil, Outcome: p.greeted.String(), Context: p.context, Took: time.Since(began)}
	if v.Connected {
		p.command("exit 0")
		p.end(ctx, probeEnd)
	}
	p.link.Close()
	if !v.Served {
		s.Evidence.Wire(fmt.Sprintf("%s-%s", name, service), p.link.Transcript())
	}
	return v
}

// visits is one to each service.
func visits(ctx context.Context, s *Scene, name string) map[requirement.Service]Visit {
	m := map[requirement.Service]Visit{}
	for _, service := range requirement.NetworkServices {
		m[service] = spokenWith(ctx, s, service, name)
	}
	return m
}

// Onlookers are the connections of a port, by state.
type Onlookers struct{ Established, TimeWait int }

func (o Onlookers) String() string {
	return fmt.Sprintf("%d established, %d in TIME_WAIT", o.Established, o.TimeWait)
}

// onlookers counts what is on each port.
func onlookers(snap process.Snapshot, s *Scene) map[requirement.Service]Onlookers {
	m := map[requirement.Service]Onlookers{}
	for service, port := range s.Ports {
		var o Onlookers
		for _, socket := range snap.Sockets {
			switch {
			case socket.Local.Port() != port:
			case socket.State == process.StateEstablished:
				o.Established++
			case socket.State == process.StateTimeWait:
				o.TimeWait++
			}
		}
		m[service] = o
	}
	return m
}

// listening is the inode of the socket that listens on each port.
func listening(snap process.Snapshot, s *Scene) map[requirement.Service]uint64 {
	m := map[requirement.Service]uint64{}
	for service, port := range s.Ports {
		for _, l := range snap.Listeners(port) {
			m[service] = l.Inode
		}
	}
	return m
}

// startLimit is how long xinetd may take to be ready again: it takes some 15 ms,
// and a busy machine may stretch that a hundredfold. What is meant by "at once" is
// not a matter of seconds.
const startLimit = 4 * time.Second

// afresh ends whatever listens on the ports and starts xinetd anew, so that no
// count of an earlier look's connections is left. A start that fails is seen by
// whoever wants to be served then.
func afresh(ctx context.Context, s *Scene) error {
	if _, err := s.StopXinetd(ctx, syscall.SIGKILL); err != nil {
		return err
	}
	if err := endListeners(ctx, s); err != nil {
		return err
	}
	_, err := s.Launch(ctx, startLimit)
	return err
}

// endListeners ends the xinetd that the init script started, and whatever else
// holds one of the ports or is about to: a script in xinetd's place may wait still,
// and would take the port from the one that is started now.
func endListeners(ctx context.Context, s *Scene) error {
	for began := time.Now(); time.Since(began) < stateLimit; {
		snap, err := s.Snapshot(ctx)
		if err != nil {
			return err
		}
		pids := append(listenersOf(snap, s), startersOf(snap)...)
		if len(pids) == 0 {
			return nil
		}
		for _, pid := range pids {
			// It may have ended since.
			_ = s.Signal(ctx, pid, syscall.SIGKILL)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(gonePoll):
		}
	}
	return nil
}

// startersOf are the processes that are xinetd or were started as it: a script's own
// name is among the arguments of its interpreter.
func startersOf(snap process.Snapshot) []int {
	var pids []int
	for _, p := range snap.Processes {
		if p.PID > 1 && p.State != "Z" && slices.Contains(p.Args, target.XinetdArgv[0]) {
			pids = append(pids, p.PID)
		}
	}
	return pids
}

// listenersOf are the processes that listen on one of the ports.
func listenersOf(snap process.Snapshot, s *Scene) []int {
	var pids []int
	for _, port := range s.Ports {
		for _, l := range snap.Listeners(port) {
			for _, p := range snap.Holders(l.Inode) {
				if p.PID > 1 && !slices.Contains(pids, p.PID) {
					pids = append(pids, p.PID)
				}
			}
		}
	}
	return pids
}
