package ci

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"go.yaml.in/yaml/v3"
)

// root is the top of the harness.
const root = "../.."

type action struct {
	Inputs  map[string]struct{ Description, Default string }
	Outputs map[string]struct{ Description, Value string }
	Runs    struct {
		Using string
		Steps []struct {
			ID, Shell, Run, Uses string
			Env                  map[string]string
		}
	}
}

func readAction(t *testing.T) action {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "action.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var a action
	if err := yaml.Unmarshal(text, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestEveryInputOfTheActionIsUsed(t *testing.T) {
	g := NewWithT(t)
	a := readAction(t)
	g.Expect(a.Runs.Using).To(Equal("composite"))
	text, err := os.ReadFile(filepath.Join(root, "action.yml"))
	g.Expect(err).NotTo(HaveOccurred())
	for name, in := range a.Inputs {
		g.Expect(string(text)).To(ContainSubstring("inputs."+name), "nothing reads it")
		g.Expect(in.Description).NotTo(BeEmpty(), name)
	}
	for name, out := range a.Outputs {
		g.Expect(out.Value).To(Equal("${{ steps.judge.outputs." + name + " }}"))
	}
	for _, s := range a.Runs.Steps {
		// A value that is written into a script can be more than a value.
		g.Expect(s.Run).NotTo(ContainSubstring("${{"), s.ID)
		g.Expect(s.Run == "" || s.Shell != "").To(BeTrue(), "a composite action names the shell")
	}
}

func TestTheExampleUsesOnlyInputsThatThereAre(t *testing.T) {
	g := NewWithT(t)
	text, err := os.ReadFile(filepath.Join(root, "docs", "workflow.yml"))
	g.Expect(err).NotTo(HaveOccurred())
	var w struct {
		Jobs map[string]struct {
			Steps []struct {
				Uses string
				With map[string]string
			}
		}
	}
	g.Expect(yaml.Unmarshal(text, &w)).To(Succeed())
	found := false
	for _, s := range w.Jobs["conformance"].Steps {
		if !strings.HasPrefix(s.Uses, "OWNER/") {
			continue
		}
		found = true
		for name := range s.With {
			g.Expect(readAction(t).Inputs).To(HaveKey(name))
		}
	}
	g.Expect(found).To(BeTrue(), "the example does not use the action")
}

// judged runs the action's script with a go command that makes, in place of the
// test binary, a script that says what it was given, writes an outcome if it has one,
// and exits so. The go command fails where it is to exit with a negative number.
func judged(t *testing.T, exit int, outcome string, env ...string) (code int, output, summary, said string) {
	t.Helper()
	dir := t.TempDir()
	g := NewWithT(t)
	top := filepath.Join(dir, "harness")
	script, err := os.ReadFile(filepath.Join(root, ".ci", "action"))
	g.Expect(err).NotTo(HaveOccurred())
	write := func(name, text string) {
		g.Expect(os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755)).To(Succeed())
		g.Expect(os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755)).To(Succeed())
	}
	write("harness/.ci/action", string(script))
	write("results/summary.md", "## a summary\n")
	write("results/results.json", "{\n  \"outcome\": \"conformant\",\n")
	binary := fmt.Sprintf("#!/bin/sh\necho PACKAGE=$PACKAGE QMSYS=$QMSYS\n[ -z '%[1]s' ] || printf '{\n  \"format\": 1,\n  \"outcome\": \"%[1]s\",\n' >\"$RESULTS/results.json\"\nexit %[2]d\n", outcome, exit)
	compiler := "#!/bin/sh\ncat >build/conformance.test <<'END'\n" + binary + "END\nchmod +x build/conformance.test\n"
	if exit < 0 {
		compiler = "#!/bin/sh\nexit 1\n"
	}
	write("bin/go", compiler)
	cmd := exec.Command("bash", filepath.Join(top, ".ci", "action"))
	cmd.Dir = dir
	cmd.Env = append([]string{
		"PATH=" + filepath.Join(dir, "bin") + ":" + os.Getenv("PATH"), "GITHUB_WORKSPACE=/repository", "RESULTS=" + filepath.Join(dir, "results"),
		"GITHUB_OUTPUT=" + filepath.Join(dir, "output"), "GITHUB_STEP_SUMMARY=" + filepath.Join(dir, "summary"),
	}, env...)
	text, err := cmd.CombinedOutput()
	var exited *exec.ExitError
	if errors.As(err, &exited) {
		code = exited.ExitCode()
	} else {
		g.Expect(err).NotTo(HaveOccurred())
	}
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		g.Expect(err).NotTo(HaveOccurred())
		return string(text)
	}
	if exit >= 0 {
		summary = read("summary")
	}
	return code, read("output"), summary, string(text)
}

func TestTheActionHandsTheOutcomeOn(t *testing.T) {
	for name, c := range map[string]struct {
		exit            int
		written, handed string
	}{
		"conformant":             {0, "conformant", "conformant"},
		"violations":             {1, "violations", "violations"},
		"usage error":            {2, "usage-error", "usage-error"},
		"a panic of the runtime": {2, "harness-error", "harness-error"},
		"killed at once":         {139, "", "harness-error"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			code, output, summary, _ := judged(t, c.exit, c.written)
			g.Expect(code).To(Equal(c.exit), "the job must be as red as the run")
			g.Expect(output).To(HavePrefix("outcome=" + c.handed + "\nresults=/"))
			g.Expect(summary).To(Equal("## a summary\n"))
		})
	}
	t.Run("nothing was built", func(t *testing.T) {
		code, output, _, _ := judged(t, -1, "")
		NewWithT(t).Expect(code).To(Equal(3))
		NewWithT(t).Expect(output).To(HavePrefix("outcome=harness-error\n"))
	})
}

func TestPathsOfTheActionAreTheRepositorys(t *testing.T) {
	for given, want := range map[string]string{
		"": "", "none": "none", "/opt/x": "/opt/x", "debian/qm network": "/repository/debian/qm network", "$(id)": "/repository/$(id)",
	} {
		_, _, _, said := judged(t, 0, "conformant", "IN_PACKAGE="+given, "IN_QMSYS=standin")
		NewWithT(t).Expect(said).To(Equal("PACKAGE=" + want + " QMSYS=standin\n"))
	}
}
