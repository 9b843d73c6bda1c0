package bench

import (
	"context"
	"fmt"
	"time"

	"qmconformance/harness/bench/caller"
	"qmconformance/harness/bench/gate"
	"qmconformance/harness/requirement"
)

// batch is how many connections are made one after the other in a quarter of a
// block: enough for a median, few enough that a block is over before the machine
// changes its mood.
func batch(s requirement.Service) int {
	if s == requirement.QMServer {
		return 3
	}
	return 5
}

// Metric is what the gate compares.
const Metric = "set-up without the client's own pause"

// blocks measures A B B A until the estimate is good enough, for span at least and
// most at most.
func (s *Session) blocks(ctx context.Context, a, b *caller.Target, size int, span, most time.Duration) (list []gate.Block, e gate.Estimate) {
	caller.Together(1, func(_ int, l *caller.Line) {
		one := func(t *caller.Target) (times []int64) {
			for range size {
				if ns, ok := work(l.Call(t, 0)); ok {
					times = append(times, ns)
				}
			}
			return times
		}
		one(a) // to warm up
		one(b)
		began := time.Now()
		for checked := span; within(ctx); {
			list = append(list, gate.Block{A1: one(a), B1: one(b), B2: one(b), A2: one(a)})
			if took := time.Since(began); took >= checked {
				e = gate.EstimateOf(list)
				if e.Enough() || took >= most {
					return
				}
				checked += span / 4
			}
		}
	})
	return list, e
}

// Compare compares the subject with the baseline, for each service: A with another
// A first, to learn what the machine does by itself.
func (s *Session) Compare(ctx context.Context) error {
	switch {
	case s.Old != nil:
		return s.compareOld()
	case s.A == nil:
		return nil
	}
	return s.quiet(ctx, func() error {
		for _, service := range requirement.NetworkServices {
			began := time.Now()
			g := Gate{Service: string(service), Metric: Metric}
			var noise, change gate.Estimate
			g.Noise, noise = s.blocks(ctx, s.A.call(service), s.Again.call(service), batch(service), s.Plan.Compare, s.Plan.CompareMost)
			g.Change, change = s.blocks(ctx, s.A.call(service), s.B.call(service), batch(service), s.Plan.Compare, s.Plan.CompareMost)
			if !within(ctx) {
				return ctx.Err()
			}
			g.Decision = gate.Decide(noise, change)
			g.Decision.Noise, g.Decision.Change = finite(noise), finite(change)
			g.TookMS = time.Since(began).Milliseconds()
			s.Doc.Gate = append(s.Doc.Gate, g)
			s.Note("%s: %s: %s", service, g.Decision.Verdict, g.Decision.Reason)
		}
		return nil
	})
}

// compareOld compares with an earlier document. The two were not measured beside
// each other: what is compared is the set-up over that of the trivial program in
// the same round, and the noise is what that differs by within a run.
func (s *Session) compareOld() error {
	for _, service := range requirement.NetworkServices {
		was, now := lineNamed(s.Old, lineOf(service)), lineNamed(s.Doc, lineOf(service))
		if was == nil || now == nil {
			return fmt.Errorf("%s was not measured in both runs: the comparison with a file needs the part that calls one at a time", service)
		}
		change := gate.Difference(now.Relative, was.Relative)
		noise := now.Halves
		if abs(was.Halves.Effect) > abs(noise.Effect) {
			noise = was.Halves
		}
		d := gate.Decide(noise, change)
		s.Doc.Gate = append(s.Doc.Gate, Gate{
			Service: string(service), Metric: "set-up over that of a trivial program under the ideal server", Decision: d,
			Noise: []gate.Block{}, Change: []gate.Block{},
		})
		s.Note("%s: %s: %s", service, d.Verdict, d.Reason)
	}
	return nil
}

func abs(x float64) float64 { return max(x, -x) }

func lineNamed(d *Document, name string) *Line {
	for i := range d.Lines {
		if d.Lines[i].Name == name {
			return &d.Lines[i]
		}
	}
	return nil
}

// Conclude settles the outcome of a run that went to its end.
func (d *Document) Conclude() {
	d.Outcome, d.Message = Measured, ""
	for _, g := range d.Gate {
		if !d.Baseline.Gating {
			continue
		}
		switch g.Decision.Verdict {
		case gate.Regression:
			d.Outcome, d.Message = Regression, fmt.Sprintf("%s: %s", g.Service, g.Decision.Reason)
			return
		case gate.TooNoisy:
			d.Outcome, d.Message = HarnessError, fmt.Sprintf("%s could not be compared: %s", g.Service, g.Decision.Reason)
		}
	}
}
