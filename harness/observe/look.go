// Package observe holds the ways to look at a target: each drives it on the wire,
// reads its logs and its kernel state, and returns plain facts. A fact is never
// a verdict: the rules in suites/ judge, and may judge recorded facts again.
package observe

import (
	"context"
	"fmt"
	"time"

	"qmconformance/harness/evidence"
	"qmconformance/harness/requirement"
	"qmconformance/harness/target"
)

// Stage names the target that a look needs. Looks of one stage share a target
// and take turns on it; stages run beside each other.
type Stage string

// The stages.
const (
	// AsShipped is the subject just as it was packaged.
	AsShipped Stage = "as-shipped"
	// WithProbe has our probe in qm's place: it echoes, counts and tells of itself
	// where qm would interpret what it is sent.
	WithProbe Stage = "with-probe"
)

// withProbe are the stages that have the probe in qm's place from their start.
var withProbe = map[Stage]bool{WithProbe: true}

// Probed makes a stage one with the probe in qm's place; areas that define stages
// of their own call it when the program starts.
func Probed(s Stage) Stage {
	withProbe[s] = true
	return s
}

// HasProbe says whether the stage's target has the probe in qm's place.
func (s Stage) HasProbe() bool { return withProbe[s] }

// Cannot is the error of a stage whose target lacks a capability, where that shows only
// when the target is wanted.
type Cannot struct {
	Capability requirement.Capability
	// Why is what the machine or the base is without.
	Why string
}

func (c *Cannot) Error() string { return fmt.Sprintf("this target cannot %s: %s", c.Capability, c.Why) }

// Scene is what a look has at hand.
type Scene struct {
	*target.Target
	// Service is the one that is looked at; Host where the look is about both.
	Service requirement.Service
	// Port is the service's in this target; 0 for the host.
	Port uint16
	// Ports are those of both services, for a look at more than one.
	Ports map[requirement.Service]uint16
	// Clients boots another host on the target's network when it is first asked
	// for, one for the whole run; every caller takes addresses of its own there.
	Clients func(ctx context.Context) (*target.ClientHost, error)
	// Evidence takes whatever would explain a verdict.
	Evidence *evidence.Bundle
}

// Look is one way to look at a target.
type Look[T any] struct {
	// Name is unique; it names the recorded observation.
	Name  string
	Stage Stage
	// Each says that it is taken for each network service, not once for the host.
	Each bool
	// Limit bounds the whole look: the sum of its waits, and what a busy machine
	// adds.
	Limit time.Duration
	// Takes is how long it takes on a quiet machine with two cores and a target that
	// is up, where that is more than a moment: what takes longest begins first. It
	// bounds nothing.
	Takes time.Duration
	// Patient says that it spends its time in waiting, for a time-out or the end of
	// a pause: it takes no turn from looks that work.
	Patient bool
	// After are looks of the same stage that would see what this one leaves behind:
	// they are taken before it.
	After []Plan
	// Behind are looks of the same stage for which more waits than for this one:
	// where a run takes them too, what rests on them is judged first.
	Behind []Plan
	// Last says that it leaves a target behind that is good for nothing else: all looks
	// of its stage that are not Last too, and that the run may need, go before it.
	Last bool
	// Take looks. An error means that the harness could not tell; whatever the
	// subject did is a fact in T.
	Take func(ctx context.Context, s *Scene) (T, error)
}

// Plan is the part of a look that does not depend on the type of its facts.
type Plan struct {
	Name  string
	Stage Stage
	Each  bool
	Limit time.Duration
	// Takes orders plans.
	Takes time.Duration
	// Patient plans run beside those that take turns on the processors.
	Patient bool
	// After are taken before it.
	After []Plan
	// Behind go first where they are taken at all.
	Behind []Plan
	// Last plans are taken when all others of their stage have been.
	Last bool
	Take func(ctx context.Context, s *Scene) (any, error)
	// Blank is a pointer to facts of the look's type, to read recorded ones into.
	Blank func() any
}

// Plan returns it.
func (l *Look[T]) Plan() Plan {
	return Plan{
		Name: l.Name, Stage: l.Stage, Each: l.Each, Limit: l.Limit, Takes: l.Takes, Patient: l.Patient, After: l.After, Behind: l.Behind, Last: l.Last,
		Take:  func(ctx context.Context, s *Scene) (any, error) { return l.Take(ctx, s) },
		Blank: func() any { return new(T) },
	}
}

// For is the service under which a look is taken to judge a requirement for s.
func (p Plan) For(s requirement.Service) requirement.Service {
	if p.Each {
		return s
	}
	return requirement.Host
}
