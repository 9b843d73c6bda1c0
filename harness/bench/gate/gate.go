// Package gate decides whether B is slower than A, from times that were measured
// beside each other on a machine that does other things as well.
//
// A block is A B B A, each a few connections one after the other: what drifts
// evenly through a block cancels. A block gives one number, the logarithm of B's
// median over A's; the median connection of a batch forgets the one that the
// machine interrupted. Blocks are put together by a trimmed mean, whose error is
// found by drawing runs of neighbouring blocks anew, since what disturbs one block
// often disturbs the next.
package gate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"qmconformance/harness/bench/stats"
)

// Rules of the gate; docs/benchmark.md argues for the numbers.
const (
	// Threshold is a slow-down that nobody minds.
	Threshold = 0.03
	// Sure is how many standard errors the effect must be away from what is allowed:
	// one-sided, one in two thousand.
	Sure = 3.29
	// Judgeable is the standard error above which nothing is judged: with it a
	// slow-down of 10 % is missed once in five hundred.
	Judgeable = 0.010
	// trim is the share of blocks that is left out at either end.
	trim = 0.2
	// FewestBlocks is what an estimate of the error needs.
	FewestBlocks = 20
)

// Block is the batches of one A B B A, as times in nanoseconds.
type Block struct {
	A1 []int64 `json:"a1"`
	B1 []int64 `json:"b1"`
	B2 []int64 `json:"b2"`
	A2 []int64 `json:"a2"`
}

// Effect is ln(B/A) of a block. ok is false where a batch is empty: every
// connection in it failed.
func (b Block) Effect() (effect float64, ok bool) {
	var logs [4]float64
	for i, batch := range [][]int64{b.A1, b.B1, b.B2, b.A2} {
		if len(batch) == 0 {
			return 0, false
		}
		x := make([]float64, len(batch))
		for j, ns := range batch {
			x[j] = float64(ns)
		}
		logs[i] = math.Log(stats.Median(x))
	}
	return (logs[1] + logs[2] - logs[0] - logs[3]) / 2, true
}

// Estimate is an effect, ln(B/A), and its standard error.
type Estimate struct {
	Effect float64 `json:"effect"`
	Error  float64 `json:"standard_error"`
	Blocks int     `json:"blocks"`
}

// Percent is the effect as a change in percent.
func (e Estimate) Percent() float64 { return 100 * math.Expm1(e.Effect) }

// Interval is where the effect is, as sure as the gate wants it, in percent.
func (e Estimate) Interval() stats.Interval {
	return stats.Interval{Low: 100 * math.Expm1(e.Effect-Sure*e.Error), High: 100 * math.Expm1(e.Effect+Sure*e.Error)}
}

// EstimateOf estimates the effect from blocks in the order in which they were
// measured.
func EstimateOf(blocks []Block) Estimate {
	var effects []float64
	for _, b := range blocks {
		if e, ok := b.Effect(); ok {
			effects = append(effects, e)
		}
	}
	return estimate(effects)
}

func estimate(effects []float64) Estimate {
	e := Estimate{Blocks: len(effects), Effect: trimmedMean(slices.Clone(effects)), Error: math.Inf(1)}
	if len(effects) >= FewestBlocks {
		e.Error = errorOf(effects)
	}
	return e
}

// trimmedMean sorts x.
func trimmedMean(x []float64) float64 {
	if len(x) == 0 {
		return 0
	}
	slices.Sort(x)
	cut := int(trim * float64(len(x)))
	sum := 0.0
	for _, v := range x[cut : len(x)-cut] {
		sum += v
	}
	return sum / float64(len(x)-2*cut)
}

// redraws is how many samples the error is estimated from.
const redraws = 400

// errorOf is the standard error of the trimmed mean by a circular block bootstrap:
// runs of n^(1/3) neighbours are drawn. Few runs show too little of the variance;
// the factor is that of a sample variance.
func errorOf(effects []float64) float64 {
	n := len(effects)
	run := max(1, int(math.Round(math.Cbrt(float64(n)))))
	r := rand.New(rand.NewPCG(4242, 4243))
	draw := make([]float64, n)
	sum, squares := 0.0, 0.0
	for range redraws {
		for i := 0; i < n; i += run {
			from := r.IntN(n)
			for j := i; j < min(i+run, n); j++ {
				draw[j] = effects[(from+j-i)%n]
			}
		}
		m := trimmedMean(draw)
		sum += m
		squares += m * m
	}
	mean := sum / redraws
	runs := float64(n) / float64(run)
	return math.Sqrt(max(0, squares/redraws-mean*mean) * runs / (runs - 1))
}

// Verdict is what the gate says.
type Verdict string

// The verdicts. Only Regression ends a run with a status of its own.
const (
	NoRegression Verdict = "no-regression"
	Faster       Verdict = "faster"
	Regression   Verdict = "regression"
	TooNoisy     Verdict = "too-noisy"
)

// Decision is a verdict with its reasons.
type Decision struct {
	Verdict Verdict  `json:"verdict"`
	Noise   Estimate `json:"noise"`
	Change  Estimate `json:"change"`
	// Allowed is the effect that B may have: the threshold, or the noise where that
	// is more.
	Allowed float64 `json:"allowed"`
	Reason  string  `json:"reason"`
}

// noiseErrors is how many of its standard errors the noise may be larger than it
// was measured.
const noiseErrors = 2

// Decide compares B with A. noise is A measured against another A in the same way:
// what comes out of it is what the machine, and not the package, does.
func Decide(noise, change Estimate) Decision {
	d := Decision{Noise: noise, Change: change, Allowed: max(Threshold, math.Abs(noise.Effect)+noiseErrors*noise.Error)}
	i := change.Interval()
	switch allowed := 100 * math.Expm1(d.Allowed); {
	case change.Effect-Sure*change.Error > d.Allowed && !math.IsInf(change.Error, 1):
		// However noisy: the effect stands out of it.
		d.Verdict = Regression
		d.Reason = fmt.Sprintf("B takes %.1f %% longer, surely more than %.1f %%; %.1f %% would be allowed", change.Percent(), i.Low, allowed)
	case change.Blocks < FewestBlocks || noise.Blocks < FewestBlocks:
		d.Verdict = TooNoisy
		d.Reason = fmt.Sprintf("only %d blocks could be measured, %d of A against A: fewer than %d say nothing", change.Blocks, noise.Blocks, FewestBlocks)
	case change.Error > Judgeable || d.Allowed > Threshold+noiseErrors*Judgeable:
		d.Verdict = TooNoisy
		d.Reason = fmt.Sprintf("the machine was too noisy: the change is known to %.1f %% only, and A differs from A by %.1f %%", 100*Sure*change.Error, math.Abs(noise.Percent()))
	case change.Effect+Sure*change.Error < -d.Allowed:
		d.Verdict = Faster
		d.Reason = fmt.Sprintf("B takes %.1f %% less", -change.Percent())
	default:
		d.Verdict = NoRegression
		d.Reason = fmt.Sprintf("B differs by %+.1f %% (between %+.1f and %+.1f); %.1f %% would be allowed", change.Percent(), i.Low, i.High, allowed)
	}
	return d
}

// Enough says whether an estimate is good enough to stop measuring. It looks at the
// error alone: to look at the effect would be to wait for a chance alarm.
func (e Estimate) Enough() bool { return e.Blocks >= FewestBlocks && e.Error <= Judgeable }

// EstimateEffects estimates from effects that were found in another way than by
// blocks.
func EstimateEffects(effects []float64) Estimate { return estimate(effects) }

// Difference is b - a of two estimates that know nothing of each other.
func Difference(b, a Estimate) Estimate {
	return Estimate{Effect: b.Effect - a.Effect, Error: math.Hypot(a.Error, b.Error), Blocks: min(a.Blocks, b.Blocks)}
}
