package observe

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"

	"qmconformance/harness/agent"
	"qmconformance/harness/requirement"
	"qmconformance/harness/target"
	"qmconformance/harness/wire"
	"qmconformance/harness/xinetd"
)

// SilentIdentity is a stage of its own: a question that is pending lasts for 30 s, and
// meanwhile xinetd cannot be restarted.
var SilentIdentity = Probed("silent-identity")

// Kept is a refused client whose host is asked for the user, and says nothing.
type Kept struct {
	Connected bool
	// Asked says that the question came to the host.
	Asked bool
	// Refused says that the connection ended without a byte, Took after what time.
	Refused bool
	Outcome string
	Took    time.Duration
}

// Silenced is what a silent identity server does to its own client, to others, and
// to a restart.
type Silenced struct {
	Kept map[requirement.Service]Kept
	// Others came from another address while the questions were pending.
	Others map[requirement.Service]Visit
	// Pending says that a question was pending when xinetd was restarted; Restarted
	// came after that, and BindFailures is what xinetd logged meanwhile.
	Pending      bool
	Restarted    map[requirement.Service]Visit
	BindFailures []xinetd.Record
}

const (
	// askedLimit is for the question to arrive, which takes a millisecond.
	askedLimit = 5 * time.Second
	// keptLimit is for the end of the refused connection: xinetd gives up after 30 s
	// (xconfig.h, LOGUSER_FAILURE_TIMEOUT).
	keptLimit = 40 * time.Second
)

// Silences refuses clients whose host never answers.
var Silences = &Look[Silenced]{
	Name: "silences", Stage: SilentIdentity, Patient: true, Limit: 150 * time.Second,
	Take: func(ctx context.Context, s *Scene) (f Silenced, err error) {
		q := &quiet{s: s}
		if q.host, err = s.Clients(ctx); err != nil {
			return f, err
		}
		if q.from, err = q.host.TakeAddress(ctx, false); err != nil {
			return f, err
		}
		if err := q.host.Ident(ctx, agent.IdentRequest{Manner: agent.IdentSilent, At: q.from}); err != nil {
			return f, err
		}
		edition, err := editBoth(ctx, s, Setting{"per_source", "1"}, Setting{"instances", "UNLIMITED"}, Setting{"cps", "0 0"})
		if err != nil {
			return f, err
		}
		defer func() { err = errors.Join(err, edition.Undo(ctx)) }()
		if err := f.restart(ctx, q); err != nil {
			return f, err
		}
		return f, f.wait(ctx, q)
	},
}

// restart restarts xinetd while a question is pending. afresh before and after ends
// whoever holds one of the listening sockets, those that wait for an answer too.
func (f *Silenced) restart(ctx context.Context, q *quiet) error {
	if err := afresh(ctx, q.s); err != nil {
		return err
	}
	c, err := q.refused(ctx, requirement.QMServer)
	defer c.leave(ctx)
	if err != nil {
		return err
	}
	f.Pending = c.asked
	mark, err := q.s.MarkLog(ctx)
	if err != nil {
		return err
	}
	if _, err := q.s.StopXinetd(ctx, syscall.SIGTERM); err != nil {
		return err
	}
	if _, err := q.s.Launch(ctx, startLimit); err != nil {
		return err
	}
	f.Restarted = visits(ctx, q.s, "restarted")
	log, err := q.s.ReadLog(ctx, mark)
	q.s.Evidence.Text("restart-xinetd.log", log.Text)
	for _, r := range xinetd.Messages(log.Records) {
		if strings.Contains(r.Text, "bind failed") {
			f.BindFailures = append(f.BindFailures, r)
		}
	}
	return err
}

// wait has a client refused at each port, lets others come, and awaits the ends.
func (f *Silenced) wait(ctx context.Context, q *quiet) error {
	if err := afresh(ctx, q.s); err != nil {
		return err
	}
	f.Kept = map[requirement.Service]Kept{}
	clients := map[requirement.Service]*quietClient{}
	for _, service := range requirement.NetworkServices {
		c, err := q.refused(ctx, service)
		defer c.leave(ctx)
		if err != nil {
			return err
		}
		clients[service] = c
	}
	f.Others = visits(ctx, q.s, "others")
	var wg sync.WaitGroup
	var mu sync.Mutex
	for service, c := range clients {
		wg.Go(func() {
			end := c.second.Await(ctx, "the end of the refused connection", keptLimit, wire.AtLeast(1))
			k := Kept{Connected: c.second.Connected(), Asked: c.asked, Outcome: end.String(), Took: end.At}
			k.Refused = k.Connected && end.Ended() && end.Total == 0
			q.s.Evidence.Wire(string(service)+"-kept", c.second.Transcript())
			mu.Lock()
			defer mu.Unlock()
			f.Kept[service] = k
		})
	}
	wg.Wait()
	return nil
}

// quiet is a client host, with an address whose identity server is silent.
type quiet struct {
	s    *Scene
	host *target.ClientHost
	from netip.Addr
}

// quietClient has a session, and a second connection that is refused for being one
// too many of its address.
type quietClient struct {
	first  *probed
	second wire.Link
	asked  bool
}

// refused never returns nil, so that what there is of it can be left.
func (q *quiet) refused(ctx context.Context, service requirement.Service) (*quietClient, error) {
	c := &quietClient{}
	to := agent.DialRequest{Remote: netip.AddrPortFrom(q.s.V4, q.s.Ports[service]), Source: q.from}
	link, err := q.host.Dial(ctx, to)
	if err != nil {
		return c, err
	}
	c.first = greetProbe(ctx, link)
	before, err := q.host.IdentQueries(ctx, 0)
	if err != nil {
		return c, err
	}
	if c.second, err = q.host.Dial(ctx, to); err != nil {
		return c, err
	}
	for began := time.Now(); !c.asked && time.Since(began) < askedLimit; {
		queries, err := q.host.IdentQueries(ctx, len(before))
		if err != nil {
			return c, err
		}
		for _, one := range queries {
			c.asked = c.asked || one.To.Addr() == q.from
		}
		if err := pause(ctx, gonePoll); err != nil {
			return c, err
		}
	}
	return c, nil
}

func (c *quietClient) leave(ctx context.Context) {
	if c.second != nil {
		c.second.Close()
	}
	if c.first != nil {
		c.first.command("exit 0")
		c.first.end(ctx, probeEnd)
		c.first.link.Close()
	}
}
