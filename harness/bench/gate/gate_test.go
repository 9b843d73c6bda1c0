package gate

import (
	"math"
	"math/rand/v2"
	"testing"

	. "github.com/onsi/gomega"
)

func TestDecisions(t *testing.T) {
	of := func(percent, e float64) Estimate {
		return Estimate{Effect: math.Log1p(percent / 100), Error: e / 100, Pairs: 6, Rounds: 100}
	}
	file := of(11, 2.2)
	file.Pairs = 0
	for name, c := range map[string]struct {
		change Estimate
		want   Verdict
	}{
		"nothing":                                     {of(0.1, 0.5), NoRegression},
		"ten per cent":                                {of(10, 0.8), Regression},
		"ten per cent, and too much noise":            {of(10, 1.9), TooNoisy},
		"over the threshold, but not surely":          {of(4, 0.5), NoRegression},
		"over the threshold, and surely not by ten":   {of(6, 0.5), Regression},
		"surely more, but below the threshold":        {of(2, 0.1), NoRegression},
		"ten per cent faster":                         {of(-10, 0.8), Faster},
		"perhaps nothing, and perhaps ten per cent":   {of(5, 1.7), TooNoisy},
		"surely not by ten, though not known well":    {of(0, 1.7), NoRegression},
		"an error that few pairs may have got wrong":  {of(0, 1.9), TooNoisy},
		"twice as slow on a noisy machine":            {of(100, 5), Regression},
		"fifty per cent on a machine that is useless": {of(50, 5), TooNoisy},
		"an error that is known, and no sample's":     {file, Regression},
		"nothing was measured":                        {EstimateOf(nil), TooNoisy},
		"hardly anything was measured":                {EstimateOf(newMachine(1).rounds(6, FewestRounds-1, 2)), TooNoisy},
		"too few pairs":                               {EstimateOf(newMachine(1).rounds(FewestPairs-1, 50, 2)), TooNoisy},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			d := Decide(c.change)
			g.Expect(d.Verdict).To(Equal(c.want), "%s", d.Reason)
			g.Expect(d.Reason).NotTo(BeEmpty())
		})
	}
}

// However little or much pairs differ, with the error learnt from six of them: an
// alarm without a cause comes less than once in a thousand times, and a slow-down of
// 10 % is called harmless less than once in a hundred. Noise only makes the gate say
// more often that it cannot tell.
func TestTheRulesKeepTheirPromiseAtAnyNoise(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const trials, pairs = 100_000, 6
	draw := func(truth, se float64) Verdict {
		e := Estimate{Pairs: pairs, Rounds: 100}
		sum, squares := 0.0, 0.0
		for range pairs {
			x := truth + se*math.Sqrt(pairs)*r.NormFloat64()
			sum, squares = sum+x, squares+x*x
		}
		e.Effect = sum / pairs
		e.Error = math.Sqrt((squares/pairs - e.Effect*e.Effect) / (pairs - 1))
		return Decide(e).Verdict
	}
	for _, se := range []float64{0.003, 0.006, 0.008, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.3} {
		g := NewWithT(t)
		var alarms, unsure, found, cleared int
		for range trials {
			switch draw(0, se) {
			case Regression:
				alarms++
			case TooNoisy:
				unsure++
			}
			switch draw(SlowDown, se) {
			case Regression:
				found++
			case NoRegression, Faster:
				cleared++
			}
		}
		t.Logf("standard error %.1f %%: of what is alike %.3f %% alarms, %.2f %% undecided; of slow-downs %.2f %% found, %.3f %% cleared",
			100*se, 100.*float64(alarms)/trials, 100.*float64(unsure)/trials, 100.*float64(found)/trials, 100.*float64(cleared)/trials)
		g.Expect(float64(alarms)/trials).To(BeNumerically("<=", 0.001), "alarms at %v", se)
		g.Expect(float64(cleared)/trials).To(BeNumerically("<=", 0.01), "slow-downs cleared at %v", se)
		if se <= Aim {
			g.Expect(float64(unsure)/trials).To(BeNumerically("<=", 0.001), "undecided at %v", se)
			g.Expect(float64(found)/trials).To(BeNumerically(">=", 0.99), "found at %v", se)
		}
	}
}

func TestWhenToStop(t *testing.T) {
	g := NewWithT(t)
	g.Expect(Estimate{Error: 0.008, Within: 0.008, Rounds: 30}.Enough()).To(BeTrue())
	g.Expect(Estimate{Error: 0.02, Within: 0.018, Rounds: 30}.Enough()).To(BeFalse(), "more rounds help")
	g.Expect(Estimate{Error: 0.02, Within: 0.005, Rounds: 30}.Enough()).To(BeTrue(), "they would not")
	g.Expect(Estimate{Error: 0.001, Within: 0.001, Rounds: 5}.Enough()).To(BeFalse())
}
