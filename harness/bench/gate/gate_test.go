package gate

import (
	"math"
	"math/rand/v2"
	"testing"

	. "github.com/onsi/gomega"
)

// machine makes times as a shared machine does: skewed, with bursts that slow
// everything for a while, and now and then a connection that is held up.
type machine struct {
	r     *rand.Rand
	burst float64
}

func newMachine(seed uint64) *machine { return &machine{r: rand.New(rand.NewPCG(seed, 99))} }

func (m *machine) batch(mean float64) []int64 {
	m.burst = 0.9*m.burst + 0.03*m.r.NormFloat64()
	out := make([]int64, 5)
	for i := range out {
		t := mean * math.Exp(m.burst+0.12*m.r.NormFloat64())
		if m.r.Float64() < 0.04 {
			t *= 1 + 10*m.r.Float64()
		}
		out[i] = int64(t)
	}
	return out
}

func (m *machine) blocks(n int, slower float64) []Block {
	const ms = 2.5e6
	list := make([]Block, n)
	for i := range list {
		list[i] = Block{A1: m.batch(ms), B1: m.batch(ms * slower), B2: m.batch(ms * slower), A2: m.batch(ms)}
	}
	return list
}

func TestTheGateOnAModelOfTheMachine(t *testing.T) {
	g := NewWithT(t)
	const trials, perTrial = 150, 120
	alarms, missed := 0, 0
	for i := range trials {
		m := newMachine(uint64(i))
		noise := EstimateOf(m.blocks(perTrial, 1))
		if Decide(noise, EstimateOf(m.blocks(perTrial, 1))).Verdict == Regression {
			alarms++
		}
		if Decide(noise, EstimateOf(m.blocks(perTrial, 1.1))).Verdict != Regression {
			missed++
		}
	}
	g.Expect(alarms).To(BeZero())
	g.Expect(missed).To(BeNumerically("<=", 1))
}

func TestTheErrorIsTheScatterOfRepetitions(t *testing.T) {
	g := NewWithT(t)
	var effects []float64
	claimed := 0.0
	const trials = 200
	for i := range trials {
		e := EstimateOf(newMachine(uint64(1000+i)).blocks(100, 1))
		effects = append(effects, e.Effect)
		claimed += e.Error / trials
	}
	sum, squares := 0.0, 0.0
	for _, e := range effects {
		sum += e
		squares += e * e
	}
	scatter := math.Sqrt(squares/trials - sum*sum/trials/trials)
	g.Expect(claimed / scatter).To(BeNumerically("~", 1, 0.25))
}

func TestDecisions(t *testing.T) {
	quiet := Estimate{Effect: 0.002, Error: 0.004, Blocks: 100}
	of := func(effect, e float64) Estimate { return Estimate{Effect: effect, Error: e, Blocks: 100} }
	for name, c := range map[string]struct {
		noise, change Estimate
		want          Verdict
	}{
		"nothing":                                    {quiet, of(0.001, 0.004), NoRegression},
		"ten per cent":                               {quiet, of(0.095, 0.004), Regression},
		"ten per cent, as noisy as it may be":        {of(0.01, 0.01), of(0.095, 0.01), Regression},
		"over the threshold, but not surely":         {quiet, of(0.04, 0.004), NoRegression},
		"surely more, but below the threshold":       {quiet, of(0.02, 0.001), NoRegression},
		"A differs from A by as much":                {of(0.04, 0.004), of(0.05, 0.004), NoRegression},
		"ten per cent faster":                        {quiet, of(-0.1, 0.004), Faster},
		"the change is not known well":               {quiet, of(0.02, 0.03), TooNoisy},
		"A differs from A by more than can be right": {of(0.08, 0.004), of(0.001, 0.004), TooNoisy},
		"twice as slow on a noisy machine":           {of(0.02, 0.02), of(0.7, 0.05), Regression},
		"nothing was measured":                       {quiet, estimate(nil), TooNoisy},
		"hardly anything was measured":               {quiet, estimate([]float64{0.5, 0.5, 0.5}), TooNoisy},
		"the noise was not measured":                 {estimate(nil), of(0.001, 0.004), TooNoisy},
		"a huge change and no noise":                 {estimate(nil), of(0.5, 0.004), TooNoisy},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			d := Decide(c.noise, c.change)
			g.Expect(d.Verdict).To(Equal(c.want), d.Reason)
			g.Expect(d.Reason).NotTo(BeEmpty())
		})
	}
}

func TestDriftThroughABlockCancels(t *testing.T) {
	g := NewWithT(t)
	b := Block{A1: []int64{1000}, B1: []int64{1100}, B2: []int64{1210}, A2: []int64{1331}}
	e, ok := b.Effect()
	g.Expect(ok).To(BeTrue())
	g.Expect(e).To(BeNumerically("~", 0, 1e-9))
}

func TestABlockWithoutTimesHasNoEffect(t *testing.T) {
	_, ok := Block{A1: []int64{1}, B1: nil, B2: []int64{1}, A2: []int64{1}}.Effect()
	NewWithT(t).Expect(ok).To(BeFalse())
}
