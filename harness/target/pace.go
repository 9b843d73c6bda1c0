package target

import (
	"context"
	"sync"
	"time"

	"qmconformance/harness/requirement"
	"qmconformance/harness/xinetd"
)

// paces keep a client of ours below the rate of connections that a package allows: that
// it is kept to is judged elsewhere, and a look that runs into it would find a closed
// port. Limits are not lifted where a target is judged as it was shipped.
type paces struct {
	mu sync.Mutex
	of map[uint16]*pace
}

// pace is how many connections may be made in a paceWindow, and when the last were.
type pace struct {
	most int
	last []time.Time
}

// paceWindow is two seconds, and what a clock of whole seconds adds. xinetd divides the
// connections since the first one by the whole seconds since then, of which the first
// counts for one, and closes the port where that is more than cps (access.c): with as
// many as cps in any two seconds it never is.
const paceWindow = 2100 * time.Millisecond

// Pace has connections made no faster than the services allow. dump is the state of the
// xinetd that runs. A rate that is lower than every package has to allow is a violation,
// and nothing waits for it.
func (t *Target) Pace(dump xinetd.Dump) {
	t.paces.mu.Lock()
	defer t.paces.mu.Unlock()
	t.paces.of = map[uint16]*pace{}
	for _, service := range requirement.NetworkServices {
		for _, s := range dump.Service(string(service)) {
			rate := s.ConnectionsPerSecond
			if !rate.Set {
				rate = dump.Defaults.ConnectionsPerSecond
			}
			if s.Port.Set && rate.Set && rate.Value >= leastRate && rate.Value < easyRate {
				t.paces.of[uint16(s.Port.Value)] = &pace{most: rate.Value - 1}
			}
		}
	}
}

// leastRate is what a package has to allow (SERV-23).
const leastRate = 10

// await waits for the turn of a connection to a port.
func (p *paces) await(ctx context.Context, port uint16) {
	for {
		wait := p.take(port, time.Now())
		if wait <= 0 {
			return
		}
		select {
		case <-ctx.Done():
			return // the dial says so
		case <-time.After(wait):
		}
	}
}

// take notes a connection that may be made now, or says how long to wait.
func (p *paces) take(port uint16, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.of[port]
	if a == nil {
		return 0
	}
	if len(a.last) == a.most {
		if wait := a.last[0].Add(paceWindow).Sub(now); wait > 0 {
			return wait
		}
		a.last = a.last[1:]
	}
	a.last = append(a.last, now)
	return 0
}
