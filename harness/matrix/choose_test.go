package matrix

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"qmconformance/harness/fault"
	"qmconformance/harness/report"
	"qmconformance/harness/settings"
	"qmconformance/harness/usage"
)

func TestWhatIsChosenAndCannotRunIsAMistake(t *testing.T) {
	full := fault.Fault{Name: "slow", Profile: settings.Full}
	all := []fault.Fault{
		{Name: "any"},
		full,
		{Name: "real", QM: fault.Only{Only: scarletDME, Why: "the stand-in has none"}},
		{Name: "old", Base: fault.Only{Only: "bookworm", Why: "others have a unit"}},
		{Name: "here", Arch: fault.Only{Only: runtime.GOARCH, Why: "numbers"}},
		{Name: "elsewhere", Arch: fault.Only{Only: "vax", Why: "numbers"}},
	}
	for name, c := range map[string]struct {
		env  map[string]string
		want []string
		says string
	}{
		"all":                 {want: []string{"any", "slow", "real", "old", "here", "elsewhere"}},
		"one":                 {env: map[string]string{"FAULT": "any"}, want: []string{"any"}},
		"two":                 {env: map[string]string{"FAULT": " here  any"}, want: []string{"here", "any"}},
		"one of two":          {env: map[string]string{"FAULT": "any real"}, want: []string{"any"}},
		"no such one":         {env: map[string]string{"FAULT": "typo"}, says: "FAULT=typo is none"},
		"for another qm":      {env: map[string]string{"FAULT": "real"}, says: "the stand-in has none"},
		"for another base":    {env: map[string]string{"FAULT": "old"}, says: "others have a unit"},
		"for another machine": {env: map[string]string{"FAULT": "elsewhere"}, says: "numbers"},
		"of another profile":  {env: map[string]string{"FAULT": "slow"}, says: "full profile"},
		"a focus":             {env: map[string]string{"FOCUS": "umask"}, says: "FOCUS=umask chooses requirements"},
		"labels":              {env: map[string]string{"LABELS": "MUST"}, says: "LABELS=MUST chooses requirements"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			m := &matrix{settings: settings.Settings{QMSys: settings.StandIn, Base: "trixie", Profile: settings.Quick}}
			list, err := m.choose(all, func(name string) string { return c.env[name] })
			if c.says != "" {
				g.Expect(err).To(MatchError(ContainSubstring(c.says)))
				g.Expect(usage.Is(err)).To(BeTrue())
				return
			}
			g.Expect(err).NotTo(HaveOccurred())
			var names []string
			for _, f := range list {
				names = append(names, f.Name)
			}
			g.Expect(names).To(Equal(c.want))
		})
	}
}

// What an earlier run found must not be taken for what this one did not.
func TestOlderResultsAreGoneWhateverComes(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	for _, name := range []string{resultsFile, pageFile, "notes.txt"} {
		g.Expect(os.WriteFile(filepath.Join(dir, name), []byte(`{"outcome":"conformant"}`), 0o600)).To(Succeed())
	}
	read := func() string {
		text, err := os.ReadFile(filepath.Join(dir, resultsFile))
		g.Expect(err).NotTo(HaveOccurred())
		return string(text)
	}
	m := &matrix{settings: settings.Settings{Results: dir}, began: time.Now()}
	m.abandon(usageError, os.ErrInvalid)
	g.Expect(read()).To(ContainSubstring("conformant"), "it had no folder of its own yet")
	g.Expect(m.begin()).To(Succeed())
	g.Expect(read()).To(And(ContainSubstring(`"outcome": "harness-error"`), ContainSubstring(report.Unended), ContainSubstring(`"faults": []`)))
	g.Expect(filepath.Join(dir, pageFile)).NotTo(BeAnExistingFile())
	g.Expect(filepath.Join(dir, "notes.txt")).To(BeAnExistingFile())
	m.abandon(usageError, usage.Errorf("FAULT=typo"))
	g.Expect(read()).To(And(ContainSubstring(`"outcome": "usage-error"`), ContainSubstring("FAULT=typo")))

	g.Expect(os.WriteFile(filepath.Join(dir, "go.mod"), nil, 0o600)).To(Succeed())
	g.Expect(usage.Is(m.begin())).To(BeTrue(), "source code is no place for results")
}
