package gate

import (
	"math"
	"math/rand/v2"
	"slices"

	"qmconformance/harness/bench/stats"
)

const (
	// FewestRounds and FewestPairs are what an estimate of the error needs.
	FewestRounds = 20
	FewestPairs  = 4
	// trim is the share that is left out at either end: the middle third stays. On a
	// machine that others use it repeats best, better than the median of each side,
	// and much better than a low quantile.
	trim = 1.0 / 3
)

// Pair is the time of a call of A's and of one of B's beside it, in nanoseconds; 0
// for a call that failed.
type Pair [2]int64

// Effect is ln(B/A); ok is false where a call failed.
func (p Pair) Effect() (effect float64, ok bool) {
	if p[0] <= 0 || p[1] <= 0 {
		return 0, false
	}
	return math.Log(float64(p[1]) / float64(p[0])), true
}

// Round is one Pair of each pair of targets, always in the same order.
type Round []Pair

// Estimate is an effect, ln(B/A), and its standard error.
type Estimate struct {
	Effect float64 `json:"effect"`
	Error  float64 `json:"standard_error"`
	// Within is the part of the error that more rounds would make smaller; what
	// remains is that targets of one kind differ.
	Within float64 `json:"standard_error_within"`
	// Scatter is the standard deviation of the pairs' effects.
	Scatter float64 `json:"scatter"`
	// Pairs is how many pairs of targets there were, 0 where there were none to
	// repeat it with; Rounds how often the rarest was measured.
	Pairs  int `json:"pairs"`
	Rounds int `json:"rounds"`
}

// Percent is the effect as a change in percent.
func (e Estimate) Percent() float64 { return 100 * math.Expm1(e.Effect) }

// Interval is where the effect is, as sure as the gate wants it, in percent.
func (e Estimate) Interval() stats.Interval {
	away := e.sure() * e.Error
	return stats.Interval{Low: 100 * math.Expm1(e.Effect-away), High: 100 * math.Expm1(e.Effect+away)}
}

// Effects are those of one pair of targets, in the order of the rounds.
func Effects(rounds []Round, pair int) (list []float64) {
	for _, r := range rounds {
		if pair < len(r) {
			if e, ok := r[pair].Effect(); ok {
				list = append(list, e)
			}
		}
	}
	return list
}

// EstimateOf estimates the effect from rounds in the order in which they were
// measured. Each pair of targets gives one number, and the error is how much these
// differ: it holds whatever differs from pair to pair, known or not. It is never
// less than what the rounds alone would give, since few pairs may agree by chance.
func EstimateOf(rounds []Round) Estimate {
	e := Estimate{Error: math.Inf(1)}
	if len(rounds) == 0 {
		return e
	}
	var pairs []float64
	variance := 0.0
	for j := range rounds[0] {
		list := Effects(rounds, j)
		if j == 0 || len(list) < e.Rounds {
			e.Rounds = len(list)
		}
		if len(list) == 0 {
			continue
		}
		one := EstimateEffects(list)
		pairs = append(pairs, one.Effect)
		variance += one.Error * one.Error
	}
	e.Pairs = len(pairs)
	if e.Pairs == 0 {
		return e
	}
	n := float64(e.Pairs)
	for _, x := range pairs {
		e.Effect += x / n
	}
	if e.Rounds < FewestRounds || e.Pairs < max(FewestPairs, len(rounds[0])) {
		return e
	}
	for _, x := range pairs {
		e.Scatter += (x - e.Effect) * (x - e.Effect) / (n - 1)
	}
	e.Scatter, e.Within = math.Sqrt(e.Scatter), math.Sqrt(variance)/n
	e.Error = max(e.Scatter/math.Sqrt(n), e.Within)
	return e
}

// EstimateEffects estimates from the effects of one target's calls, in their order.
func EstimateEffects(effects []float64) Estimate {
	e := Estimate{Rounds: len(effects), Effect: middle(slices.Clone(effects)), Error: math.Inf(1)}
	if len(effects) >= FewestRounds {
		e.Error = errorOf(effects)
		e.Within = e.Error
	}
	return e
}

// Difference is b - a of two estimates that know nothing of each other.
func Difference(b, a Estimate) Estimate {
	err := math.Hypot(a.Error, b.Error)
	return Estimate{Effect: b.Effect - a.Effect, Error: err, Within: err, Rounds: min(a.Rounds, b.Rounds)}
}

// middle is the mean of the middle third. It sorts x.
func middle(x []float64) float64 {
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

// redraws is how many samples the error within a pair is estimated from.
const redraws = 200

// errorOf is the standard error of the middle by a circular block bootstrap: runs
// of n^(1/3) neighbours are drawn, since what disturbs one round often disturbs the
// next. Few runs show too little of the variance; the factor is that of a sample
// variance.
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
		m := middle(draw)
		sum += m
		squares += m * m
	}
	mean := sum / redraws
	runs := float64(n) / float64(run)
	return math.Sqrt(max(0, squares/redraws-mean*mean) * runs / (runs - 1))
}
