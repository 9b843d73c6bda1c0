package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"qmconformance/harness/bench/caller"
	"qmconformance/harness/bench/load"
	"qmconformance/harness/bench/stats"
	"qmconformance/harness/requirement"
)

// clock is the kernel's, for the load shapes.
type clock struct{}

func (clock) Now() int64          { return caller.Now() }
func (clock) SleepUntil(at int64) { caller.SleepUntil(at) }

// shape is when connections are made.
type shape interface {
	Next() (intended int64, ok bool)
}

// drive makes connections in a shape with so many callers.
func drive(ctx context.Context, t *caller.Target, callers int, begin func() shape) (calls []caller.Call, elapsed time.Duration) {
	all := make([][]caller.Call, callers)
	for i := range all {
		all[i] = make([]caller.Call, 0, 4096) // so that nothing is copied while it is measured
	}
	from := caller.Now()
	sh := begin()
	caller.Together(callers, func(i int, l *caller.Line) {
		for within(ctx) {
			intended, ok := sh.Next()
			if !ok {
				return
			}
			all[i] = append(all[i], l.Call(t, intended))
		}
	})
	return slices.Concat(all...), time.Duration(caller.Now() - from)
}

// sumLoad sums a load up.
func sumLoad(service requirement.Service, calls []caller.Call, elapsed time.Duration) (l Load, setup []int64) {
	l.Service, l.Errors = string(service), []string{}
	var first []int64
	for _, c := range calls {
		if c.Err != nil {
			l.Failed++
			if len(l.Errors) < mostErrors && !slices.Contains(l.Errors, c.Err.Error()) {
				l.Errors = append(l.Errors, c.Err.Error())
			}
			continue
		}
		l.Served++
		setup = append(setup, c.Ready-c.Intended)
		first = append(first, c.First-c.Intended)
	}
	l.PerSecond = float64(l.Served) / elapsed.Seconds()
	l.Setup, l.FirstByte = stats.Sum(setup), stats.Sum(first)
	return l, setup
}

// Concurrency measures so many callers at once, each one connection after the other.
func (s *Session) Concurrency(ctx context.Context) error {
	return s.quiet(ctx, func() error {
		var errs []error
		for _, service := range requirement.NetworkServices {
			for _, n := range s.Plan.AtOnce {
				calls, elapsed := drive(ctx, s.B.call(service), min(n, caller.MostAtOnce), func() shape { return load.NewClosed(clock{}, s.Plan.Span) })
				l, _ := sumLoad(service, calls, elapsed)
				l.AtOnce = n
				s.Doc.Concurrency = append(s.Doc.Concurrency, l)
				errs = append(errs, loadFailure(fmt.Sprintf("%s, %d at once", service, n), l))
			}
		}
		return errors.Join(errs...)
	})
}

// loadFailure says that connections failed under a load that waits for them.
func loadFailure(name string, l Load) error {
	if len(l.Errors) == 0 {
		return nil
	}
	return fail(name, l.Failed, l.Failed+l.Served, errors.New(l.Errors[0]))
}

// best is the highest rate that a closed load of the service came to.
func (s *Session) best(ctx context.Context, service requirement.Service) float64 {
	best := 0.0
	for _, l := range s.Doc.Concurrency {
		if l.Service == string(service) {
			best = max(best, l.PerSecond)
		}
	}
	if best == 0 {
		// The closed loads were not selected: one will do.
		calls, elapsed := drive(ctx, s.B.call(service), 8, func() shape { return load.NewClosed(clock{}, s.Plan.Span) })
		l, _ := sumLoad(service, calls, elapsed)
		best = l.PerSecond
	}
	return best
}

func (s *Session) open(ctx context.Context, service requirement.Service, rate float64) (Load, []int64) {
	arrivals := load.Arrivals(rate, s.Plan.Span, uint64(rate))
	calls, elapsed := drive(ctx, s.B.call(service), caller.MostAtOnce, func() shape { return load.NewOpen(clock{}, arrivals) })
	l, setup := sumLoad(service, calls, elapsed)
	l.AtOnce, l.Rate = caller.MostAtOnce, rate
	return l, setup
}

// Rates measures an open load: connections come when they come.
func (s *Session) Rates(ctx context.Context) error {
	return s.quiet(ctx, func() error {
		var errs []error
		for _, service := range requirement.NetworkServices {
			best := s.best(ctx, service)
			for _, share := range s.Plan.Rates {
				l, _ := s.open(ctx, service, share*best)
				s.Doc.Rates = append(s.Doc.Rates, l)
				errs = append(errs, loadFailure(fmt.Sprintf("%s at %.0f a second", service, l.Rate), l))
			}
		}
		return errors.Join(errs...)
	})
}

// HighestRate looks for the highest rate that keeps p99 low.
func (s *Session) HighestRate(ctx context.Context) error {
	return s.quiet(ctx, func() error {
		for _, service := range requirement.NetworkServices {
			limit := limit99(service)
			best, tried := load.HighestRate(1.1*s.best(ctx, service), s.Plan.Steps, limit, func(rate float64) (time.Duration, int) {
				l, setup := s.open(ctx, service, rate)
				return load.P99(setup), l.Failed
			})
			s.Doc.Highest = append(s.Doc.Highest, Highest{Service: string(service), LimitMS: float64(limit) / 1e6, PerSecond: best, Tried: tried})
		}
		return nil
	})
}
