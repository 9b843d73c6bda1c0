package bench

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"qmconformance/harness/bench/caller"
	"qmconformance/harness/bench/gate"
	"qmconformance/harness/requirement"
)

// Metric is what the gate compares.
const Metric = "set-up without the client's own pause"

// PairsOf is how many pairs of targets are compared. Two targets of one package
// differ by 1 to 2 % for as long as they live; six pairs bring the standard error of
// that below 1 %.
const PairsOf = 6

// Twins are two targets that were booted at the same time: one of the baseline and
// one of the subject.
type Twins struct{ A, B *Side }

// versus is a pair of callees, A's and B's.
type versus [2]*caller.Target

// rounds measures until the estimate is good enough, for span at least and most at
// most. In a round each pair has its turn, in another order each time, and within a
// pair either may be first: neither always follows the other's end.
func (s *Session) rounds(ctx context.Context, pairs []versus, span, most time.Duration) (list []gate.Round, e gate.Estimate) {
	caller.Together(1, func(_ int, l *caller.Line) {
		r := rand.New(rand.NewPCG(4242, 2))
		one := func(t *caller.Target) int64 {
			ns, _ := work(l.Call(t, 0))
			sleep(gap)
			return ns
		}
		round := func() gate.Round {
			times := make(gate.Round, len(pairs))
			for _, i := range order(r, len(pairs)) {
				first := r.IntN(2)
				times[i][first] = one(pairs[i][first])
				times[i][1-first] = one(pairs[i][1-first])
			}
			return times
		}
		round() // to warm up
		began := time.Now()
		for checked := span; within(ctx); {
			list = append(list, round())
			if took := time.Since(began); took >= checked {
				e = gate.EstimateOf(list)
				if e.Enough() || took >= most {
					return
				}
				checked = took + span/4
			}
		}
	})
	return list, e
}

// Compare compares the subject with the baseline, for each service.
func (s *Session) Compare(ctx context.Context) error {
	switch {
	case s.Old != nil:
		return s.compareOld()
	case len(s.Pairs) == 0:
		return nil
	}
	return s.quiet(ctx, func() error {
		for _, service := range requirement.NetworkServices {
			began := time.Now()
			var pairs []versus
			for _, p := range s.Pairs {
				pairs = append(pairs, versus{p.A.call(service), p.B.call(service)})
			}
			list, change := s.rounds(ctx, pairs, s.Plan.Compare, s.Plan.CompareMost)
			if !within(ctx) {
				return ctx.Err()
			}
			g := Gate{Service: string(service), Metric: Metric, Decision: decide(change), TookMS: time.Since(began).Milliseconds(), Rounds: list}
			s.Doc.Gate = append(s.Doc.Gate, g)
			s.Note("%s: %s: %s", service, g.Decision.Verdict, g.Decision.Reason)
		}
		return nil
	})
}

// decide decides, and makes the estimate fit for JSON.
func decide(change gate.Estimate) gate.Decision {
	d := gate.Decide(change)
	d.Change = finite(change)
	return d
}

// scatter is the standard deviation of the difference between two targets of one
// package: what an earlier run's one target and today's may differ by. It was
// between 0.8 and 2.5 % wherever it was measured.
const scatter = 0.02

// compareOld compares with an earlier document. The two were not measured beside
// each other: what is compared is the set-up over that of the trivial program in
// the same round, and the error holds what that differs by within a run, and what
// one target differs by from another.
func (s *Session) compareOld() error {
	for _, service := range requirement.NetworkServices {
		was, now := lineNamed(s.Old, lineOf(service)), lineNamed(s.Doc, lineOf(service))
		if was == nil || now == nil {
			return fmt.Errorf("%s was not measured in both runs: the comparison with a file needs the part that calls one at a time", service)
		}
		change := gate.Difference(now.Relative, was.Relative)
		change.Error = math.Sqrt(change.Error*change.Error + scatter*scatter + squareOf(now.Halves) + squareOf(was.Halves))
		d := decide(change)
		s.Doc.Gate = append(s.Doc.Gate, Gate{
			Service: string(service), Metric: "set-up over that of a trivial program under the ideal server", Decision: d, Rounds: []gate.Round{},
		})
		s.Note("%s: %s: %s", service, d.Verdict, d.Reason)
	}
	return nil
}

// squareOf is the variance that two halves of a run tell: half their difference is
// what the whole may be off by.
func squareOf(halves gate.Estimate) float64 { return halves.Effect * halves.Effect / 4 }

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
