// Package stats sums up times that were measured, and says how sure the sums are.
package stats

import (
	"math"
	"slices"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Interval is a confidence interval.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Has says whether a value lies in it.
func (i Interval) Has(x float64) bool { return i.Low <= x && x <= i.High }

// Summary is what is told of a set of times. All are in microseconds.
type Summary struct {
	N   int     `json:"n"`
	Min float64 `json:"min_us"`
	P50 float64 `json:"p50_us"`
	P90 float64 `json:"p90_us"`
	P99 float64 `json:"p99_us"`
	Max float64 `json:"max_us"`
	// Median is the 95 % interval of the median, by bootstrap.
	Median Interval `json:"p50_interval_us"`
	// Buckets are the histogram: the upper end of each bucket and how many are in it.
	Buckets []Bucket `json:"histogram"`
}

// Bucket is one bar of a histogram.
type Bucket struct {
	UpTo  float64 `json:"up_to_us"`
	Count int64   `json:"count"`
}

// The range of a histogram, in nanoseconds, and its precision: three digits.
const (
	lowest  = 100
	highest = 120e9
	digits  = 3
)

// Histogram makes an HDR histogram of times in nanoseconds.
func Histogram(ns []int64) *hdrhistogram.Histogram {
	h := hdrhistogram.New(lowest, highest, digits)
	for _, v := range ns {
		// Beyond the range is not a time of ours: every wait ends earlier.
		_ = h.RecordValue(min(max(v, lowest), highest))
	}
	return h
}

// bars is how many buckets a decade has in what is kept; enough for a picture.
const bars = 24

// Sum sums up times in nanoseconds.
func Sum(ns []int64) Summary {
	if len(ns) == 0 {
		return Summary{}
	}
	h := Histogram(ns)
	us := func(v int64) float64 { return float64(v) / 1e3 }
	s := Summary{N: len(ns), Min: us(slices.Min(ns)), Max: us(slices.Max(ns))}
	// A histogram answers with the middle of a bucket, which may lie beyond the most.
	at := func(q float64) float64 { return min(max(us(h.ValueAtQuantile(q)), s.Min), s.Max) }
	s.P50, s.P90, s.P99 = at(50), at(90), at(99)
	s.Median = MedianInterval(ns)
	counts := map[int]int64{}
	for _, v := range ns {
		counts[int(math.Ceil(math.Log10(float64(max(v, lowest)))*bars))]++
	}
	var keys []int
	for k := range counts {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		s.Buckets = append(s.Buckets, Bucket{UpTo: math.Pow(10, float64(k)/bars) / 1e3, Count: counts[k]})
	}
	return s
}

// Median is the middle of some numbers, NaN of none.
func Median(x []float64) float64 { return quantile(slices.Sorted(slices.Values(x)), 0.5) }

// quantile interpolates between the two nearest of sorted values.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// Spread is the standard deviation that normal values would have with this median
// absolute deviation: a few wild values do not count.
func Spread(x []float64) float64 {
	m := Median(x)
	away := make([]float64, len(x))
	for i, v := range x {
		away[i] = math.Abs(v - m)
	}
	return 1.4826 * Median(away)
}

// Mean is the sum of some numbers over how many there are, NaN of none.
func Mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// Deviation is the standard deviation of a sample, NaN of fewer than two.
func Deviation(x []float64) float64 {
	mean, sum := Mean(x), 0.0
	for _, v := range x {
		sum += (v - mean) * (v - mean)
	}
	return math.Sqrt(sum / float64(len(x)-1))
}
