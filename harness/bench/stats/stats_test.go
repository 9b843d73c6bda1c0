package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	. "github.com/onsi/gomega"
)

func TestASummaryOfKnownTimes(t *testing.T) {
	g := NewWithT(t)
	var ns []int64
	for i := range 1000 {
		ns = append(ns, int64(i+1)*1000) // 1 to 1000 microseconds
	}
	s := Sum(ns)
	g.Expect(s.N).To(Equal(1000))
	g.Expect(s.Min).To(BeEquivalentTo(1))
	g.Expect(s.Max).To(BeEquivalentTo(1000))
	g.Expect(s.P50).To(BeNumerically("~", 500, 1))
	g.Expect(s.P90).To(BeNumerically("~", 900, 1))
	g.Expect(s.P99).To(BeNumerically("~", 990, 1))
	g.Expect(s.Median.Has(s.P50)).To(BeTrue())
	total := int64(0)
	for i, b := range s.Buckets {
		total += b.Count
		if i > 0 {
			g.Expect(b.UpTo).To(BeNumerically(">", s.Buckets[i-1].UpTo))
		}
	}
	g.Expect(total).To(BeEquivalentTo(1000), "every time is in a bucket")
}

func TestNothingMeasuredIsNoTimes(t *testing.T) {
	g := NewWithT(t)
	g.Expect(Sum(nil)).To(Equal(Summary{}))
	g.Expect(math.IsNaN(Median(nil))).To(BeTrue())
	g.Expect(Resample(nil, Median)).To(BeEmpty())
}

// An interval of 95 % holds the true median about 95 times of 100, for both ways
// in which ranks are drawn, and for times as skewed as ours.
func TestTheIntervalOfAMedianCoversIt(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	truth := 2e6 / 1e3 // the median of 2 ms times a log-normal factor
	for _, n := range []int{40, 1000} {
		held := 0
		const trials = 300
		for range trials {
			ns := make([]int64, n)
			for i := range ns {
				ns[i] = int64(2e6 * math.Exp(0.5*r.NormFloat64()))
			}
			if MedianInterval(ns).Has(truth) {
				held++
			}
		}
		NewWithT(t).Expect(float64(held)/trials).To(BeNumerically("~", 0.95, 0.05), "samples of %d", n)
	}
}

func TestTheSpreadForgetsWildValues(t *testing.T) {
	g := NewWithT(t)
	r := rand.New(rand.NewPCG(3, 4))
	var x []float64
	for range 5000 {
		x = append(x, r.NormFloat64())
	}
	g.Expect(Spread(x)).To(BeNumerically("~", 1, 0.05))
	for i := range 250 {
		x[i] = 1e6
	}
	g.Expect(Spread(x)).To(BeNumerically("~", 1, 0.12))
}
