package observe

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"qmconformance/harness/requirement"
	"qmconformance/harness/wire"
	"qmconformance/harness/xinetd"
)

// Burst is what came of many connections at the same moment.
type Burst struct {
	Service requirement.Service
	// AtOnce are the connections of the burst.
	AtOnce []Arrival
	// Afterwards is one connection after it.
	Afterwards Attempt
}

// Arrival is one connection of a burst: served, turned away, or left without an
// answer.
type Arrival struct {
	Served     bool
	TurnedAway bool
	Outcome    string
}

// burstSize is what fits into xinetd's accept queue: it asks for 64 (defs.h:114),
// and the kernel adds one. What comes beyond that is the kernel's to lose.
const burstSize = 60

// burstLimit is how long the last of a burst may wait for its greeting: sixty
// programs are started within a second, also by wrappers that are scripts.
const burstLimit = 10 * time.Second

// Burstiness dials many times at once, with the probe in qm's place. The limit on
// the rate is out of the way, since it would close the port, as it should; that
// takes a start of xinetd before and after, for which the looks at limits have no
// use: they would meet what sixty ended connections leave on the port.
var Burstiness = &Look[Burst]{
	Name: "burst", Takes: 300 * time.Millisecond, Stage: WithProbe, Last: true, Each: true, Limit: 60 * time.Second,
	Take: func(ctx context.Context, s *Scene) (f Burst, err error) {
		f.Service = s.Service
		edition, err := s.Edit(ctx, xinetd.Set(string(s.Service), "cps", "1000 1"))
		if err != nil {
			return f, err
		}
		defer func() {
			undone := edition.Undo(ctx)
			err = errors.Join(err, undone, afresh(context.WithoutCancel(ctx), s))
		}()
		if err := afresh(ctx, s); err != nil {
			return f, err
		}
		f.AtOnce = make([]Arrival, burstSize)
		var wg sync.WaitGroup
		for i := range burstSize {
			wg.Go(func() {
				p := greetProbeWithin(ctx, s.Dial(ctx, s.Port, wire.Options{}), burstLimit)
				f.AtOnce[i] = Arrival{
					Served: p.context != nil, TurnedAway: p.greeted.Ended() || p.greeted.Result == wire.Refused,
					Outcome: p.greeted.String(),
				}
				p.command("exit 0")
				p.end(ctx, probeEnd)
				p.link.Close()
				if !f.AtOnce[i].Served {
					s.Evidence.Wire(fmt.Sprintf("%s-burst-%d", s.Service, i+1), p.link.Transcript())
				}
			})
		}
		wg.Wait()
		p := greetProbe(ctx, s.Dial(ctx, s.Port, wire.Options{}))
		f.Afterwards = attempt(p, time.Now())
		p.command("exit 0")
		p.end(ctx, probeEnd)
		p.link.Close()
		s.Evidence.Wire(string(s.Service)+"-afterwards", p.link.Transcript())
		return f, nil
	},
}
