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
	// stillLimit is for an end that has come already to be read.
	stillLimit = 50 * time.Millisecond
)

// Silences refuses clients whose host never answers, and restarts xinetd meanwhile:
// whoever asks is a process of its own, which asks on. So one silence does for both.
var Silences = &Look[Silenced]{
	Name: "silences", Takes: 31 * time.Second, Stage: SilentIdentity, Patient: true, Limit: 120 * time.Second,
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
		return f, f.take(ctx, q)
	},
}

func (f *Silenced) take(ctx context.Context, q *quiet) error {
	if err := afresh(ctx, q.s); err != nil {
		return err
	}
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
	if err := f.restart(ctx, q.s, clients); err != nil {
		return err
	}
	f.Kept = map[requirement.Service]Kept{}
	for service, c := range clients {
		f.Kept[service] = c.kept(ctx, q.s, string(service)+"-kept")
	}
	return nil
}

// restart restarts xinetd while questions are pending.
func (f *Silenced) restart(ctx context.Context, s *Scene, clients map[requirement.Service]*quietClient) error {
	for _, c := range clients {
		f.Pending = f.Pending || c.asked && !c.ended(ctx)
	}
	mark, err := s.MarkLog(ctx)
	if err != nil {
		return err
	}
	if _, err := s.StopXinetd(ctx, syscall.SIGTERM); err != nil {
		return err
	}
	if _, err := s.Launch(ctx, startLimit); err != nil {
		return err
	}
	f.Restarted = visitsAtOnce(ctx, s, "restarted")
	log, err := s.ReadLog(ctx, mark)
	s.Evidence.Log("restart-xinetd.log", log.Text)
	for _, r := range xinetd.Messages(log.Records) {
		if strings.Contains(r.Text, "bind failed") {
			f.BindFailures = append(f.BindFailures, r)
		}
	}
	return err
}

// visitsAtOnce is visits where a port that nobody serves would cost the other its
// time.
func visitsAtOnce(ctx context.Context, s *Scene, name string) map[requirement.Service]Visit {
	m := map[requirement.Service]Visit{}
	var wg sync.WaitGroup
	var mu sync.Mutex
	for _, service := range requirement.NetworkServices {
		wg.Go(func() {
			v := spokenWith(ctx, s, service, name)
			mu.Lock()
			defer mu.Unlock()
			m[service] = v
		})
	}
	wg.Wait()
	return m
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
	// dialled is when the second was.
	dialled time.Time
	asked   bool
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
	c.dialled = time.Now()
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

// ended says that the refused connection is over already.
func (c *quietClient) ended(ctx context.Context) bool {
	return c.second.Await(ctx, "the question to be pending still", stillLimit, wire.AtLeast(1)).Ended()
}

// kept waits for the end of the refused connection, which may be long past: the
// outcome has the time of the event.
func (c *quietClient) kept(ctx context.Context, s *Scene, name string) Kept {
	end := c.second.Await(ctx, "the end of the refused connection", max(stillLimit, keptLimit-time.Since(c.dialled)), wire.AtLeast(1))
	k := Kept{Connected: c.second.Connected(), Asked: c.asked, Outcome: end.String(), Took: end.At}
	if end.Silent() {
		// The wait was for what is left of the limit.
		k.Outcome = "nothing for " + wire.Duration(time.Since(c.dialled))
	}
	k.Refused = k.Connected && end.Ended() && end.Total == 0
	s.Evidence.Wire(name, c.second.Transcript())
	return k
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
