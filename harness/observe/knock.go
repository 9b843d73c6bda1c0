package observe

import (
	"context"
	"fmt"
	"net/netip"
	"sync"

	"qmconformance/harness/agent"
	"qmconformance/harness/requirement"
	"qmconformance/harness/wire"
	"qmconformance/harness/xinetd"
)

// Knock is one connection that a rule was to admit or to refuse, on three planes.
type Knock struct {
	Service requirement.Service
	// Who is the client's name in its trial, "A" or "A again".
	Who    string
	Client netip.Addr

	// Connected says that the handshake was completed, Result and Outcome how the
	// wait for the program's first line ended.
	Connected bool
	Result    wire.Result
	Outcome   string
	// Served says that the program in qm's place spoke; Argv, Peer and Limits are
	// from its own account of itself, Nice is the kernel's.
	Served bool
	PID    int
	Argv   []string
	Peer   string
	Limits map[string]string
	Nice   int
	// Reason is that of the FAIL line that xinetd logged for this connection; Logged
	// says that there is one.
	Reason string
	Logged bool
}

// Refused says that the client saw a refusal of its connection: it was accepted,
// and ended in order before any program spoke.
func (k Knock) Refused() bool { return k.Connected && !k.Served && k.Result == wire.EndedByFIN }

// Closed says that nothing listened.
func (k Knock) Closed() bool { return k.Result == wire.Refused }

func (k Knock) String() string {
	text := fmt.Sprintf("%s (%v) ", k.Who, k.Client)
	switch {
	case k.Served:
		text += "served"
	case k.Refused():
		text += "refused (" + k.Outcome + ")"
	default:
		text += k.Outcome
	}
	switch {
	case k.Logged:
		text += ", logged FAIL " + k.Reason
	case k.Refused():
		text += ", no FAIL line logged"
	}
	return text
}

// visit is a knock whose connection may still be open.
type visit struct {
	*Knock
	p    *probed
	left bool
}

// leave ends connections in order and waits for the programs' ends. One that has
// left may leave again.
func leave(ctx context.Context, visits ...*visit) {
	var wg sync.WaitGroup
	for _, v := range visits {
		if v.left {
			continue
		}
		v.left = true
		wg.Go(func() {
			if v.Served {
				v.p.command("exit 0")
				v.p.end(ctx, probeEnd)
			}
			v.p.link.Close()
		})
	}
	wg.Wait()
}

// knock connects from one address of the client host and waits for the program.
func (g *ground) knock(ctx context.Context, service requirement.Service, who string, from netip.Addr) (*visit, error) {
	k := &Knock{Service: service, Who: who, Client: from}
	to := g.s.V4
	if from.Is6() {
		to = g.s.V6
	}
	// Who is on the target itself has its loopback for both ends.
	dial := g.host.Dial
	if from.IsLoopback() {
		dial, to = g.s.Client.Dial, from
	}
	link, err := dial(ctx, agent.DialRequest{Remote: netip.AddrPortFrom(to, g.s.Ports[service]), Source: from})
	if err != nil {
		return nil, err
	}
	p := greetProbe(ctx, link)
	k.Connected, k.Result, k.Outcome = link.Connected(), p.greeted.Result, p.greeted.String()
	if c := p.context; c != nil {
		k.Served, k.PID, k.Argv, k.Peer = true, c.PID, c.Argv, c.Socket.Peer
		k.Limits = map[string]string{}
		for name, l := range c.Limits {
			k.Limits[name] = l.Soft
		}
	}
	return &visit{Knock: k, p: p}, nil
}

// caller is a service and the client that knocks at it.
type caller struct {
	service requirement.Service
	who     string
}

// atOnceAll has all callers knock side by side and keeps their connections open.
func (d *during) atOnceAll(ctx context.Context, callers []caller) ([]*visit, error) {
	visits, errs := make([]*visit, len(callers)), make([]error, len(callers))
	var wg sync.WaitGroup
	for i, c := range callers {
		wg.Go(func() { visits[i], errs[i] = d.g.knock(ctx, c.service, c.who, d.g.client(c.who)) })
	}
	wg.Wait()
	for i := range callers {
		if errs[i] != nil {
			return nil, errs[i]
		}
		d.visits = append(d.visits, visits[i])
	}
	return visits, nil
}

// everybody has the named clients knock at both services, all side by side.
func (d *during) everybody(ctx context.Context, who ...string) error {
	_, err := d.atOnceAll(ctx, d.g.callers(who...))
	return err
}

// callers are the named clients at each service. One that has no IPv6 is spared
// the clients that have nothing else.
func (g *ground) callers(who ...string) []caller {
	var list []caller
	for _, service := range g.services {
		for _, w := range who {
			if g.client(w).Is6() && g.ipv4Only[service] || !g.client(w).IsValid() {
				continue
			}
			list = append(list, caller{service, w})
		}
	}
	return list
}

// assign gives each refused connection the FAIL line that is about it: the first
// in the log's order that names its address, or no address at all, and is not
// about an earlier one. It says whether all have one.
func assign(visits []*visit, records []xinetd.Record, ids map[requirement.Service]string) (complete bool) {
	complete = true
	for service, id := range ids {
		fails := xinetd.Entries(records, xinetd.Fail, id)
		for _, v := range visits {
			if v.Service != service || !v.Refused() {
				continue
			}
			v.Logged = false
			for i, f := range fails {
				if f.From == v.Client || !f.From.IsValid() {
					v.Logged, v.Reason = true, f.Reason
					fails = append(fails[:i:i], fails[i+1:]...)
					break
				}
			}
			complete = complete && v.Logged
		}
	}
	return complete
}
