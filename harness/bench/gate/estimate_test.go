package gate

import (
	"math"
	"math/rand/v2"
	"testing"

	. "github.com/onsi/gomega"
)

// machine makes times as a shared machine does: skewed; with bursts that slow
// everything for a while; drifting; now and then a connection that is held up; and
// with targets that are faster or slower for as long as they live.
type machine struct {
	r *rand.Rand
	// luck is the standard deviation of a target's own speed, drift what a comparison
	// becomes slower by from its beginning to its end.
	luck, drift float64
	burst       float64
}

func newMachine(seed uint64) *machine {
	return &machine{r: rand.New(rand.NewPCG(seed, 99)), luck: 0.012, drift: 0.2}
}

func (m *machine) call(mean float64) int64 {
	m.burst = 0.9*m.burst + 0.04*m.r.NormFloat64()
	t := mean * math.Exp(m.burst+0.12*m.r.NormFloat64())
	if m.r.Float64() < 0.04 {
		t *= 1 + 10*m.r.Float64()
	}
	return int64(t)
}

func (m *machine) rounds(pairs, n int, slower float64) []Round {
	const ms = 2.5e6
	means := make([][2]float64, pairs)
	for i := range means {
		means[i] = [2]float64{ms * math.Exp(m.luck*m.r.NormFloat64()), ms * slower * math.Exp(m.luck*m.r.NormFloat64())}
	}
	list := make([]Round, n)
	for k := range list {
		now := math.Exp(m.drift * float64(k) / float64(n))
		for _, mean := range means {
			var p Pair
			first := m.r.IntN(2)
			p[first] = m.call(mean[first] * now)
			p[1-first] = m.call(mean[1-first] * now)
			list[k] = append(list[k], p)
		}
	}
	return list
}

// The numbers of a comparison of 20 s.
const (
	pairsThen  = 6
	roundsThen = 150
)

func TestTheGateOnAModelOfTheMachine(t *testing.T) {
	g := NewWithT(t)
	const trials = 60
	var verdicts [2]map[Verdict]int
	for k, slower := range []float64{1, 1.1} {
		verdicts[k] = map[Verdict]int{}
		for i := range trials {
			verdicts[k][Decide(EstimateOf(newMachine(uint64(i)).rounds(pairsThen, roundsThen, slower))).Verdict]++
		}
	}
	t.Logf("alike: %v; 10 %% slower: %v", verdicts[0], verdicts[1])
	g.Expect(verdicts[0][Regression]).To(BeZero())
	g.Expect(verdicts[0][TooNoisy]).To(BeNumerically("<=", 1))
	g.Expect(verdicts[1][NoRegression]).To(BeZero())
	g.Expect(verdicts[1][Regression]).To(BeNumerically(">=", trials-1))
}

// The error that is claimed is what repetitions scatter by: with targets that are
// all alike, with such that differ for good, and with bursts that last.
func TestTheErrorIsTheScatterOfRepetitions(t *testing.T) {
	for name, change := range map[string]func(*machine){
		"as it is":                func(*machine) {},
		"targets that are alike":  func(m *machine) { m.luck = 0 },
		"targets that differ":     func(m *machine) { m.luck = 0.03 },
		"a machine that wanders":  func(m *machine) { m.drift = 1 },
		"a machine that is quiet": func(m *machine) { m.drift, m.luck = 0, 0.02 },
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			const trials = 60
			variance, squares := 0.0, 0.0
			for i := range trials {
				m := newMachine(uint64(1000 + i))
				change(m)
				e := EstimateOf(m.rounds(pairsThen, 60, 1))
				squares += e.Effect * e.Effect / trials
				variance += e.Error * e.Error / trials
			}
			ratio := math.Sqrt(variance / squares)
			t.Logf("claimed over true: %.2f", ratio)
			g.Expect(ratio).To(And(BeNumerically(">", 0.85), BeNumerically("<", 1.45)))
		})
	}
}

// One pair measured for ever looks certain of what is only its own: the reason for
// several.
func TestOnePairAloneWouldBeSureOfItsOwnLuck(t *testing.T) {
	g := NewWithT(t)
	m := newMachine(5)
	m.luck = 0.03
	list := m.rounds(pairsThen, 600, 1)
	whole := EstimateOf(list)
	worst := 0.0
	for j := range pairsThen {
		one := EstimateEffects(Effects(list, j))
		worst = max(worst, math.Abs(one.Effect)/one.Error)
	}
	g.Expect(worst).To(BeNumerically(">", Sure))
	g.Expect(math.Abs(whole.Effect) / whole.Error).To(BeNumerically("<", Sure))
	g.Expect(whole.Scatter).To(BeNumerically(">", 0.02))
	g.Expect(whole.Error).To(BeNumerically("~", whole.Scatter/math.Sqrt(pairsThen), 1e-9))
}

func TestAFailedCallIsLeftOut(t *testing.T) {
	g := NewWithT(t)
	_, ok := Pair{0, 1}.Effect()
	g.Expect(ok).To(BeFalse())
	list := newMachine(3).rounds(pairsThen, 60, 1)
	for k := range 30 {
		list[k][2] = Pair{1, 0}
	}
	e := EstimateOf(list)
	g.Expect([]int{e.Pairs, e.Rounds}).To(Equal([]int{pairsThen, 30}))
	for k := range list {
		list[k][2] = Pair{0, 0}
	}
	g.Expect(math.IsInf(EstimateOf(list).Error, 1)).To(BeTrue(), "a pair of which nothing came is no pair less, but a comparison that failed")
}

// Few pairs that agree by chance do not make an estimate surer than its calls.
func TestTheErrorIsNeverLessThanThatOfTheRounds(t *testing.T) {
	g := NewWithT(t)
	list := newMachine(4).rounds(1, 100, 1)
	for k := range list {
		for range pairsThen - 1 {
			list[k] = append(list[k], list[k][0])
		}
	}
	e := EstimateOf(list)
	g.Expect(e.Scatter).To(BeNumerically("<", 1e-9))
	g.Expect(e.Error).To(Equal(e.Within))
	g.Expect(e.Error).To(BeNumerically(">", 0.002))
}
