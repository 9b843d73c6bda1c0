package stats

import (
	"math"
	"math/rand/v2"
	"slices"
)

// resamples is how many samples are drawn for an interval.
const resamples = 2000

// most bounds what is drawn each time: the interval of the median of more values
// is as wide as that of these, scaled, and cheaper.
const most = 2000

// newRand is seeded alike each time: the same measurements give the same report.
func newRand() *rand.Rand { return rand.New(rand.NewPCG(4242, 4243)) }

// MedianInterval is the 95 % interval of the median of times, by bootstrap. The
// order statistics that a resample's median falls on are drawn, rather than the
// whole resample: the same distribution, in a thousandth of the time.
func MedianInterval(ns []int64) Interval {
	if len(ns) == 0 {
		return Interval{}
	}
	sorted := slices.Sorted(slices.Values(ns))
	n := len(sorted)
	r := newRand()
	medians := make([]float64, resamples)
	for i := range medians {
		medians[i] = float64(sorted[medianRank(r, n)]) / 1e3
	}
	slices.Sort(medians)
	return Interval{quantile(medians, 0.025), quantile(medians, 0.975)}
}

// medianRank draws the rank, in the sample, of the median of a resample. The
// median of n uniform draws is distributed as Beta(k, n+1-k) with k in the middle;
// up to a size it is drawn as it is defined, and beyond by its normal limit.
func medianRank(r *rand.Rand, n int) int {
	if n <= most/10 {
		draws := make([]int, n)
		for i := range draws {
			draws[i] = r.IntN(n)
		}
		slices.Sort(draws)
		return draws[n/2]
	}
	u := 0.5 + r.NormFloat64()*0.5/math.Sqrt(float64(n+2))
	return min(max(int(u*float64(n)), 0), n-1)
}

// Resample draws values with replacement, again and again, and returns the
// statistic of each, sorted.
func Resample(x []float64, statistic func([]float64) float64) []float64 {
	if len(x) == 0 {
		return nil
	}
	r := newRand()
	out := make([]float64, resamples)
	draw := make([]float64, len(x))
	for i := range out {
		for j := range draw {
			draw[j] = x[r.IntN(len(x))]
		}
		out[i] = statistic(draw)
	}
	slices.Sort(out)
	return out
}

// Quantile is that of sorted values.
func Quantile(sorted []float64, q float64) float64 { return quantile(sorted, q) }
