package report

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"qmconformance/harness/requirement"
	"qmconformance/harness/settings"
	"qmconformance/harness/verdict"
)

func read(t *testing.T, env map[string]string) settings.Settings {
	t.Helper()
	s, err := settings.Read(func(n string) string { return env[n] }, "/here", func(string) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRerunNamesWhatTheUserSet(t *testing.T) {
	v := one("IDENT-13", requirement.QMClient, verdict.Fail)
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{nil, ""},
		{map[string]string{"PACKAGE": "none", "QMSYS": "image", "BASE": "me/product:1"}, " PACKAGE=none QMSYS=image BASE=me/product:1"},
		{map[string]string{"PACKAGE": "../my pack"}, " PACKAGE='/my pack'"},
		{map[string]string{"QMSYS": "/opt/it's"}, ` QMSYS='/opt/it'\''s'`},
		{map[string]string{"PACKAGE": "/p/a$b"}, ` PACKAGE='/p/a$$b'`},
		{map[string]string{"PROFILE": "quick", "STRICT": "1", "RESULTS": "/tmp/r"}, " PROFILE=quick STRICT=1 RESULTS=/tmp/r"},
		{map[string]string{"FOCUS": "qmserver", "LABELS": "x", "PROCS": "3"}, ""},
	} {
		want := "make conformance FOCUS='IDENT-13 qmclient'" + c.want
		if got := Rerun(read(t, c.env), v); got != want {
			t.Errorf("%v:\n%s, want\n%s", c.env, got, want)
		}
	}
}

// The text of a spec is "<ID> <service>: <sentence>", and the focus a regular
// expression on it.
func TestTheFocusMeetsExactlyOneSpec(t *testing.T) {
	focus := regexp.MustCompile(`FOCUS='([^']*)'`)
	var texts []string
	for _, r := range catalogue(t).All() {
		for _, s := range r.Services {
			texts = append(texts, r.ID+" "+string(s)+": "+r.Sentence)
		}
	}
	for _, r := range catalogue(t).All() {
		for _, s := range r.Services {
			v := verdict.New(r, s, verdict.Kept("", ""), 0)
			expr := regexp.MustCompile(focus.FindStringSubmatch(Rerun(settings.Settings{}, v))[1])
			met := 0
			for _, text := range texts {
				if expr.MatchString(text) {
					met++
				}
			}
			if met != 1 {
				t.Errorf("%s meets %d specs", expr, met)
			}
		}
	}
}

// The command goes through a shell and through make before a program sees it.
func TestTheCommandSurvivesShellAndMake(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("this machine has no make")
	}
	dir := t.TempDir()
	put(t, filepath.Join(dir, "Makefile"), "export PACKAGE\nexport FOCUS\nconformance:\n\t@printenv PACKAGE FOCUS\n")
	for _, name := range []string{"plain", "a b", "it's", "a$b", "$(x)", "a#b", `back\slash`, "semi;colon", "ä", "*", "~", "a&b", `"q"`, "%"} {
		pack := "/p/" + name
		command := exec.Command("sh", "-c", Rerun(read(t, map[string]string{"PACKAGE": pack}), one("SERV-01", requirement.Host, verdict.Fail)))
		command.Dir = dir
		// Under make the variables of the outer one would win.
		for _, e := range os.Environ() {
			if !strings.HasPrefix(e, "MAKE") && !strings.HasPrefix(e, "MFLAGS") {
				command.Env = append(command.Env, e)
			}
		}
		out, err := command.CombinedOutput()
		if want := pack + "\nSERV-01 host\n"; err != nil || string(out) != want {
			t.Errorf("%q: %v, %q, want %q", name, err, out, want)
		}
	}
}

func TestAnotherProgramThanMakeIsToldInItsOwnWay(t *testing.T) {
	s := read(t, map[string]string{"PACKAGE": "/p/a$b", "STRICT": "1"})
	s.Command = []string{"/opt/my tools/conformance"}
	want := `'/opt/my tools/conformance' run --focus='SERV-01 host' --package='/p/a$b' --strict=1`
	if got := Rerun(s, one("SERV-01", requirement.Host, verdict.Fail)); got != want {
		t.Errorf("%s, want\n%s", got, want)
	}
}

// Pasted anywhere, it judges the same package, whatever the defaults are there,
// and leaves the results alone that it came with.
func TestTheScriptOfAReproductionRunsAnywhere(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("this machine has no make")
	}
	root := filepath.Join(t.TempDir(), "the harness's $HOME")
	put(t, filepath.Join(root, "Makefile"), "export PACKAGE QMSYS BASE FOCUS RESULTS\nconformance:\n\t@pwd; printenv PACKAGE QMSYS BASE FOCUS RESULTS; echo $$LABELS $$PROFILE\n")
	s := read(t, map[string]string{"PACKAGE": "my pack"})
	script := Reproduce(s, root, one("SERV-01", requirement.Host, verdict.Fail))
	command := exec.Command("sh", "-c", script)
	command.Dir = t.TempDir()
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "MAKE") && !strings.HasPrefix(e, "MFLAGS") {
			command.Env = append(command.Env, e)
		}
	}
	// What another default would be, there.
	command.Env = append(command.Env, "QMSYS=/elsewhere", "RESULTS=/elsewhere", "LABELS=reuse", "PROFILE=quick")
	out, err := command.CombinedOutput()
	want := strings.Join([]string{root, "/here/my pack", "standin", "bookworm", "SERV-01 host", "/here/results/again", "", ""}, "\n")
	if err != nil || string(out) != want {
		t.Errorf("%v: %s\nwant\n%s", err, out, want)
	}
	if !strings.HasPrefix(script, "#!/bin/sh\n") || len(s.Defaulted) == 0 {
		t.Error("no script, or the settings were changed")
	}
}
