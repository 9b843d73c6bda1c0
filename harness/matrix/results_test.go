package matrix

import (
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"

	"qmconformance/harness/fault"
	"qmconformance/harness/report"
	"qmconformance/harness/requirement"
	"qmconformance/harness/settings"
	"qmconformance/harness/verdict"
)

const server = requirement.QMServer

// led is an entry that SERV-17 should lead.
func led(state fault.State) entry {
	return entry{
		Name: "umask-022", Kind: fault.Mistake, Areas: []string{"services"}, Leads: map[string][]requirement.Service{"SERV-17": {server}},
		Result: fault.Result{State: state, Reds: []fault.Red{
			{ID: "SERV-17", Service: server, Verdict: "fail"},
			{ID: "IDENT-13", Service: server, Verdict: "fail", BecauseOf: "SERV-17"},
			{ID: "IDENT-17", Service: server, Verdict: "not-testable", BecauseOf: "SERV-17"},
		}},
	}
}

func matrixOf(t *testing.T, chosen bool, entries ...entry) *matrix {
	t.Helper()
	c, err := requirement.Load()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	m := &matrix{catalogue: c, chosen: chosen, results: results{Counts: map[fault.State]int{}, Faults: entries}}
	m.results.finish(m)
	return m
}

func TestWhateverIsNotAsItShouldBeFailsTheRun(t *testing.T) {
	for state, code := range map[fault.State]int{
		fault.Killed: exitGood, fault.Conformant: exitGood,
		fault.Survived: exitViolations, fault.WrongCause: exitViolations, fault.Surplus: exitViolations, fault.FalseAlarm: exitViolations,
		// A run in which nothing was judged shows nothing.
		fault.Broken: exitHarness, fault.Skipped: exitHarness,
	} {
		t.Run(string(state), func(t *testing.T) {
			m := matrixOf(t, true, led(state))
			NewWithT(t).Expect(m.results.exitCode()).To(Equal(code))
		})
	}
	t.Run("nothing was run", func(t *testing.T) {
		NewWithT(t).Expect(matrixOf(t, true).results.exitCode()).To(Equal(exitHarness))
	})
}

func TestAMustThatNoFaultKillsFailsTheWholeRun(t *testing.T) {
	g := NewWithT(t)
	r := matrixOf(t, false, led(fault.Killed)).results
	g.Expect(r.Unkilled).To(ContainElement("SERV-16"))
	g.Expect(r.Unkilled).NotTo(ContainElement("SERV-17"))
	g.Expect(r.Unkilled).NotTo(ContainElement("SERV-07"), "a SHOULD")
	g.Expect(r.exitCode()).To(Equal(exitViolations))
	g.Expect(matrixOf(t, false, led(fault.Survived)).results.Unkilled).To(ContainElement("SERV-17"))
	// What was left out for this qm is not held against the run, and is told.
	r = matrixOf(t, false, led(fault.Skipped)).results
	g.Expect(r.Unkilled).NotTo(ContainElement("SERV-17"))
	g.Expect(r.Unproven).To(Equal([]string{"SERV-17"}))
	g.Expect(r.text(false)).To(MatchRegexp("NOT SHOWN HERE.*\n  SERV-17"))
	r = matrixOf(t, false, led(fault.Skipped), led(fault.WrongCause)).results
	g.Expect(r.Unkilled).To(ContainElement("SERV-17"), "another fault was to show it")
	g.Expect(r.Unproven).To(BeEmpty())
	// Of some chosen ones nothing follows for the others.
	g.Expect(matrixOf(t, true, led(fault.Killed)).results.Unkilled).To(BeEmpty())
}

func TestThePageTellsLeadsFromWhatWasNotJudged(t *testing.T) {
	g := NewWithT(t)
	var r report.Results
	for id, k := range map[string]verdict.Kind{
		"SERV-17": verdict.Fail, "IDENT-13": verdict.Fail, "IDENT-17": verdict.NotTestable, "SERV-16": verdict.Pass,
		"LOG-11": verdict.KnownFailing, "SERV-27": verdict.NotApplicable,
	} {
		r.Verdicts = append(r.Verdicts, verdict.Verdict{ID: id, Service: server, Level: requirement.Must, Kind: k})
	}
	e := led(fault.Killed)
	r.Outcome = verdict.Violations
	e.Result = fault.Compare(fault.Fault{Kind: fault.Mistake, Leads: e.Leads}, r)
	for id, want := range map[string]cell{
		"SERV-17": {Letter: "L", Class: "lead"}, "IDENT-13": {Letter: "B", Class: "beside"}, "IDENT-17": {Letter: "·", Class: "untested"},
		"SERV-16": {}, "ACCESS-01": {Class: "out"}, "SERV-27": {Class: "out"}, "LOG-11": {Letter: "K", Class: "untested"},
	} {
		got := cellOf(row{ID: id}, e)
		got.Title = ""
		g.Expect(got).To(Equal(want), id)
	}
	e.Reds = nil
	g.Expect(cellOf(row{ID: "SERV-17"}, e).Letter).To(Equal("!"))

	dir := t.TempDir()
	m := matrixOf(t, true, led(fault.Killed))
	g.Expect(m.results.writePage(dir)).To(Succeed())
	text, err := os.ReadFile(filepath.Join(dir, pageFile))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(text)).To(ContainSubstring("umask-022"))
	g.Expect(string(text)).To(ContainSubstring("ScarletDME"))
}

func TestAProfileThatTheUserChoseIsJudgedWhole(t *testing.T) {
	g := NewWithT(t)
	f := fault.Fault{Profile: settings.Quick, Leads: map[string][]requirement.Service{"ACCESS-11": {server}}}
	m := matrixOf(t, true, led(fault.Killed))
	m.settings.Defaulted = map[string]bool{"PROFILE": true}
	m.settings.Profile = settings.Full
	g.Expect(m.profile(f)).To(Equal(settings.Quick))
	g.Expect(m.areas(f)).To(Equal([]string{"services", "stdio", "identity", "access"}))
	m.settings.Defaulted = nil
	g.Expect(m.profile(f)).To(Equal(settings.Full))
	g.Expect(m.areas(f)).To(BeEmpty())
}
