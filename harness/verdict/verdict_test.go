package verdict_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

// v makes a verdict in few words.
func v(id string, level requirement.Level, kind verdict.Kind, because string) verdict.Verdict {
	return verdict.Verdict{ID: id, Level: level, Kind: kind, BecauseOf: because, Service: requirement.QMServer}
}

const (
	must   = requirement.Must
	should = requirement.Should
)

func TestDecide(t *testing.T) {
	pass := v("A-01", must, verdict.Pass, "")
	for name, c := range map[string]struct {
		list             []verdict.Verdict
		strict, cutShort bool
		want             verdict.Outcome
	}{
		"nothing judged":                   {nil, false, false, verdict.HarnessError},
		"all kept":                         {list: []verdict.Verdict{pass, pass}, want: verdict.Conformant},
		"all kept, cut short":              {[]verdict.Verdict{pass}, false, true, verdict.HarnessError},
		"a MUST fails":                     {list: []verdict.Verdict{pass, v("B-01", must, verdict.Fail, "")}, want: verdict.Violations},
		"a MUST fails, cut short":          {[]verdict.Verdict{v("B-01", must, verdict.Fail, "")}, false, true, verdict.Violations},
		"a MUST is not testable":           {list: []verdict.Verdict{pass, v("B-01", must, verdict.NotTestable, "")}, want: verdict.Violations},
		"a SHOULD fails":                   {list: []verdict.Verdict{pass, v("B-01", should, verdict.Fail, "")}, want: verdict.Conformant},
		"a SHOULD fails, strictly":         {[]verdict.Verdict{pass, v("B-01", should, verdict.Fail, "")}, true, false, verdict.Violations},
		"a SHOULD is not testable":         {list: []verdict.Verdict{v("B-01", should, verdict.NotTestable, "")}, want: verdict.Conformant},
		"a SHOULD untestable, strictly":    {[]verdict.Verdict{v("B-01", should, verdict.NotTestable, "")}, true, false, verdict.Violations},
		"an error alone":                   {list: []verdict.Verdict{pass, v("B-01", must, verdict.Error, "")}, want: verdict.HarnessError},
		"an error of a SHOULD":             {list: []verdict.Verdict{v("B-01", should, verdict.Error, "")}, want: verdict.HarnessError},
		"an error, then a violation":       {list: []verdict.Verdict{v("A-01", must, verdict.Error, ""), v("B-01", must, verdict.Fail, "")}, want: verdict.Violations},
		"a violation, then an error":       {list: []verdict.Verdict{v("B-01", must, verdict.Fail, ""), v("A-01", must, verdict.Error, "")}, want: verdict.Violations},
		"known-failing":                    {list: []verdict.Verdict{v("B-01", must, verdict.KnownFailing, "")}, want: verdict.Conformant},
		"not applicable":                   {list: []verdict.Verdict{v("B-01", must, verdict.NotApplicable, "")}, want: verdict.Conformant},
		"known-failing counts not, ever":   {[]verdict.Verdict{v("B-01", must, verdict.KnownFailing, "")}, true, false, verdict.Conformant},
		"a SHOULD that fails and an error": {list: []verdict.Verdict{v("B-01", should, verdict.Fail, ""), v("A-01", must, verdict.Error, "")}, want: verdict.HarnessError},
	} {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(verdict.Decide(c.list, c.strict, !c.cutShort)).To(Equal(c.want))
		})
	}
}

func TestExitCodesAreThoseOfTheContract(t *testing.T) {
	g := NewWithT(t)
	for outcome, code := range map[verdict.Outcome]int{
		verdict.Conformant: 0, verdict.Violations: 1, verdict.UsageError: 2, verdict.HarnessError: 3,
		"": 3, // a run that forgot to decide is no success
	} {
		g.Expect(outcome.ExitCode()).To(Equal(code), string(outcome))
	}
}

func TestCountsHaveAllSixKeys(t *testing.T) {
	g := NewWithT(t)
	c := verdict.Count([]verdict.Verdict{v("A-01", must, verdict.Fail, ""), v("A-02", must, verdict.Fail, ""), v("A-03", must, verdict.Pass, "")})
	g.Expect(c).To(HaveLen(6))
	g.Expect(c[verdict.Fail]).To(Equal(2))
	g.Expect(c[verdict.Pass]).To(Equal(1))
	g.Expect(c[verdict.Error]).To(BeZero())
	g.Expect(verdict.Count(nil)).To(HaveLen(6))
}

// order is the catalogue of the tests on sorting.
var order = []string{"SERV-01", "SERV-02", "SERV-03", "SERV-04", "IDENT-01", "IDENT-02"}

func rank(id string) int {
	if i := slices.Index(order, id); i >= 0 {
		return i
	}
	return len(order)
}

func TestSort(t *testing.T) {
	for name, c := range map[string]struct {
		strict bool
		want   []verdict.Verdict
	}{
		"red, warning, the rest": {false, []verdict.Verdict{
			v("SERV-04", must, verdict.Fail, ""),
			v("SERV-03", should, verdict.Fail, ""),
			v("SERV-01", must, verdict.Pass, ""),
			v("SERV-02", must, verdict.KnownFailing, ""),
			v("IDENT-01", must, verdict.NotApplicable, ""),
		}},
		"the cause before what follows, whatever their IDs": {false, []verdict.Verdict{
			v("IDENT-01", must, verdict.Fail, ""),
			v("SERV-01", must, verdict.NotTestable, "IDENT-01"),
			v("SERV-02", must, verdict.Fail, "IDENT-01"),
		}},
		"what follows stands in the order of its causes": {false, []verdict.Verdict{
			v("SERV-02", must, verdict.Fail, ""),
			v("IDENT-01", must, verdict.Fail, ""),
			v("SERV-04", must, verdict.NotTestable, "SERV-02"),
			v("SERV-01", must, verdict.NotTestable, "IDENT-01"),
		}},
		"a violation before an error before what follows": {false, []verdict.Verdict{
			v("SERV-04", must, verdict.Fail, ""),
			v("SERV-02", must, verdict.Error, ""),
			v("SERV-01", must, verdict.NotTestable, "SERV-04"),
		}},
		"an error follows its cause as well": {false, []verdict.Verdict{
			v("SERV-04", must, verdict.Error, ""),
			v("SERV-01", must, verdict.Error, "SERV-04"),
		}},
		"a cause that is a mere warning leads nobody": {false, []verdict.Verdict{
			v("SERV-02", must, verdict.Fail, "SERV-03"),
			v("SERV-04", must, verdict.Fail, ""),
			v("SERV-03", should, verdict.Fail, ""),
		}},
		"strictly, it does": {true, []verdict.Verdict{
			v("SERV-03", should, verdict.Fail, ""),
			v("SERV-04", must, verdict.Fail, ""),
			v("SERV-02", must, verdict.Fail, "SERV-03"),
		}},
		"one that names itself is no follower": {false, []verdict.Verdict{
			v("SERV-01", must, verdict.Fail, "SERV-01"),
			v("SERV-02", must, verdict.Fail, ""),
		}},
		"an unknown ID comes last": {false, []verdict.Verdict{
			v("IDENT-02", must, verdict.Fail, ""),
			v("WHAT-01", must, verdict.Fail, ""),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			// However it was shuffled: the order must not depend on who came first.
			for range 50 {
				got := slices.Clone(c.want)
				rand.Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
				verdict.Sort(got, rank, c.strict)
				g.Expect(got).To(Equal(c.want))
			}
		})
	}
}

func TestTheHostComesBeforeTheServices(t *testing.T) {
	g := NewWithT(t)
	var list []verdict.Verdict
	for _, s := range []requirement.Service{requirement.QMClient, requirement.Host, requirement.QMServer} {
		one := v("SERV-01", must, verdict.Pass, "")
		one.Service = s
		list = append(list, one)
	}
	verdict.Sort(list, rank, false)
	g.Expect([]requirement.Service{list[0].Service, list[1].Service, list[2].Service}).To(Equal([]requirement.Service{requirement.Host, requirement.QMServer, requirement.QMClient}))
}

func TestNewTakesTheCataloguesPart(t *testing.T) {
	g := NewWithT(t)
	r := requirement.Requirement{
		ID: "SERV-01", Area: "services", Level: must,
		Sentence: "A sentence\n  over two lines.\n", Source: "a\npage", Hint: "look\nthere",
	}
	f := verdict.Violated("this", "that", "")
	f.BecauseOf = "SERV-02"
	got := verdict.New(r, requirement.QMClient, f, 1500*time.Millisecond)
	g.Expect(got).To(Equal(verdict.Verdict{
		ID: "SERV-01", Area: "services", Level: must, Service: requirement.QMClient, Kind: verdict.Fail, BecauseOf: "SERV-02",
		Sentence: "A sentence over two lines.", Expected: "this", Actual: "that", Hint: "look there", Source: "a page", DurationMS: 1500,
	}))
	for kind, hint := range map[verdict.Kind]string{
		verdict.Fail: "its own", verdict.NotTestable: "its own", verdict.Error: "its own", verdict.KnownFailing: "its own",
		verdict.Pass: "", verdict.NotApplicable: "", // nothing to look for
	} {
		g.Expect(verdict.New(r, requirement.Host, verdict.Finding{Kind: kind, Hint: "its own"}, 0).Hint).To(Equal(hint), string(kind))
	}
}

func TestEveryFieldIsInTheJSON(t *testing.T) {
	g := NewWithT(t)
	text, err := json.Marshal(verdict.Verdict{ID: "SERV-01"})
	g.Expect(err).NotTo(HaveOccurred())
	var fields map[string]any
	g.Expect(json.Unmarshal(text, &fields)).To(Succeed())
	for _, name := range []string{
		"id", "area", "level", "service", "verdict", "because_of", "sentence", "expected", "actual", "hint", "source", "evidence", "duration_ms",
	} {
		g.Expect(fields).To(HaveKey(name))
	}
	back, ok := verdict.FromJSON(string(text))
	g.Expect(ok).To(BeTrue())
	g.Expect(back.ID).To(Equal("SERV-01"))
	for _, bad := range []string{"", "{}", "{", `{"id":7}`} {
		_, ok := verdict.FromJSON(bad)
		g.Expect(ok).To(BeFalse(), bad)
	}
}

func TestFindings(t *testing.T) {
	g := NewWithT(t)
	kept, bad, unmet := verdict.Kept("e", "a"), verdict.Violated("e", "a", "h"), verdict.Unmet("no %d", 1)
	g.Expect(verdict.That(true, "e", "a", "h")).To(Equal(kept))
	g.Expect(verdict.That(false, "e", "a", "h")).To(Equal(bad))
	g.Expect(unmet).To(Equal(verdict.Finding{Kind: verdict.NotTestable, Actual: "no 1"}))
	g.Expect(verdict.Absent("no %s", "x")).To(Equal(verdict.Finding{Kind: verdict.NotApplicable, Actual: "no x"}))
	g.Expect(verdict.Broken("no %s", "x")).To(Equal(verdict.Finding{Kind: verdict.Error, Actual: "no x"}))
	g.Expect(verdict.First(kept, bad, unmet)).To(Equal(bad))
	g.Expect(verdict.First(kept, unmet, bad)).To(Equal(unmet))
	g.Expect(verdict.First(bad, kept)).To(Equal(bad))
	g.Expect(verdict.First(kept, verdict.Kept("e", "last")).Actual).To(Equal("last"))
	g.Expect(verdict.First().Kind).To(Equal(verdict.Error), "a check that is always true")
}
