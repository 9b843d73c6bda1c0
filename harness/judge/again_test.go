package judge

import (
	"context"
	"errors"
	"testing"

	. "github.com/onsi/gomega"

	"qmconformance/harness/observation"
	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

// counting is a spec whose look counts to n, and whose rule allows up to most.
func counting(n, most int) Spec {
	type counted struct{ N int }
	return Spec{
		ID: "SERV-02",
		Plan: observe.Plan{
			Name: "count", Each: true, Limit: soon, Blank: func() any { return new(counted) },
			Take: func(context.Context, *observe.Scene) (any, error) { return counted{n}, nil },
		},
		Rule: func(_ Case, facts any) verdict.Finding {
			return verdict.That(facts.(counted).N <= most, "few", "many", "")
		},
	}
}

func twoOf(t *testing.T) *requirement.Catalogue {
	return catalogue(t, entry{"SERV-01", "host", ""}, entry{"SERV-02", "qmserver", "follows: [SERV-01]"})
}

// rec has the court judge, and records what it says.
func rec(t *testing.T, c *Court) observation.Observation {
	t.Helper()
	r := ruling(t, c, Key{"SERV-02", server})
	kept := observation.Observation{Look: r.Look, Verdict: r.Verdict, Unobserved: r.Unobserved, Circumstance: r.Circumstance}
	if err := kept.Keep(r.Facts); err != nil {
		t.Fatal(err)
	}
	return kept
}

func TestARecordIsJudgedAsItWas(t *testing.T) {
	g := NewWithT(t)
	specs := specsOf(says("SERV-01", harmed), counting(5, 3))
	kept := rec(t, &Court{Catalogue: twoOf(t), Stages: &fakeStages{}, Specs: specs})
	g.Expect(kept.Verdict.Kind).To(Equal(verdict.Fail))
	g.Expect(kept.Verdict.BecauseOf).To(Equal("SERV-01"))
	v, err := specs.Again(twoOf(t), nil, kept)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(v).To(Equal(kept.Verdict))
}

func TestAChangedRuleChangesTheVerdict(t *testing.T) {
	g := NewWithT(t)
	kept := rec(t, &Court{Catalogue: twoOf(t), Stages: &fakeStages{}, Specs: specsOf(says("SERV-01", harmed), counting(5, 3))})
	v, err := specsOf(counting(0, 7)).Again(twoOf(t), nil, kept)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(v.Kind).To(Equal(verdict.Pass))
	g.Expect(v.BecauseOf).To(BeEmpty(), "what is kept follows from nothing")
}

func TestTheListOfKnownFailuresIsAskedAgain(t *testing.T) {
	g := NewWithT(t)
	known := verdict.KnownFailures{{ID: "SERV-02", Services: []requirement.Service{server}, QM: "standin", Reason: "so it is", Link: "https://example.org/1"}}
	at := func() verdict.Circumstance { return verdict.Circumstance{QMKind: "standin"} }
	specs := specsOf(says("SERV-01", kept), counting(5, 3))
	listed := rec(t, &Court{Catalogue: twoOf(t), Stages: &fakeStages{}, Specs: specs, Known: known, Circumstance: at})
	g.Expect(listed.Verdict.Kind).To(Equal(verdict.KnownFailing))
	for want, list := range map[verdict.Kind]verdict.KnownFailures{verdict.KnownFailing: known, verdict.Fail: nil} {
		v, err := specs.Again(twoOf(t), list, listed)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(v.Kind).To(Equal(want))
	}
}

// What a look that broke had seen so far is no ground for a verdict.
func TestWhatWasNotObservedIsNotJudged(t *testing.T) {
	g := NewWithT(t)
	broke := counting(0, 3)
	take := broke.Plan.Take
	broke.Plan.Take = func(ctx context.Context, s *observe.Scene) (any, error) {
		facts, _ := take(ctx, s)
		return facts, errors.New("the agent is gone")
	}
	specs := specsOf(says("SERV-01", kept), broke)
	kept := rec(t, &Court{Catalogue: twoOf(t), Stages: &fakeStages{}, Specs: specs})
	v, err := specs.Again(twoOf(t), nil, kept)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(v).To(Equal(kept.Verdict))
	g.Expect(v.Kind).To(Equal(verdict.Error))
	g.Expect(v.Actual).To(Equal("the agent is gone"))
}

func TestWhatThisProgramCannotJudgeIsSaid(t *testing.T) {
	specs := specsOf(counting(5, 3))
	for name, c := range map[string]struct {
		change func(*observation.Observation)
		says   string
	}{
		"an unknown requirement":    {func(r *observation.Observation) { r.Verdict.ID = "SERV-99" }, "no requirement SERV-99"},
		"one without a rule":        {func(r *observation.Observation) { r.Verdict.ID = "SERV-01" }, "no requirement SERV-01"},
		"a service it is not for":   {func(r *observation.Observation) { r.Verdict.Service = requirement.QMClient }, "qmclient"},
		"another look":              {func(r *observation.Observation) { r.Look = "glance" }, "glance"},
		"facts of another shape":    {func(r *observation.Observation) { r.Facts = []byte(`{"M":1}`) }, `"M"`},
		"facts that are incomplete": {func(r *observation.Observation) { r.Facts = []byte(`{}`) }, "facts.N"},
	} {
		t.Run(name, func(t *testing.T) {
			r := rec(t, &Court{Catalogue: twoOf(t), Stages: &fakeStages{}, Specs: specsOf(says("SERV-01", kept), counting(5, 3))})
			c.change(&r)
			_, err := specs.Again(twoOf(t), nil, r)
			NewWithT(t).Expect(err).To(MatchError(ContainSubstring(c.says)))
		})
	}
}
