package judge

import (
	"sync"
	"time"

	"qmconformance/harness/observe"
)

// turns says which look is next. Looks of one stage never overlap; at most so many
// as there are turns are under way at once, beside the patient ones; and of those
// that could begin the one goes first after which the most is left to do, since the
// run is as long as its longest chain of looks that rest on each other or share a
// stage.
type turns struct {
	mu   sync.Mutex
	free int
	busy map[observe.Stage]bool
	// left is what the looks of a stage will take that have not begun.
	left    map[observe.Stage]time.Duration
	waiting []*waiter
}

// waiter is a look that has not begun.
type waiter struct {
	plan observe.Plan
	// then is how long the longest chain of looks on other stages takes that rest on
	// this one.
	then  time.Duration
	begin chan struct{}
}

func newTurns(n int) *turns {
	return &turns{free: n, busy: map[observe.Stage]bool{}, left: map[observe.Stage]time.Duration{}}
}

// expect tells of a look that will come.
func (t *turns) expect(p observe.Plan) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.left[p.Stage] == 0 {
		t.left[p.Stage] = boot
	}
	t.left[p.Stage] += takes(p)
}

// begin waits until the look may begin.
func (t *turns) begin(p observe.Plan, then time.Duration) {
	w := &waiter{plan: p, then: then, begin: make(chan struct{})}
	t.mu.Lock()
	t.waiting = append(t.waiting, w)
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
	for {
		best := -1
		for i, w := range t.waiting {
			if t.busy[w.plan.Stage] || !w.plan.Patient && t.free == 0 {
				continue
			}
			// Among equals the first come goes first.
			if best < 0 || t.rank(w) > t.rank(t.waiting[best]) {
				best = i
			}
		}
		if best < 0 {
			return
		}
		w := t.waiting[best]
		t.waiting = append(t.waiting[:best], t.waiting[best+1:]...)
		t.busy[w.plan.Stage] = true
		if !w.plan.Patient {
			t.free--
		}
		t.left[w.plan.Stage] = max(0, t.left[w.plan.Stage]-takes(w.plan))
		close(w.begin)
	}
}

// rank is how long the run lasts at least from the begin of a look on. Two looks of
// one stage are told apart by what rests on them.
func (t *turns) rank(w *waiter) time.Duration {
	return max(t.left[w.plan.Stage], takes(w.plan)+w.then) + w.then/rankShare
}

// rankShare makes what rests on a look decide between looks of one stage, whose rest
// is the same, and little else.
const rankShare = 16
