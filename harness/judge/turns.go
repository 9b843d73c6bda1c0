package judge

import (
	"slices"
	"sync"

	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
)

// turns says which look is next. Looks of one stage never overlap; at most so many
// as there are turns are under way at once, beside the patient ones; and of those
// that could begin the one goes first for which most others wait, since the run is
// as long as its longest chain of looks that rest on each other.
type turns struct {
	mu      sync.Mutex
	free    int
	busy    map[observe.Stage]bool
	waiting []*waiter
}

// waiter is a look that has not begun.
type waiter struct {
	plan   observe.Plan
	weight int
	begin  chan struct{}
}

func newTurns(n int) *turns { return &turns{free: n, busy: map[observe.Stage]bool{}} }

// begin waits until the look may begin.
func (t *turns) begin(p observe.Plan, weight int) {
	w := &waiter{plan: p, weight: weight, begin: make(chan struct{})}
	t.mu.Lock()
	// Behind those of its own weight: among equals the first come goes first.
	at := slices.IndexFunc(t.waiting, func(o *waiter) bool { return o.weight < weight })
	if at < 0 {
		at = len(t.waiting)
	}
	t.waiting = slices.Insert(t.waiting, at, w)
	t.next()
	t.mu.Unlock()
	<-w.begin
}

// end makes room for another.
func (t *turns) end(p observe.Plan) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.busy[p.Stage] = false
	if !p.Patient {
		t.free++
	}
	t.next()
}

// next lets those begin that may.
func (t *turns) next() {
	t.waiting = slices.DeleteFunc(t.waiting, func(w *waiter) bool {
		if t.busy[w.plan.Stage] || !w.plan.Patient && t.free == 0 {
			return false
		}
		t.busy[w.plan.Stage] = true
		if !w.plan.Patient {
			t.free--
		}
		close(w.begin)
		return true
	})
}

// weights count, for each look, the requirements that cannot be judged before it
// was taken: those that require, themselves or by way of others, one that is judged
// on it.
func (specs Specs) weights(c *requirement.Catalogue) map[string]int {
	weights := map[string]int{}
	for _, r := range c.All() {
		seen, before := map[string]bool{}, map[string]bool{}
		var visit func(id string)
		visit = func(id string) {
			other, _ := c.Get(id)
			for _, next := range other.Requires {
				if !seen[next] {
					seen[next] = true
					before[specs[next].Plan.Name] = true
					visit(next)
				}
			}
		}
		visit(r.ID)
		for look := range before {
			weights[look]++
		}
	}
	return weights
}
