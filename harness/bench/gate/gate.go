// Package gate decides whether B is slower than A, from times that were measured
// beside each other on a machine that does other things as well.
//
// A and B are several targets each, in pairs that were booted at the same time. In a
// round each is called once, the two of a pair one after the other, so that whatever
// drifts or bursts meets both. A pair gives one number, the middle third's mean of
// ln(B/A) over the rounds. The pairs are the sample: two targets of the very same
// package differ by one or two percent for as long as they live, for the places in
// memory that their files came to lie in, and no patience with one pair shows that.
package gate

import (
	"fmt"
	"math"
)

// Rules of the gate; docs/benchmark.md argues for the numbers.
var (
	// Threshold is ln(B/A) of a slow-down that nobody minds: 3 %.
	Threshold = math.Log(1.03)
	// SlowDown is that of the slow-down that must not be missed: 10 %.
	SlowDown = math.Log(1.10)
)

const (
	// Sure is how many standard errors the effect must be away from what is excluded.
	Sure = 3.29
	// Judgeable is the standard error above which Sure is not enough, since an error
	// that is learnt from a few pairs may be much too small by chance.
	Judgeable = 0.018
	// Surer is how many standard errors are wanted then.
	Surer = 3 * Sure
	// Aim is the standard error that is measured for, where patience can help.
	Aim = 0.008
)

func (e Estimate) sure() float64 {
	if e.Pairs > 0 && e.Error > Judgeable {
		return Surer
	}
	return Sure
}

// Enough says whether to stop measuring: the estimate is good enough, or more rounds
// would hardly make it better. It looks at the error alone: to look at the effect
// would be to wait for a chance alarm.
func (e Estimate) Enough() bool {
	return e.Rounds >= FewestRounds && (e.Error <= Aim || e.Within < e.Error/2)
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
	Change  Estimate `json:"change"`
	Reason  string   `json:"reason"`
}

// Decide says what is sure: that B is slower by more than Threshold, or that it is
// not slower by SlowDown. Where neither is, the machine was too noisy to tell.
func Decide(change Estimate) Decision {
	d := Decision{Change: change, Verdict: TooNoisy}
	if change.Rounds < FewestRounds || math.IsInf(change.Error, 1) {
		d.Reason = fmt.Sprintf("only %d rounds could be measured on %d pairs of targets: fewer than %d on each say nothing", change.Rounds, change.Pairs, FewestRounds)
		return d
	}
	i := change.Interval()
	away := change.sure() * change.Error
	switch {
	case change.Effect-away > Threshold:
		d.Verdict = Regression
		d.Reason = fmt.Sprintf("B takes %.1f %% longer, surely more than %.1f %%; 3 %% would be allowed", change.Percent(), i.Low)
	case change.Effect+away < -Threshold:
		d.Verdict = Faster
		d.Reason = fmt.Sprintf("B takes %.1f %% less", -change.Percent())
	case change.Effect+away < SlowDown:
		d.Verdict = NoRegression
		d.Reason = fmt.Sprintf("B differs by %+.1f %% (between %+.1f and %+.1f): not surely slower by 3 %%, and surely not by 10 %%", change.Percent(), i.Low, i.High)
	default:
		d.Reason = fmt.Sprintf("the machine was too noisy: B differs by %+.1f %%, and that may be anything from %+.1f to %+.1f", change.Percent(), i.Low, i.High)
	}
	return d
}
