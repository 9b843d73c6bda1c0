package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"qmconformance/harness/bench/caller"
	"qmconformance/harness/requirement"
	"qmconformance/harness/settings"
)

// Session is one run of the benchmark: the targets, and what was measured so far.
type Session struct {
	// B is the subject.
	B *Side
	// Pairs are targets of the baseline and of the subject; none where nothing is
	// compared. B is beside them: other parts have worn it.
	Pairs []Twins
	Plan  Plan
	Doc   *Document
	// Old is an earlier document to compare with; nil where there is none.
	Old *Document
	// Note tells how the run goes.
	Note func(format string, args ...any)

	gid     string
	started bool
	extra   map[string]uint16
	lines   []*line
}

// Plan is how much is measured.
type Plan struct {
	// Warm and Rounds are rounds of all the lines, uncounted and counted; in each
	// Seldom-th one those that take long take part.
	Warm, Rounds, Seldom int
	// Span is how long each load lasts.
	Span time.Duration
	// AtOnce are the closed loads, Rates the open ones as shares of the best closed
	// rate; Steps is how finely the highest rate is looked for.
	AtOnce []int
	Rates  []float64
	Steps  int
	// Open are the sessions that are open already, List the entries of an access list,
	// Groups those of the group file; Each is how often each is measured.
	Open, List, Groups []int
	Each               int
	// Traced is how long connections are traced for each service, Captured how many are
	// compared with the packets.
	Traced   time.Duration
	Captured int
	// Compare is how long A and B are compared for a service, at least and at most.
	Compare, CompareMost time.Duration
}

// PlanOf is the plan of a profile: some minutes for full, and less than one for
// quick, both without a baseline.
func PlanOf(p settings.Profile) Plan {
	if p == settings.Quick {
		return Plan{
			Warm: 3, Rounds: 40, Seldom: 4, Span: time.Second, AtOnce: []int{1, 8}, Rates: []float64{0.5}, Steps: 3,
			Open: []int{0, 10}, List: []int{0, 100}, Groups: []int{0, 1000}, Each: 30, Traced: time.Second,
			Captured: 60, Compare: 8 * time.Second, CompareMost: 24 * time.Second,
		}
	}
	return Plan{
		Warm: 10, Rounds: 300, Seldom: 4, Span: 4 * time.Second,
		AtOnce: []int{1, 2, 4, 8, 16, 32, 64}, Rates: []float64{0.25, 0.5, 0.75, 0.9}, Steps: 7,
		Open: []int{0, 10, 100, 500}, List: []int{0, 10, 100, 1000}, Groups: []int{0, 100, 1000, 10000}, Each: 150, Traced: 3 * time.Second,
		Captured: 200, Compare: 20 * time.Second, CompareMost: 60 * time.Second,
	}
}

// limit99 is the p99 that the highest rate is to keep: what a user does not yet
// feel as a wait, and on port 4242 the pause of the client's own beside it.
func limit99(s requirement.Service) time.Duration {
	if s == requirement.QMServer {
		return 150 * time.Millisecond
	}
	return 50 * time.Millisecond
}

// current is the session that the specs measure in.
var current *Session

// Use sets the session that the specs measure in.
func Use(s *Session) { current = s }

// Current is the session that the specs measure in.
func Current() *Session { return current }

// Begin starts what the lines need, once.
func (s *Session) Begin(ctx context.Context) (err error) {
	if s.started {
		return nil
	}
	if s.gid, err = s.B.group(ctx); err != nil {
		return err
	}
	if err := s.yardsticks(ctx); err != nil {
		return err
	}
	s.started = true
	return nil
}

// yardsticks starts the servers that do less than xinetd with qm.
func (s *Session) yardsticks(ctx context.Context) error {
	b := s.B
	if err := b.mode(ctx, "floor", floorPort); err != nil {
		return err
	}
	if err := b.ideal(ctx, idealTrivialPort, s.gid, trivial...); err != nil {
		return err
	}
	for service, port := range map[requirement.Service]uint16{requirement.QMClient: idealClientPort, requirement.QMServer: idealServerPort} {
		if err := b.ideal(ctx, port, s.gid, append([]string{b.Target.QM()}, argsOf(service)...)...); err != nil {
			return err
		}
	}
	if _, err := b.twin(ctx, "bench-trivial", []block{{id: "bench-trivial", port: trivialPort, server: trivial[0], args: trivial[1:]}}); err != nil {
		return err
	}
	var notes []string
	s.extra, notes = b.startOthers(ctx, s.gid)
	s.Doc.Conditions = append(s.Doc.Conditions, notes...)
	return nil
}

// gap is left between two connections that are made one after the other: the end
// of a process goes on for a moment after its connection's, on another processor,
// and would be counted as the next one's beginning.
const gap = 2 * time.Millisecond

// order is the lines' in a round: another one each time, so that no line always
// follows the same one.
func order(r *rand.Rand, n int) []int { return r.Perm(n) }

// fail says that too much of a line failed to believe the rest.
func fail(name string, failed, all int, first error) error {
	if failed == 0 || failed*50 < all {
		return nil
	}
	return fmt.Errorf("%s: %d of %d connections failed, the first with: %w", name, failed, all, first)
}

// quiet stops what the harness itself does in the targets while it measures.
func (s *Session) quiet(ctx context.Context, measure func() error) error {
	sides := []*Side{s.B}
	for _, p := range s.Pairs {
		sides = append(sides, p.A, p.B)
	}
	for _, side := range sides {
		if err := side.Target.PauseRecording(ctx, true); err != nil {
			return err
		}
	}
	return measure()
}

// within says whether a run may go on: the specs' own context ends with an
// interrupt.
func within(ctx context.Context) bool { return ctx.Err() == nil }

// sleep is the gap.
func sleep(d time.Duration) { caller.SleepUntil(caller.Now() + d.Nanoseconds()) }
