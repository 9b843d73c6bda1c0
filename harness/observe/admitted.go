package observe

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"qmconformance/harness/requirement"
	"qmconformance/harness/wire"
	"qmconformance/harness/xinetd"
)

// Attempt is one connection that was to be admitted.
type Attempt struct {
	Served bool
	// Outcome is what came of it where it was not served.
	Outcome string
	At      time.Duration // since the first attempt of the series
}

// Admitted is what the super-server's limits let in.
type Admitted struct {
	Service requirement.Service
	// AtOnce are connections held open side by side from one address; InASecond are
	// those and some more, one after the other, within one second. Neither goes on
	// after one that was left without any answer: nothing tells of the limits then,
	// and each would take its whole wait.
	AtOnce    []Attempt
	InASecond []Attempt
	Within    time.Duration
	// Config is what xinetd was told.
	Config xinetd.Config
	// Refusals are the FAIL reasons that xinetd logged meanwhile.
	Refusals []string
}

// The numbers of the contract. Those at once count for the rate as well, so that no
// more connections are made in a second than it speaks of.
const (
	atOnce    = 3
	inASecond = 10
)

// Admission tries the limits with the probe in qm's place, so that no user slot
// of the database is at stake, and with a fresh xinetd where the package's limits are
// low: the rate is for it the number of connections by the whole seconds since the
// first of them, for as many seconds as connections are allowed (access.c, cps). Ten in
// a second pass for five where one came three seconds before.
var Admission = &Look[Admitted]{
	Name: "admission", Stage: WithProbe, Each: true, Limit: 60 * time.Second,
	Take: func(ctx context.Context, s *Scene) (f Admitted, err error) {
		f.Service = s.Service
		err = s.Strictly(ctx, func() error { return f.admit(ctx, s) })
		return f, err
	},
}

func (f *Admitted) admit(ctx context.Context, s *Scene) (err error) {
	if f.Config, _, err = s.Configuration(ctx); err != nil {
		return err
	}
	mark, err := s.MarkLog(ctx)
	if err != nil {
		return err
	}
	var open []*probed
	began, silent := time.Now(), false
	for i := 0; i < atOnce && !silent; i++ {
		p := greetProbe(ctx, s.Dial(ctx, s.Port, wire.Options{}))
		open = append(open, p)
		f.AtOnce = append(f.AtOnce, attempt(p, began))
		defer func() {
			p.link.Close()
			s.Evidence.Wire(fmt.Sprintf("%s-at-once-%d", s.Service, i+1), p.link.Transcript())
		}()
		silent = p.greeted.Silent()
	}
	end := probeEnd
	for _, p := range open {
		p.leave(ctx, &end)
	}
	// The rate is one of accepted connections: they need not be open together.
	f.InASecond = slices.Clone(f.AtOnce)
	for i := atOnce; i < inASecond && !silent; i++ {
		p := greetProbe(ctx, s.Dial(ctx, s.Port, wire.Options{}))
		a := attempt(p, began)
		f.InASecond = append(f.InASecond, a)
		p.leave(ctx, &end)
		p.link.Close()
		if !a.Served {
			s.Evidence.Wire(fmt.Sprintf("%s-in-a-second-%d", s.Service, i+1), p.link.Transcript())
		}
		silent = p.greeted.Silent()
	}
	f.Within = time.Since(began)
	// A refusal is logged before the client sees its end; one read is enough for
	// the reasons, and none is due where all were served.
	log, err := s.ReadLog(ctx, mark)
	for _, r := range xinetd.Entries(log.Records, xinetd.Fail, LogID(f.Config, s.Service)) {
		f.Refusals = append(f.Refusals, r.Reason)
	}
	s.Evidence.Log("xinetd.log", log.Text)
	return err
}

func attempt(p *probed, began time.Time) Attempt {
	return Attempt{Served: p.context != nil, Outcome: p.greeted.String(), At: time.Since(began)}
}

// Reached is on which addresses a service answers.
type Reached struct {
	Service requirement.Service
	Port    uint16
	// IPv4 and IPv6 are the tries by address.
	IPv4, IPv6 []Try
	// Families are those of the listening sockets, as the kernel has them.
	Families []string
	// Flags are the service's in effect; IPv4 or IPv6 is among them.
	Flags  []string
	Bind   string
	Config xinetd.Config
}

// Try is a connection to one address.
type Try struct {
	Address netip.AddrPort
	// Connected says that the handshake was completed, Served that the program
	// spoke.
	Connected bool
	Served    bool
	Outcome   string
}

// Reach tries every IPv4 address that the target has.
var Reach = &Look[Reached]{
	Name: "reach", Stage: WithProbe, Each: true, Limit: 60 * time.Second,
	Take: func(ctx context.Context, s *Scene) (Reached, error) { return reach(ctx, s, false) },
}

// ReachIPv6 tries those of both families: what answers on IPv6 is compared with what
// does on IPv4.
var ReachIPv6 = &Look[Reached]{
	Name: "reach-ipv6", Stage: WithProbe, Each: true, Limit: 60 * time.Second,
	// A target's IPv6 address may be tentative for its first seconds, in which what
	// needs none is looked at.
	Behind: []Plan{Admission.Plan(), Streams.Plan()},
	Take: func(ctx context.Context, s *Scene) (Reached, error) {
		if err := s.AwaitIPv6(ctx); err != nil {
			return Reached{}, err
		}
		return reach(ctx, s, true)
	},
}

func reach(ctx context.Context, s *Scene, ipv6 bool) (f Reached, err error) {
	f = Reached{Service: s.Service, Port: s.Port}
	if f.Config, _, err = s.Configuration(ctx); err != nil {
		return f, err
	}
	text, err := s.Dump(ctx)
	if err != nil {
		return f, err
	}
	dump, err := xinetd.ParseDump(text)
	if err != nil {
		return f, err
	}
	for _, e := range dump.Service(string(s.Service)) {
		f.Flags, f.Bind = e.Flags, e.Bind
	}
	s.Evidence.Text("state-dump", text)
	snap, err := s.Snapshot(ctx)
	if err != nil {
		return f, err
	}
	for _, l := range snap.Listeners(s.Port) {
		f.Families = append(f.Families, l.Family)
	}
	t := &reacher{scene: s, limit: probeGreeting, end: probeEnd}
	if f.IPv4, err = t.both(ctx, s.V4, netip.MustParseAddr("127.0.0.1")); err != nil || !ipv6 {
		return f, err
	}
	f.IPv6, err = t.both(ctx, s.V6, netip.IPv6Loopback())
	return f, err
}

// reacher tries addresses of a target.
type reacher struct {
	scene      *Scene
	limit, end time.Duration
}

// both tries an address from outside, if the target has one, and one of its loopback.
func (r *reacher) both(ctx context.Context, outside, loopback netip.Addr) (tries []Try, err error) {
	if outside.IsValid() {
		at := netip.AddrPortFrom(outside, r.scene.Port)
		tries = append(tries, r.try(ctx, at, r.scene.Dial(ctx, at.Port(), wire.Options{Remote: at})))
	}
	at := netip.AddrPortFrom(loopback, r.scene.Port)
	link, err := r.scene.DialInside(ctx, at)
	if err != nil {
		return tries, err
	}
	return append(tries, r.try(ctx, at, link)), nil
}

func (r *reacher) try(ctx context.Context, at netip.AddrPort, link wire.Link) Try {
	p := greetProbeWithin(ctx, link, r.limit)
	t := Try{Address: at, Connected: link.Connected(), Served: p.context != nil, Outcome: p.greeted.String()}
	if t.Connected && p.greeted.Silent() {
		// A program that is silent for one address will be for the others; whether the
		// port is open there takes no wait.
		r.limit = afterSilence
	}
	p.leave(ctx, &r.end)
	link.Close()
	r.scene.Evidence.Wire(fmt.Sprintf("%s-%s", r.scene.Service, at.Addr()), link.Transcript())
	return t
}
