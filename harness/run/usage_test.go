package run_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"qmconformance/harness/bench"
	"qmconformance/harness/report"
	"qmconformance/harness/verdict"
)

// What the user got wrong is told in one line that names the variable, before anything
// is asked of Docker, and it is no success: a filter that matches nothing above all.
func TestWhatTheUserGotWrong(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "none")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		env  map[string]string
		args []string
		says string
		// homeless says that there is no folder for results.
		homeless bool
	}{
		"a focus that matches nothing":            {env: map[string]string{"FOCUS": "no such text"}, says: "no requirement matches"},
		"ginkgo's focus that matches nothing":     {args: []string{"-ginkgo.focus=no such text"}, says: "no requirement matches"},
		"labels that match nothing":               {env: map[string]string{"LABELS": "stdio && identity"}, says: "no requirement matches"},
		"ginkgo's label filter that matches none": {args: []string{"-ginkgo.label-filter=nothing"}, says: "no requirement matches"},
		"all of it skipped":                       {args: []string{"-ginkgo.skip=."}, says: "no requirement matches"},
		"two filters that exclude each other":     {env: map[string]string{"LABELS": "stdio"}, args: []string{"-ginkgo.label-filter=identity"}, says: "no requirement matches"},
		"labels that are none":                    {env: map[string]string{"LABELS": "(("}, says: "LABELS="},
		"a profile that is none":                  {env: map[string]string{"PROFILE": "fast"}, says: "PROFILE="},
		"a package that is not there":             {env: map[string]string{"PACKAGE": nowhere}, says: "PACKAGE="},
		"a tree that is not there":                {env: map[string]string{"QMSYS": nowhere}, says: "QMSYS="},
		"strictness that is none":                 {env: map[string]string{"STRICT": "very"}, says: "STRICT="},
		"a number of targets that is none":        {env: map[string]string{"PROCS": "0"}, says: "PROCS="},
		"results where there is a file":           {env: map[string]string{"RESULTS": file}, says: "RESULTS=", homeless: true},
		"results among the files of the project":  {env: map[string]string{"RESULTS": "."}, says: "RESULTS=", homeless: true},
		"retries":                                 {args: []string{"-ginkgo.flake-attempts=2"}, says: "-flake-attempts"},
		"a docker host that is none":              {env: map[string]string{"DOCKER_HOST": "nonsense"}, says: "DOCKER_HOST"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			env := map[string]string{"DOCKER_HOST": "unix://" + nowhere}
			for name, value := range c.env {
				env[name] = value
			}
			p := begin(t, binary, env, c.args...)
			if c.homeless {
				p.results = t.TempDir()
			}
			g.Expect(p.end(t, quickly)).To(Equal(verdict.UsageError.ExitCode()))
			said := strings.Join(strings.Fields(p.stdout.String()), " ")
			g.Expect(said).To(ContainSubstring(c.says))
			r, ok := p.read(t)
			g.Expect(ok).To(Equal(!c.homeless))
			if ok {
				g.Expect(r.Outcome).To(Equal(verdict.UsageError))
				g.Expect(r.Message).To(ContainSubstring(c.says))
				g.Expect(strings.TrimSpace(r.Message)).NotTo(ContainSubstring("\n"))
			}
		})
	}
}

// Results of an earlier run never stand for this one.
func TestOlderResultsAreGone(t *testing.T) {
	g := NewWithT(t)
	results := t.TempDir()
	old := filepath.Join(results, report.JUnitFile)
	g.Expect(os.WriteFile(old, []byte("an older run was conformant"), 0o600)).To(Succeed())
	g.Expect(os.WriteFile(filepath.Join(results, report.ResultsFile), []byte(`{"outcome":"conformant"}`), 0o600)).To(Succeed())
	measured := filepath.Join(results, report.BenchFile)
	g.Expect(os.WriteFile(measured, []byte("minutes of measurement"), 0o600)).To(Succeed())
	p := begin(t, binary, map[string]string{"RESULTS": results, "FOCUS": "no such text"})
	g.Expect(p.end(t, quickly)).To(Equal(verdict.UsageError.ExitCode()))
	text, err := os.ReadFile(old)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(text)).NotTo(ContainSubstring("older"))
	r, _ := p.read(t)
	g.Expect(r.Outcome).To(Equal(verdict.UsageError))
	g.Expect(measured).To(BeAnExistingFile(), "another command's")
}

// The measurement before a change is what the one after it is compared with, and both
// are in the usual folder.
func TestTheMeasurementBeforeIsABaselineWhereItLies(t *testing.T) {
	g := NewWithT(t)
	results := t.TempDir()
	old := bench.NewDocument()
	old.Lines = append(old.Lines, bench.Line{})
	g.Expect(bench.Write(results, old)).To(Succeed())
	for _, says := range []string{"Docker", "holds no measurements"} {
		p := begin(t, binary, map[string]string{"RESULTS": results, "LABELS": "benchmark", "BASELINE": filepath.Join(results, report.BenchFile), "DOCKER_HOST": "unix://" + filepath.Join(results, "none")})
		p.end(t, quickly)
		text, err := os.ReadFile(filepath.Join(results, report.BenchFile))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(string(text)).To(ContainSubstring(says))
	}
}
