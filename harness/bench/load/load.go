// Package load decides when connections are made: one after the other, so many at
// once, or at a rate, whatever the server does. It makes none itself, so that its
// clockwork can be tested without a server.
package load

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"
)

// Clock is the time that connections are made by.
type Clock interface {
	Now() int64
	SleepUntil(at int64)
}

// Arrivals are the times at which connections are to begin, from 0 on: as they
// come from many people who know nothing of each other, a Poisson process. The
// seed makes every run's the same.
func Arrivals(perSecond float64, span time.Duration, seed uint64) []int64 {
	r := rand.New(rand.NewPCG(seed, 4242))
	var list []int64
	for at := 0.0; ; {
		at += r.ExpFloat64() / perSecond * 1e9
		if at >= float64(span) {
			return list
		}
		list = append(list, int64(at))
	}
}

// Open makes a connection at each arrival. The callers take the next arrival in
// turn: one that finds all of them busy is late, and since it is timed from when
// it was intended, what it waited is counted and not hidden.
type Open struct {
	arrivals []int64
	next     atomic.Int64
	start    int64
	clock    Clock
}

// NewOpen begins an open load now.
func NewOpen(clock Clock, arrivals []int64) *Open {
	return &Open{arrivals: arrivals, start: clock.Now(), clock: clock}
}

// Next waits for the next arrival and returns when it was intended; false when
// there are no more.
func (o *Open) Next() (intended int64, ok bool) {
	i := o.next.Add(1) - 1
	if i >= int64(len(o.arrivals)) {
		return 0, false
	}
	intended = o.start + o.arrivals[i]
	if o.clock.Now() < intended {
		o.clock.SleepUntil(intended)
	}
	return intended, true
}

// Closed lets each of its callers make one connection after the other until a time.
type Closed struct {
	until int64
	clock Clock
}

// NewClosed begins a closed load now.
func NewClosed(clock Clock, span time.Duration) *Closed {
	return &Closed{until: clock.Now() + span.Nanoseconds(), clock: clock}
}

// Next is 0, which stands for now; false when the time is over.
func (c *Closed) Next() (intended int64, ok bool) { return 0, c.clock.Now() < c.until }

// Probe is what a rate gave.
type Probe struct {
	Rate float64       `json:"rate"`
	P99  time.Duration `json:"p99_ns"`
	// Failed counts connections that were not served.
	Failed int  `json:"failed"`
	Kept   bool `json:"kept"`
}

// HighestRate looks for the highest rate that keeps p99 below a limit, between 0
// and a rate that is known not to: by halving, in so many steps. It returns the
// best that was kept, 0 if none was, and all that it tried.
func HighestRate(top float64, steps int, limit time.Duration, try func(rate float64) (p99 time.Duration, failed int)) (best float64, tried []Probe) {
	low, high := 0.0, top
	for range steps {
		rate := (low + high) / 2
		if rate < 1 {
			break
		}
		p99, failed := try(rate)
		p := Probe{Rate: rate, P99: p99, Failed: failed, Kept: failed == 0 && p99 <= limit}
		tried = append(tried, p)
		if p.Kept {
			low = rate
		} else {
			high = rate
		}
	}
	return low, tried
}

// P99 is that of times in nanoseconds; the longest there is where there are few.
func P99(ns []int64) time.Duration {
	if len(ns) == 0 {
		return math.MaxInt64
	}
	sorted := slices.Sorted(slices.Values(ns))
	return time.Duration(sorted[min(len(sorted)-1, int(math.Ceil(0.99*float64(len(sorted))))-1)])
}
