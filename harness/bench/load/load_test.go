package load

import (
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// hand is a clock that a test turns: to sleep is to turn it.
type hand struct{ at atomic.Int64 }

func (h *hand) Now() int64 { return h.at.Load() }
func (h *hand) SleepUntil(at int64) {
	if at > h.at.Load() {
		h.at.Store(at)
	}
}

func TestArrivalsComeAtTheirRate(t *testing.T) {
	g := NewWithT(t)
	list := Arrivals(1000, 10*time.Second, 1)
	g.Expect(float64(len(list))).To(BeNumerically("~", 10000, 300))
	squares, last := 0.0, int64(0)
	for _, at := range list {
		g.Expect(at).To(BeNumerically(">=", last))
		gap := float64(at-last) / 1e6
		squares += gap * gap
		last = at
	}
	g.Expect(last).To(BeNumerically("<", 10*time.Second.Nanoseconds()))
	// Exponential gaps of mean 1 ms have a mean square of 2: they are no even drip.
	g.Expect(squares / float64(len(list))).To(BeNumerically("~", 2, 0.2))
	g.Expect(Arrivals(1000, 10*time.Second, 1)).To(Equal(list), "the same seed, the same arrivals")
	g.Expect(Arrivals(1000, 10*time.Second, 2)).NotTo(Equal(list))
}

// A server that stalls delays those behind: each must be timed from when it was
// intended, or the stall would count as one slow connection instead of many.
func TestALateConnectionKeepsItsIntendedTime(t *testing.T) {
	g := NewWithT(t)
	clock := &hand{}
	clock.at.Store(1_000_000)
	o := NewOpen(clock, []int64{10, 20, 30, 5000})
	first, ok := o.Next()
	g.Expect(ok).To(BeTrue())
	g.Expect(first).To(BeEquivalentTo(1_000_010))
	g.Expect(clock.Now()).To(BeEquivalentTo(1_000_010), "it waited for it")
	clock.at.Add(1000) // the only caller was busy
	for _, want := range []int64{1_000_020, 1_000_030} {
		at, ok := o.Next()
		g.Expect(ok).To(BeTrue())
		g.Expect(at).To(BeEquivalentTo(want))
		g.Expect(clock.Now()).To(BeEquivalentTo(1_001_010), "no wait for what is late")
	}
	at, _ := o.Next()
	g.Expect(at).To(BeEquivalentTo(1_005_000))
	_, ok = o.Next()
	g.Expect(ok).To(BeFalse())
}

func TestEveryArrivalIsTakenOnce(t *testing.T) {
	g := NewWithT(t)
	arrivals := make([]int64, 1000)
	for i := range arrivals {
		arrivals[i] = int64(i)
	}
	o := NewOpen(&hand{}, arrivals)
	var mu sync.Mutex
	seen := map[int64]int{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for at, ok := o.Next(); ok; at, ok = o.Next() {
				mu.Lock()
				seen[at]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	g.Expect(seen).To(HaveLen(1000))
	for _, n := range seen {
		g.Expect(n).To(Equal(1))
	}
}

func TestAClosedLoadEnds(t *testing.T) {
	g := NewWithT(t)
	clock := &hand{}
	c := NewClosed(clock, time.Second)
	_, ok := c.Next()
	g.Expect(ok).To(BeTrue())
	clock.at.Store(time.Second.Nanoseconds())
	_, ok = c.Next()
	g.Expect(ok).To(BeFalse())
}

func TestTheHighestRateIsFound(t *testing.T) {
	g := NewWithT(t)
	// A server that takes 1 ms and is one at a time: M/D/1, whose wait grows without
	// bound towards 1000 a second.
	try := func(rate float64) (time.Duration, int) {
		load := rate / 1000
		if load >= 1 {
			return time.Hour, 0
		}
		return time.Duration(1e6 * (1 + load/(2*(1-load))*math.Log(100))), 0
	}
	best, tried := HighestRate(1000, 8, 10*time.Millisecond, try)
	g.Expect(best).To(BeNumerically("~", 796, 5))
	g.Expect(tried).To(HaveLen(8))
	for _, p := range tried {
		g.Expect(p.Kept).To(Equal(p.P99 <= 10*time.Millisecond))
	}
}

func TestARateAtWhichConnectionsFailIsNotKept(t *testing.T) {
	best, tried := HighestRate(100, 5, time.Second, func(float64) (time.Duration, int) { return time.Millisecond, 1 })
	g := NewWithT(t)
	g.Expect(best).To(BeZero())
	g.Expect(tried).NotTo(BeEmpty())
	for _, p := range tried {
		g.Expect(p.Kept).To(BeFalse())
	}
}

func TestP99(t *testing.T) {
	g := NewWithT(t)
	var ns []int64
	for i := range 1000 {
		ns = append(ns, int64(i+1))
	}
	g.Expect(P99(ns)).To(BeEquivalentTo(990))
	g.Expect(P99([]int64{7})).To(BeEquivalentTo(7))
	g.Expect(P99(nil)).To(BeEquivalentTo(int64(math.MaxInt64)), "nothing that was served keeps no limit")
}
