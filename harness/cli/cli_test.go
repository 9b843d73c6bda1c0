package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/spf13/cobra"

	"qmconformance/harness/judge"
	"qmconformance/harness/observation"
	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
	_ "qmconformance/suites"
)

// call runs a command line.
func call(args ...string) (status int, out, errs string) {
	var o, e bytes.Buffer
	status = execute(newRoot(nil), args, &o, &e)
	return status, o.String(), e.String()
}

func TestAMistakeIsToldInOneLine(t *testing.T) {
	for name, args := range map[string][]string{
		"no such command":      {"conform"},
		"no such flag":         {"run", "--packages", "x"},
		"an argument too much": {"run", "x"},
		"none":                 {"judge"},
		"no such folder":       {"judge", filepath.Join(t.TempDir(), "none")},
		"no record":            {"judge", t.TempDir()},
		"no such requirement":  {"explain", "IDENT-99"},
		"no such word":         {"list", "identities"},
		"nowhere to write to":  {"man", filepath.Join(t.TempDir(), "none")},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			status, out, errs := call(args...)
			g.Expect(status).To(Equal(2))
			g.Expect(out).To(BeEmpty())
			g.Expect(errs).To(HavePrefix("USAGE ERROR: "))
			g.Expect(strings.Count(errs, "\n")).To(Equal(1))
		})
	}
}

func TestListKeepsToEveryWord(t *testing.T) {
	g := NewWithT(t)
	status, all, _ := call("list")
	g.Expect(status).To(BeZero())
	g.Expect(strings.Count(all, "\n")).To(Equal(len(judge.Catalogue.All())))
	for _, words := range [][]string{{"identity"}, {"IDENT"}, {"identity", "must", "host"}, {"IDENT-13"}} {
		status, out, errs := call(append([]string{"list"}, words...)...)
		g.Expect(status).To(BeZero(), errs)
		for line := range strings.Lines(out) {
			g.Expect(line).To(HavePrefix("IDENT-"))
			if len(words) > 1 {
				g.Expect(line).To(ContainSubstring(" MUST "))
			}
		}
		g.Expect(out).NotTo(Equal(all))
		g.Expect(out).NotTo(BeEmpty())
	}
}

func TestExplainTellsAllOfIt(t *testing.T) {
	g := NewWithT(t)
	for _, r := range judge.Catalogue.All() {
		status, out, _ := call("explain", strings.ToLower(r.ID))
		g.Expect(status).To(BeZero())
		flat := oneLine(out)
		for _, text := range append([]string{r.Sentence, r.Why, r.Hint, r.Source, string(r.Level), "#" + strings.ToLower(r.ID)}, r.Requires...) {
			g.Expect(flat).To(ContainSubstring(oneLine(text)), r.ID)
		}
	}
}

// What is set on the command line goes where the harness reads; what is not set
// there stays as the environment has it.
func TestFlagsAreTheVariables(t *testing.T) {
	g := NewWithT(t)
	for name := range variables {
		t.Setenv(strings.ToUpper(name), "before")
	}
	c := &cobra.Command{Use: "x", RunE: func(*cobra.Command, []string) error { return nil }}
	var names []string
	for name := range variables {
		names = append(names, name)
	}
	take(c, names...)
	g.Expect(execute(c, []string{"--package", "a b", "--base=", "--strict", "--focus", "$x"}, &bytes.Buffer{}, &bytes.Buffer{})).To(BeZero())
	for name := range variables {
		want, set := map[string]string{"package": "a b", "base": "", "strict": "1", "focus": "$x"}[name]
		if !set {
			want = "before"
		}
		g.Expect(os.Getenv(strings.ToUpper(name))).To(Equal(want), name)
	}
}

// Every variable of the README has its flag with the command that reads it.
func TestEveryVariableHasAFlag(t *testing.T) {
	g := NewWithT(t)
	text, err := os.ReadFile(filepath.Join("..", "..", "Makefile"))
	g.Expect(err).NotTo(HaveOccurred())
	_, line, _ := strings.Cut(string(text), "\nexport ")
	line, _, _ = strings.Cut(line, "\n")
	flags := map[string]bool{}
	for _, c := range newRoot(nil).Commands() {
		for name := range variables {
			if c.Flags().Lookup(name) != nil {
				flags[strings.ToUpper(name)] = true
			}
		}
	}
	g.Expect(strings.Fields(line)).NotTo(BeEmpty())
	for _, name := range strings.Fields(line) {
		g.Expect(flags).To(HaveKey(name))
	}
}

// keep writes the record of a subject without the group qmusers.
func keep(t *testing.T, kind verdict.Kind) string {
	t.Helper()
	dir := t.TempDir()
	o := observation.Observation{
		Catalogue: requirement.Version, Look: judge.Registered()["IDENT-01"].Plan.Name,
		Verdict: verdict.Verdict{ID: "IDENT-01", Service: requirement.Host, Kind: kind},
	}
	if err := o.Keep(observe.Accounts{}); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "observation.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestJudgeSaysWhetherTheVerdictIsTheSame(t *testing.T) {
	g := NewWithT(t)
	status, out, errs := call("judge", keep(t, verdict.Fail))
	g.Expect(status).To(Equal(0), out+errs)
	g.Expect(out).To(ContainSubstring("same        IDENT-01 host: fail"))
	status, out, _ = call("judge", keep(t, verdict.Pass))
	g.Expect(status).To(Equal(1))
	g.Expect(out).To(ContainSubstring("changed     IDENT-01 host: pass, now fail"))
	damaged := keep(t, verdict.Fail)
	g.Expect(os.WriteFile(filepath.Join(damaged, "observation.json"), []byte("{}"), 0o600)).To(Succeed())
	status, out, _ = call("judge", damaged)
	g.Expect(status).To(Equal(3))
	g.Expect(out).To(HavePrefix("not judged  "))
}

func TestTheManualAndTheCompletionComeFromTheCommands(t *testing.T) {
	g := NewWithT(t)
	status, out, _ := call("man")
	g.Expect(status).To(BeZero())
	g.Expect(out).To(HavePrefix(".nh\n.TH \"CONFORMANCE\" \"1\""))
	dir := t.TempDir()
	status, _, _ = call("man", dir)
	g.Expect(status).To(BeZero())
	for _, page := range []string{"conformance.1", "conformance-run.1", "conformance-judge.1"} {
		g.Expect(filepath.Join(dir, page)).To(BeAnExistingFile())
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		status, out, _ := call("completion", shell)
		g.Expect(status).To(BeZero())
		g.Expect(out).To(ContainSubstring("__complete"))
	}
	for want, args := range map[string][]string{
		"IDENT-13":  {"explain", ""},
		"qmclient":  {"list", ""},
		"quick":     {"run", "--profile", ""},
		"umask-022": {"faults", "--fault", ""},
	} {
		status, out, _ := call(append([]string{"__complete"}, args...)...)
		g.Expect(status).To(BeZero())
		g.Expect(out).To(ContainSubstring(want))
	}
}
