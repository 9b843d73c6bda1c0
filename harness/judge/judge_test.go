package judge

import (
	"context"
	"errors"
	"fmt"
	"testing"

	. "github.com/onsi/gomega"

	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

const server = requirement.QMServer

// chain is three requirements, each of which requires the one before.
func chain(t *testing.T) *requirement.Catalogue {
	return catalogue(t,
		entry{"SERV-01", "host", ""},
		entry{"SERV-02", "qmserver, qmclient", "requires: [SERV-01]"},
		entry{"SERV-03", "qmserver, qmclient", "requires: [SERV-02]"})
}

func TestARedPreconditionNamesItsRoot(t *testing.T) {
	for name, c := range map[string]struct {
		first verdict.Finding
		kind  verdict.Kind
		cause string
	}{
		"kept":           {kept, verdict.Pass, ""},
		"violated":       {harmed, verdict.NotTestable, "SERV-01"},
		"not testable":   {verdict.Unmet("no"), verdict.NotTestable, "SERV-01"},
		"error":          {broken, verdict.Error, "SERV-01"},
		"not applicable": {verdict.Absent("no"), verdict.Pass, ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			b := &Court{
				Catalogue: chain(t), Stages: &fakeStages{},
				Specs: specsOf(says("SERV-01", c.first), says("SERV-02", kept), says("SERV-03", kept)),
			}
			r := ruling(t, b, Key{"SERV-03", server})
			g.Expect(r.Kind).To(Equal(c.kind))
			g.Expect(r.BecauseOf).To(Equal(c.cause))
			if c.cause != "" {
				g.Expect(r.Actual).To(ContainSubstring(c.cause))
				g.Expect(r.Bundle.Empty()).To(BeTrue())
			}
		})
	}
}

func TestARedPreconditionSparesTheLook(t *testing.T) {
	looked := false
	last := says("SERV-03", kept)
	last.Plan = plan("last", observe.AsShipped, func(context.Context, *observe.Scene) (any, error) {
		looked = true
		return nil, nil
	})
	b := &Court{Catalogue: chain(t), Stages: &fakeStages{}, Specs: specsOf(says("SERV-01", harmed), says("SERV-02", kept), last)}
	ruling(t, b, Key{"SERV-03", server})
	NewWithT(t).Expect(looked).To(BeFalse())
}

func TestAPreconditionOfTheHostWaitsForEveryService(t *testing.T) {
	g := NewWithT(t)
	c := catalogue(t, entry{"SERV-01", "qmserver, qmclient", ""}, entry{"SERV-02", "host", "requires: [SERV-01]"})
	onlyClient := Spec{ID: "SERV-01", Plan: nothing("one"), Rule: func(c Case, _ any) verdict.Finding {
		return verdict.That(c.Service != requirement.QMClient, "expected", "actual", "")
	}}
	b := &Court{Catalogue: c, Stages: &fakeStages{}, Specs: specsOf(onlyClient, says("SERV-02", kept))}
	g.Expect(ruling(t, b, Key{"SERV-02", requirement.Host}).BecauseOf).To(Equal("SERV-01"))
}

func TestACauseIsFollowedToItsRoot(t *testing.T) {
	c := catalogue(t,
		entry{"SERV-01", "host", ""},
		entry{"SERV-02", "host", "follows: [SERV-01]"},
		entry{"SERV-03", "host", "follows: [SERV-02]"})
	for name, k := range map[string]struct {
		first, second verdict.Finding
		cause         string
	}{
		"no cause":                   {kept, kept, ""},
		"the next one":               {kept, harmed, "SERV-02"},
		"the one behind it":          {harmed, harmed, "SERV-01"},
		"green ones end the way":     {harmed, kept, ""},
		"one that is not testable":   {kept, verdict.Unmet("no"), "SERV-02"},
		"an error explains nothing":  {kept, broken, ""},
		"known-failing neither does": {kept, verdict.Finding{Kind: verdict.KnownFailing}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			b := &Court{Catalogue: c, Stages: &fakeStages{}, Specs: specsOf(says("SERV-01", k.first), says("SERV-02", k.second), says("SERV-03", harmed))}
			r := ruling(t, b, Key{"SERV-03", requirement.Host})
			g.Expect(r.Kind).To(Equal(verdict.Fail))
			g.Expect(r.BecauseOf).To(Equal(k.cause))
		})
	}
}

// An attribute of a service that is not offered cannot be judged because of that;
// it is then no cause of that, and must not hide the true one behind it.
func TestNothingIsItsOwnCause(t *testing.T) {
	g := NewWithT(t)
	c := catalogue(t,
		entry{"SERV-01", "host", ""},
		entry{"SERV-02", "host", ""},
		entry{"SERV-09", "host", "follows: [SERV-01, SERV-02]"})
	circular := verdict.Unmet("no such service")
	circular.BecauseOf = "SERV-09"
	for want, second := range map[string]verdict.Finding{"": kept, "SERV-02": harmed} {
		b := &Court{Catalogue: c, Stages: &fakeStages{}, Specs: specsOf(says("SERV-01", circular), says("SERV-02", second), says("SERV-09", harmed))}
		g.Expect(ruling(t, b, Key{"SERV-09", requirement.Host}).BecauseOf).To(Equal(want))
	}
}

func TestARuleMayNameTheCauseItself(t *testing.T) {
	named := harmed
	named.BecauseOf = "SERV-07"
	c := catalogue(t, entry{"SERV-01", "host", ""}, entry{"SERV-02", "host", "follows: [SERV-01]"})
	b := &Court{Catalogue: c, Stages: &fakeStages{}, Specs: specsOf(says("SERV-01", harmed), says("SERV-02", named))}
	NewWithT(t).Expect(ruling(t, b, Key{"SERV-02", requirement.Host}).BecauseOf).To(Equal("SERV-07"))
}

func TestAnAbsentCapabilityIsNotApplicable(t *testing.T) {
	g := NewWithT(t)
	stages := &fakeStages{lacks: requirement.Reconfigure}
	c := catalogue(t, entry{"SERV-01", "host", ""}, entry{"SERV-02", "host", "needs: [boot, reconfigure]\nrequires: [SERV-01]"})
	b := &Court{Catalogue: c, Stages: stages, Specs: specsOf(says("SERV-01", harmed), says("SERV-02", harmed))}
	r := ruling(t, b, Key{"SERV-02", requirement.Host})
	g.Expect(r.Kind).To(Equal(verdict.NotApplicable))
	g.Expect(r.Actual).To(ContainSubstring("reconfigure"))
	g.Expect(stages.scenes).To(BeZero())
}

// Whether systemd can be booted, for one, is known when its target is wanted.
func TestACapabilityThatIsMissedLaterIsNotApplicable(t *testing.T) {
	g := NewWithT(t)
	lacks := &observe.Cannot{Capability: requirement.BootSystemd, Why: "no mirror answers"}
	b := &Court{
		Catalogue: catalogue(t, entry{"SERV-01", "host", ""}, entry{"SERV-02", "host", "requires: [SERV-01]"}),
		Stages:    &fakeStages{err: fmt.Errorf("target x: %w", lacks)}, Specs: specsOf(says("SERV-01", harmed), says("SERV-02", harmed)),
	}
	for _, id := range []string{"SERV-01", "SERV-02"} {
		r := ruling(t, b, Key{id, requirement.Host})
		g.Expect(r.Kind).To(Equal(verdict.NotApplicable))
		g.Expect(r.Actual).To(Equal("this target cannot boot-systemd: no mirror answers"))
	}
}

func TestWhatIsUnknownIsAnErrorOfOurs(t *testing.T) {
	g := NewWithT(t)
	b := &Court{Catalogue: catalogue(t, entry{"SERV-01", "host", ""}), Stages: &fakeStages{}, Specs: Specs{}}
	for _, id := range []string{"SERV-01", "SERV-99"} {
		r := ruling(t, b, Key{id, requirement.Host})
		g.Expect(r.Kind).To(Equal(verdict.Error))
		g.Expect(r.Actual).To(ContainSubstring(id))
	}
}

func TestWhatBreaksIsAnErrorAndNoViolation(t *testing.T) {
	c := catalogue(t, entry{"SERV-01", "host", ""})
	panics := says("SERV-01", kept)
	panics.Rule = func(Case, any) verdict.Finding { panic("in the rule") }
	looks := says("SERV-01", kept)
	looks.Plan.Take = func(context.Context, *observe.Scene) (any, error) { panic("in the look") }
	fails := says("SERV-01", kept)
	fails.Plan.Take = func(context.Context, *observe.Scene) (any, error) { return nil, errors.New("the agent is gone") }
	for name, k := range map[string]struct {
		spec   Spec
		stages *fakeStages
		says   string
	}{
		"a rule that panics":        {panics, &fakeStages{}, "in the rule"},
		"a look that panics":        {looks, &fakeStages{}, "in the look"},
		"a look that fails":         {fails, &fakeStages{}, "the agent is gone"},
		"a target that won't start": {says("SERV-01", kept), &fakeStages{err: errors.New("no Docker")}, "no Docker"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			r := ruling(t, &Court{Catalogue: c, Stages: k.stages, Specs: specsOf(k.spec)}, Key{"SERV-01", requirement.Host})
			g.Expect(r.Kind).To(Equal(verdict.Error))
			g.Expect(r.Actual).To(ContainSubstring(k.says))
			g.Expect(r.BecauseOf).To(BeEmpty())
			g.Expect(r.Bundle).NotTo(BeNil())
		})
	}
}

func TestTheKnownFailingListIsApplied(t *testing.T) {
	c := catalogue(t, entry{"SERV-01", "host", ""}, entry{"SERV-02", "host", "requires: [SERV-01]"})
	known := verdict.KnownFailures{{
		ID: "SERV-01", Services: []requirement.Service{requirement.Host}, QM: "standin", Reason: "so it is", Link: "https://example.org/1",
	}}
	for name, k := range map[string]struct {
		qm      string
		finding verdict.Finding
		kind    verdict.Kind
		behind  verdict.Kind
	}{
		"it fails":          {"standin", harmed, verdict.KnownFailing, verdict.Pass},
		"it passes":         {"standin", kept, verdict.Error, verdict.Error},
		"it is broken":      {"standin", broken, verdict.Error, verdict.Error},
		"another qm":        {"scarletdme", harmed, verdict.Fail, verdict.NotTestable},
		"nobody can say it": {"", harmed, verdict.Fail, verdict.NotTestable},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			b := &Court{Catalogue: c, Stages: &fakeStages{}, Known: known, Specs: specsOf(says("SERV-01", k.finding), says("SERV-02", kept))}
			if k.qm != "" {
				b.Circumstance = func() verdict.Circumstance { return verdict.Circumstance{QMKind: k.qm} }
			}
			g.Expect(ruling(t, b, Key{"SERV-01", requirement.Host}).Kind).To(Equal(k.kind))
			g.Expect(ruling(t, b, Key{"SERV-02", requirement.Host}).Kind).To(Equal(k.behind))
		})
	}
}

func TestExplainIsOneLine(t *testing.T) {
	g := NewWithT(t)
	v := verdict.Verdict{ID: "SERV-02", Service: server, Kind: verdict.Fail, Sentence: "It works.", BecauseOf: "SERV-01"}
	g.Expect(Explain(v)).To(Equal("fail SERV-02 qmserver: It works. (because of SERV-01)"))
	v.BecauseOf = ""
	g.Expect(Explain(v)).To(Equal("fail SERV-02 qmserver: It works."))
	v.Hint = "Change it."
	g.Expect(Explain(v)).To(Equal("fail SERV-02 qmserver: Change it."))
	v.Kind = verdict.NotTestable
	g.Expect(Explain(v)).To(Equal("not-testable SERV-02 qmserver: It works."))
}
