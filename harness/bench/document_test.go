package bench

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"qmconformance/harness/bench/caller"
	"qmconformance/harness/bench/gate"
	"qmconformance/harness/report"
	"qmconformance/harness/usage"
	"qmconformance/harness/yardstick"
)

func estimate(effect, e float64) gate.Estimate {
	return gate.Estimate{Effect: effect, Error: e, Rounds: 200}
}

// old is a document of an earlier run of this machine, and its lines' set-up over
// the yardstick.
func old(effect float64) *Document {
	d := NewDocument()
	d.Machine = ThisMachine()
	d.Subject = report.Subject{QM: report.QM{Kind: "scarletdme"}}
	for _, name := range []string{"qmclient", "qmserver"} {
		d.Lines = append(d.Lines, Line{Name: name, Relative: estimate(effect, 0.004), Halves: estimate(0.002, 0.005)})
	}
	return d
}

func put(t *testing.T, d *Document) string {
	t.Helper()
	dir := t.TempDir()
	NewWithT(t).Expect(Write(dir, d)).To(Succeed())
	return filepath.Join(dir, report.BenchFile)
}

func TestWhatABaselineNames(t *testing.T) {
	g := NewWithT(t)
	m := ThisMachine()
	none, err := ResolveBaseline("", m)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(none.Kind).To(BeEmpty())

	dir := t.TempDir()
	g.Expect(os.MkdirAll(filepath.Join(dir, "etc"), 0o755)).To(Succeed())
	r, err := ResolveBaseline(dir, m)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(r.Baseline).To(Equal(Baseline{Kind: KindPackage, Name: dir, Gating: true}))

	r, err = ResolveBaseline("registry.example/scarletdme:1.2", m)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect([]any{r.Kind, r.Image, r.Gating}).To(Equal([]any{KindImage, "registry.example/scarletdme:1.2", true}))

	r, err = ResolveBaseline(put(t, old(1)), m)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect([]any{r.Kind, r.Gating}).To(Equal([]any{KindFile, true}))
	g.Expect(r.Document.Lines).To(HaveLen(2))
}

func TestAFileOfAnotherMachineIsShownOnly(t *testing.T) {
	g := NewWithT(t)
	d := old(1)
	d.Machine.ID, d.Machine.Processor = "another", "an abacus"
	r, err := ResolveBaseline(put(t, d), ThisMachine())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(r.Gating).To(BeFalse())
	g.Expect(r.Why).To(And(ContainSubstring("another machine"), ContainSubstring("an abacus")))

	// However much slower: nothing comes of it.
	now := NewDocument()
	now.Baseline, now.Lines = r.Baseline, old(1.5).Lines
	s := &Session{Doc: now, Old: r.Document, Note: t.Logf}
	g.Expect(s.Compare(t.Context())).To(Succeed())
	now.Conclude()
	g.Expect(now.Gate[0].Decision.Verdict).To(Equal(gate.Regression))
	g.Expect(now.Outcome).To(Equal(Measured))
}

func TestAFileOfThisMachineGates(t *testing.T) {
	for effect, want := range map[float64]Outcome{1.005: Measured, 1.15: Regression, 1.07: HarnessError, 0.8: Measured} {
		g := NewWithT(t)
		now := NewDocument()
		now.Baseline, now.Lines = Baseline{Kind: KindFile, Gating: true}, old(effect).Lines
		s := &Session{Doc: now, Old: old(1), Note: t.Logf}
		g.Expect(s.Compare(t.Context())).To(Succeed())
		now.Conclude()
		g.Expect(now.Outcome).To(Equal(want), now.Message)
	}
}

func TestABaselineThatIsNoneIsAUsageError(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		NewWithT(t).Expect(os.WriteFile(path, []byte(text), 0o644)).To(Succeed())
		return path
	}
	empty := filepath.Join(dir, "empty")
	NewWithT(t).Expect(os.Mkdir(empty, 0o755)).To(Succeed())
	later := old(1)
	later.Format = Format + 1
	for name, text := range map[string]string{
		"no such directory":         filepath.Join(dir, "package"),
		"no such file":              "elsewhere/bench.json",
		"an empty directory":        empty,
		"a file that is no JSON":    file("a", "#!/bin/sh\n"),
		"JSON of something else":    file("b.json", `{"outcome": "conformant"}`),
		"a run that ended early":    file("c.json", `{"format": 2, "lines": []}`),
		"another format":            put(t, later),
		"no name that an image has": "UPPER CASE",
	} {
		_, err := ResolveBaseline(text, ThisMachine())
		g := NewWithT(t)
		g.Expect(usage.Is(err)).To(BeTrue(), "%s: %v", name, err)
		g.Expect(err.Error()).To(HavePrefix("BASELINE="))
		g.Expect(err.Error()).NotTo(ContainSubstring("PACKAGE"))
	}
}

func TestOutcomes(t *testing.T) {
	g := NewWithT(t)
	for outcome, code := range map[Outcome]int{Measured: 0, UsageError: 2, HarnessError: 3, Regression: 4, "": 3} {
		g.Expect(outcome.ExitCode()).To(Equal(code), string(outcome))
	}
	d := NewDocument()
	d.Baseline.Gating = true
	d.Gate = []Gate{{Service: "qmclient", Decision: gate.Decision{Verdict: gate.TooNoisy, Reason: "noise"}}}
	d.Conclude()
	g.Expect(d.Outcome).To(Equal(HarnessError), "what could not be judged is not passed")
	d.Gate = append(d.Gate, Gate{Service: "qmserver", Decision: gate.Decision{Verdict: gate.Regression, Reason: "slower"}})
	d.Conclude()
	g.Expect(d.Outcome).To(Equal(Regression))
	d.Gate = nil
	d.Conclude()
	g.Expect(d.Outcome).To(Equal(Measured))
}

func TestADocumentIsReadAsItWasWritten(t *testing.T) {
	g := NewWithT(t)
	d := old(1)
	text, err := os.ReadFile(put(t, d))
	g.Expect(err).NotTo(HaveOccurred())
	var back Document
	g.Expect(json.Unmarshal(text, &back)).To(Succeed())
	g.Expect(back.Lines).To(Equal(d.Lines))
	g.Expect(string(text)).NotTo(ContainSubstring(`"conditions":null`))
}

// A line that was called too seldom has no error that is known: the document is
// written all the same, and nothing is concluded from it.
func TestALineThatWasHardlyCalledIsWrittenAndNotJudged(t *testing.T) {
	g := NewWithT(t)
	few := &line{}
	yard := &line{}
	for i := range 10 {
		at := int64(i+1) * 1000
		c := caller.Call{Start: at, Connected: at + 1, First: at + 2, Ready: at + 500}
		few.calls, few.round = append(few.calls, c), append(few.round, i)
		yard.calls, yard.round = append(yard.calls, c), append(yard.round, i)
	}
	d := old(1)
	for i := range d.Lines {
		d.Lines[i].Relative, d.Lines[i].Halves = relative(few, yard)
	}
	d.Gate = []Gate{{Decision: decide(gate.EstimateOf(nil))}}
	path := put(t, d)
	back, err := ResolveBaseline(path, ThisMachine())
	g.Expect(err).NotTo(HaveOccurred())
	now := NewDocument()
	now.Baseline, now.Lines = back.Baseline, old(1.5).Lines
	s := &Session{Doc: now, Old: back.Document, Note: t.Logf}
	g.Expect(s.Compare(t.Context())).To(Succeed())
	g.Expect(now.Gate[0].Decision.Verdict).To(Equal(gate.TooNoisy))
}

func TestTheTableSaysWhichQMWasMeasured(t *testing.T) {
	for kind, want := range map[string]string{"scarletdme": "measured: ScarletDME 2.6-6", "standin": "measured: the stand-in for qm"} {
		g := NewWithT(t)
		d := old(1)
		d.Outcome, d.Subject.QM = Measured, report.QM{Kind: kind, Version: "2.6-6"}
		var b bytes.Buffer
		g.Expect(Table(&b, d, "results")).To(Succeed())
		g.Expect(b.String()).To(HavePrefix(want))
	}
}

func TestTracesAndCallsArePutTogetherByTheirTimes(t *testing.T) {
	g := NewWithT(t)
	us := int64(time.Microsecond)
	call := func(at int64) caller.Call {
		return caller.Call{Start: at, Connected: at + 100*us, First: at + 2000*us, Ended: at + 3000*us}
	}
	trace := func(at int64) yardstick.Trace {
		return yardstick.Trace{PID: 7, Accepted: at + 150*us, Forked: at + 400*us, Executed: at + 1000*us, Exited: at + 3100*us}
	}
	const apart = int64(10 * time.Millisecond)
	failed := call(3 * apart)
	failed.Err = os.ErrDeadlineExceeded
	got := attribute("qmclient",
		// One of somebody else's before the first, none for the second, and one that never
		// came to its exec.
		[]yardstick.Trace{trace(apart / 2), trace(apart), trace(3 * apart), {PID: 8, Accepted: 4*apart + 1, Forked: 4*apart + 2*us}, trace(5 * apart)},
		[]caller.Call{call(apart), call(2 * apart), failed, call(4 * apart), call(5 * apart)},
		[]caller.Call{{Start: 1, Connected: 1, First: 1 + 1000*us}})
	g.Expect(got).To(Equal(Traced{Service: "qmclient", N: 2, Inflation: 1.9, Accept: 50, Fork: 250, Exec: 600, First: 1000, Exit: 100}))
}

func TestAnAccessListEndsWithOurs(t *testing.T) {
	g := NewWithT(t)
	own := netip.MustParseAddr("192.0.2.7")
	g.Expect(accessList(0, own)).To(BeEmpty())
	g.Expect(accessList(1, own)).To(Equal([]string{"only_from = 192.0.2.7"}))
	lines := accessList(45, own)
	g.Expect(lines).To(HaveLen(3))
	g.Expect(lines[0]).To(HavePrefix("only_from = 198.18.0.1 198.18.0.2 "))
	g.Expect(lines[1]).To(HavePrefix("only_from += "))
	g.Expect(lines[2]).To(HaveSuffix(" 192.0.2.7"))
}
