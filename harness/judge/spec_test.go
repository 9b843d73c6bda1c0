package judge

import (
	"context"
	"errors"
	"testing"

	"github.com/onsi/ginkgo/v2/types"
	. "github.com/onsi/gomega"

	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

// aside puts an empty registry in place for one test.
func aside(t *testing.T) {
	saved, savedSection := specs, section
	specs, section = Specs{}, nil
	t.Cleanup(func() { specs, section = saved, savedSection })
}

func TestOnTiesALookToARule(t *testing.T) {
	g := NewWithT(t)
	aside(t)
	look := &observe.Look[int]{Name: "n", Stage: observe.AsShipped, Take: func(context.Context, *observe.Scene) (int, error) { return 7, nil }}
	On("SERV-01", look, func(_ Case, n int) verdict.Finding { return verdict.That(n == 7, "7", "7", "") })
	spec := Registered()["SERV-01"]
	facts, err := spec.Plan.Take(t.Context(), nil)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(spec.Rule(Case{}, facts).Kind).To(Equal(verdict.Pass))
	g.Expect(spec.Rule(Case{}, 8).Kind).To(Equal(verdict.Fail))
	g.Expect(spec.Rule(Case{}, "seven").Kind).To(Equal(verdict.Error))
	g.Expect(func() { On("SERV-01", look, nil) }).To(PanicWith(ContainSubstring("SERV-01")))

	clone := Registered()
	delete(clone, "SERV-01")
	g.Expect(specs).To(HaveKey("SERV-01"), "the registry was handed out")
}

func TestIntegrityNamesWhatIsMissing(t *testing.T) {
	c := catalogue(t, entry{"SERV-01", "host", ""}, entry{"SERV-02", "qmserver", ""})
	once := says("SERV-01", kept)
	once.Plan.Each = false
	for name, k := range map[string]struct {
		specs Specs
		says  string
	}{
		"all of them":               {specsOf(once, says("SERV-02", kept)), ""},
		"a requirement left out":    {specsOf(once), "SERV-02 has no spec"},
		"a spec of nothing":         {specsOf(once, says("SERV-02", kept), says("SERV-77", kept)), "SERV-77 is for no known requirement"},
		"the host at each service":  {specsOf(says("SERV-01", kept), says("SERV-02", kept)), "SERV-01 is judged for the host"},
		"nothing registered at all": {Specs{}, "SERV-01 has no spec"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			err := errors.Join(k.specs.integrity(c)...)
			if k.says == "" {
				g.Expect(err).NotTo(HaveOccurred())
				return
			}
			g.Expect(err).To(MatchError(ContainSubstring(k.says)))
		})
	}
}

func TestIntegrityNamesALookThatWaitsForItself(t *testing.T) {
	c := catalogue(t, entry{"SERV-01", "host", ""}, entry{"SERV-02", "host", "requires: [SERV-01]"}, entry{"SERV-03", "host", "follows: [SERV-02]"})
	first := says("SERV-01", kept)
	first.Plan.Each = false
	behind := func(id string, looks ...observe.Plan) Spec {
		s := says(id, kept)
		s.Plan.Each, s.Plan.Behind = false, looks
		return s
	}
	second, third := behind("SERV-02"), behind("SERV-03")
	g := NewWithT(t)
	g.Expect(specsOf(first, behind("SERV-02", first.Plan), third).integrity(c)).To(BeEmpty())
	first = behind("SERV-01", third.Plan)
	g.Expect(errors.Join(specsOf(first, second, third).integrity(c)...)).To(MatchError(ContainSubstring("where SERV-03 waits for SERV-01")))
}

func TestTheStagesOfPreconditionsAndCausesAreNeededToo(t *testing.T) {
	g := NewWithT(t)
	c := catalogue(t, entry{"SERV-01", "host", ""}, entry{"SERV-02", "host", ""}, entry{"SERV-03", "host", "requires: [SERV-02]"}, entry{"SERV-04", "host", "follows: [SERV-03]"})
	list := Specs{}
	for id, stage := range map[string]observe.Stage{"SERV-01": "one", "SERV-02": "two", "SERV-03": "three", "SERV-04": "four"} {
		s := says(id, kept)
		s.Plan.Stage = stage
		list[id] = s
	}
	g.Expect(list.stages(c, []Key{{"SERV-01", requirement.Host}})).To(Equal([]observe.Stage{"one"}))
	g.Expect(list.stages(c, []Key{{"SERV-04", requirement.Host}})).To(Equal([]observe.Stage{"two", "three", "four"}))
}

func specReport(text string, state types.SpecState, entries ...types.ReportEntry) types.SpecReport {
	return types.SpecReport{LeafNodeType: types.NodeTypeIt, LeafNodeText: text, State: state, ReportEntries: entries}
}

func entryOf(v any) types.ReportEntry {
	return types.ReportEntry{Name: entryName, Value: types.WrapEntryValue(v)}
}

func TestVerdictsComeFromEveryProcess(t *testing.T) {
	g := NewWithT(t)
	own := verdict.Verdict{ID: "SERV-01", Kind: verdict.Pass}
	foreign := entryOf(verdict.Verdict{ID: "SERV-02", Kind: verdict.Fail})
	text, err := foreign.Value.MarshalJSON()
	g.Expect(err).NotTo(HaveOccurred())
	foreign = types.ReportEntry{Name: entryName}
	g.Expect(foreign.Value.UnmarshalJSON(text)).To(Succeed())

	list, selected := Verdicts(types.Report{SpecReports: types.SpecReports{
		specReport("a", types.SpecStatePassed, entryOf(own)),
		specReport("b", types.SpecStateFailed, foreign),
		specReport("skipped by its verdict", types.SpecStateSkipped, entryOf(verdict.Verdict{ID: "SERV-03", Kind: verdict.NotApplicable})),
		specReport("filtered out", types.SpecStateSkipped),
		specReport("cut off", types.SpecStateInterrupted),
		specReport("with another entry", types.SpecStatePassed, types.ReportEntry{Name: "warning", Value: types.WrapEntryValue(own)}),
		{LeafNodeType: types.NodeTypeBeforeSuite, State: types.SpecStatePassed},
	}})
	g.Expect(list).To(HaveLen(3))
	g.Expect([]string{list[0].ID, list[1].ID, list[2].ID}).To(Equal([]string{"SERV-01", "SERV-02", "SERV-03"}))
	g.Expect(list[1].Kind).To(Equal(verdict.Fail))
	g.Expect(selected).To(Equal(5), "what was filtered out does not count, what was cut off does")
}

func TestSelectedFollowsTheCatalogue(t *testing.T) {
	g := NewWithT(t)
	all := Catalogue.All()
	first, last := all[0], all[len(all)-1]
	keys := Selected(types.Report{SpecReports: types.SpecReports{
		specReport(SpecText(last, last.Services[0]), types.SpecStatePassed),
		specReport(SpecText(first, first.Services[0]), types.SpecStatePassed),
		specReport(SpecText(all[1], all[1].Services[0]), types.SpecStateSkipped),
		specReport(SpecText(all[2], all[2].Services[0]), types.SpecStatePending),
	}})
	g.Expect(keys).To(Equal([]Key{{first.ID, first.Services[0]}, {last.ID, last.Services[0]}}))
	g.Expect(Selected(types.Report{})).To(BeEmpty())
}

func TestTheTextOfAFailureHasEveryPart(t *testing.T) {
	v := verdict.Verdict{
		ID: "SERV-01", Service: server, Kind: verdict.Fail, Sentence: "A sentence.",
		Expected: "this", Actual: "that", Hint: "there", Source: "a page", BecauseOf: "SERV-09",
	}
	g := NewWithT(t)
	got := text(v)
	for _, part := range []string{"SERV-01 qmserver fail", "A sentence.", "expected   this", "actual     that", "because of SERV-09", "hint       there", "source     a page"} {
		g.Expect(got).To(ContainSubstring(part))
	}
	v.BecauseOf = ""
	g.Expect(text(v)).NotTo(ContainSubstring("because of"))
}

// Where several processes judge everything, only one of them has a verdict's spec.
func TestTheProcessOfASpecKeepsItsEvidence(t *testing.T) {
	g := NewWithT(t)
	r := Ruling{Verdict: verdict.Verdict{ID: "SERV-01", Evidence: "evidence/SERV-01-host"}}
	g.Expect((*Court)(nil).kept(r)).To(Equal(r.Evidence))
	g.Expect((&Court{Keep: func(Ruling) string { return "again" }}).kept(r)).To(Equal(r.Evidence), "it has been kept")
	g.Expect((&Court{KeepOwn: func(k Ruling) string { return "of " + k.ID }}).kept(r)).To(Equal("of SERV-01"))
}
