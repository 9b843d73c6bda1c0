package judge

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"qmconformance/harness/evidence"
	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
	"qmconformance/harness/wire"
)

// Key is a requirement for a service.
type Key struct {
	ID      string
	Service requirement.Service
}

// Stages gives looks their targets. A target is booted when it is first asked
// for; an error is ours or Docker's, never the subject's.
type Stages interface {
	Scene(ctx context.Context, stage observe.Stage, service requirement.Service) (*observe.Scene, error)
	// Capabilities are what the targets can do.
	Has(requirement.Capability) bool
}

// Ruling is a verdict with what it rests on.
type Ruling struct {
	verdict.Verdict
	Bundle *evidence.Bundle
	// Where is the line of the subject that decides, where the rule knows it.
	Where verdict.Place
	// Look is the name of the look that it rests on, Facts what the look reported,
	// and Unobserved why it came to no end. They are empty where none was taken.
	Look       string
	Facts      any
	Unobserved string
	// Circumstance is what the known-failing list was asked about.
	Circumstance verdict.Circumstance
	// Cut says that the run ended before it could be judged.
	Cut bool
}

// Court judges. It is safe for use by many goroutines: every look is taken once
// and every verdict reached once, whoever asks first.
type Court struct {
	Catalogue *requirement.Catalogue
	// Specs are those to judge by; nil for the registered ones.
	Specs Specs
	Known verdict.KnownFailures
	// Circumstance is asked for when the known-failing list is: some of it, such as
	// the version of qm, is known only after a look.
	Circumstance func() verdict.Circumstance
	Stages       Stages
	// Procs bounds how many looks are under way at once, beside the patient ones.
	Procs int
	// Keep writes the evidence of a ruling and says where; it is called before
	// anybody learns of the verdict, and may be nil.
	Keep func(Ruling) string
	// KeepOwn does so in its place, when a spec of this process has its verdict: where
	// several processes share one folder for results.
	KeepOwn func(Ruling) string
	// Announce is told every verdict as it is reached; it may be nil.
	Announce func(Ruling)
	// Looking is told when a look begins and when it has ended; it may be nil.
	Looking func(name string, s requirement.Service, begins bool)

	once   sync.Once
	turns  *turns
	chains map[string]time.Duration
	mu     sync.Mutex
	// launched are the keys that the run judges.
	launched []Key
	looks    map[lookKey]*future[taken]
	judged   map[Key]*future[Ruling]
}

// queueing is how long a look keeps its turn after its end, so that those that waited
// for what it found are in the queue, and one of them is next if most waits for it:
// judging takes less.
const queueing = 3 * time.Millisecond

type lookKey struct {
	name    string
	service requirement.Service
}

// taken is what a look gave.
type taken struct {
	facts  any
	bundle *evidence.Bundle
	err    error
	took   time.Duration
}

// future is a value that is computed once and may be waited for.
type future[T any] struct {
	done  chan struct{}
	value T
}

func (c *Court) init() {
	c.once.Do(func() {
		c.turns = newTurns(max(1, c.Procs))
		c.chains = c.specs().chains(c.Catalogue)
		c.looks = map[lookKey]*future[taken]{}
		c.judged = map[Key]*future[Ruling]{}
	})
}

// Launch judges all the keys in the background, in their order as far as they
// don't wait for each other.
func (c *Court) Launch(ctx context.Context, keys []Key) {
	c.init()
	c.mu.Lock()
	c.launched = append(c.launched, keys...)
	c.mu.Unlock()
	for _, p := range c.specs().expected(keys) {
		c.turns.expect(p)
	}
	for _, k := range keys {
		go c.Ruling(ctx, k)
	}
}

// yield waits until what rests on the looks that this one is behind is judged, as far
// as the run judges it.
func (c *Court) yield(ctx context.Context, p observe.Plan) {
	c.mu.Lock()
	launched := c.launched
	c.mu.Unlock()
	for _, first := range p.Behind {
		for _, k := range launched {
			if c.specs()[k.ID].Plan.Name == first.Name {
				c.Ruling(ctx, k)
			}
		}
	}
	if p.Last {
		c.exhaust(ctx, p.Stage, launched)
	}
}

// exhaust judges all that rests on looks of a stage that are not the last there: what
// the run judges, and what might explain it.
func (c *Court) exhaust(ctx context.Context, stage observe.Stage, launched []Key) {
	wanted := map[requirement.Service]bool{requirement.Host: true}
	for _, k := range launched {
		wanted[k.Service] = true
	}
	for _, id := range c.specs().closure(c.Catalogue, launched) {
		if p := c.specs()[id].Plan; p.Stage != stage || p.Last {
			continue
		}
		r, _ := c.Catalogue.Get(id)
		for _, s := range r.Services {
			if wanted[s] {
				c.Ruling(ctx, Key{id, s})
			}
		}
	}
}

// Ruling is the verdict of a requirement for a service. It waits for what the
// verdict rests on; when ctx ends first the verdict is an error of the harness.
func (c *Court) Ruling(ctx context.Context, k Key) Ruling {
	c.init()
	c.mu.Lock()
	f, there := c.judged[k]
	if !there {
		f = &future[Ruling]{done: make(chan struct{})}
		c.judged[k] = f
	}
	c.mu.Unlock()
	if !there {
		f.value = c.judge(ctx, k)
		// What the end of the run cut off was not judged, and leaves no verdict.
		f.value.Cut = ctx.Err() != nil && f.value.Kind == verdict.Error
		if c.Keep != nil && !f.value.Cut {
			f.value.Evidence = c.Keep(f.value)
		}
		close(f.done)
		if c.Announce != nil && !f.value.Cut {
			c.Announce(f.value)
		}
	}
	<-f.done
	return f.value
}

// take takes a look once. Looks of one stage take turns, so that none sees
// what another does to the target.
func (c *Court) take(ctx context.Context, p observe.Plan, s requirement.Service) taken {
	k := lookKey{p.Name, p.For(s)}
	c.mu.Lock()
	f, there := c.looks[k]
	if !there {
		f = &future[taken]{done: make(chan struct{})}
		c.looks[k] = f
	}
	c.mu.Unlock()
	if !there {
		for _, before := range p.After {
			c.take(ctx, before, s)
		}
		c.yield(ctx, p)
		c.turns.begin(p, c.chains[p.Name])
		c.tell(k, true)
		f.value = c.look(ctx, p, k.service)
		c.tell(k, false)
		close(f.done)
		time.AfterFunc(queueing, func() { c.turns.end(p) })
	}
	<-f.done
	return f.value
}

func (c *Court) tell(k lookKey, begins bool) {
	if c.Looking != nil {
		c.Looking(k.name, k.service, begins)
	}
}

func (c *Court) look(ctx context.Context, p observe.Plan, s requirement.Service) (t taken) {
	t.bundle = &evidence.Bundle{}
	if ctx.Err() != nil {
		t.err = fmt.Errorf("not looked at: %w", context.Cause(ctx))
		return t
	}
	began := time.Now()
	defer func() {
		t.took = time.Since(began)
		if r := recover(); r != nil {
			t.err = fmt.Errorf("look %s: panic: %v", p.Name, r)
			t.bundle.Text("panic", fmt.Sprintf("%v\n\n%s", r, debug.Stack()))
		}
	}()
	scene, err := c.Stages.Scene(ctx, p.Stage, s)
	if err != nil {
		t.err = err
		return t
	}
	scene.Evidence = t.bundle
	if scene.Target != nil {
		t.bundle.Packets(scene.Target.PacketsOf)
	}
	limited, cancel := context.WithTimeoutCause(ctx, p.Limit, fmt.Errorf("look %s did not end within its limit of %v", p.Name, p.Limit))
	defer cancel()
	limited, trouble := wire.WithTrouble(limited)
	t.facts, t.err = p.Take(limited, scene)
	if t.err == nil {
		t.err = trouble.Err()
	}
	// Facts of a look that was ended are not facts: a wait that was given up reads
	// like one that ran out, and would pass for a violation.
	if limited.Err() != nil {
		ended := context.Cause(limited)
		if t.err != nil {
			ended = fmt.Errorf("%w (%w)", ended, t.err)
		}
		t.err = ended
	}
	return t
}
