package report

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"qmconformance/harness/evidence"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

func annotations(t *testing.T, r Results, x Extra, s Sources) []string {
	t.Helper()
	var b strings.Builder
	if err := Annotate(&b, r, x, s); err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
}

// checkout is a repository with a package in it.
func checkout(t *testing.T, files ...string) (top, pkg string) {
	t.Helper()
	top = t.TempDir()
	pkg = filepath.Join(top, "debian", "qm, network")
	for _, f := range files {
		put(t, filepath.Join(pkg, f), "text\n")
	}
	return top, pkg
}

func placed(v verdict.Verdict, file string, line int) Extra {
	return Extra{Evidence: map[string]Evidence{v.Evidence: {Record: evidence.Record{Where: verdict.Place{File: file, Line: line}}}}}
}

func TestAnAnnotationNamesThePackagesOwnFile(t *testing.T) {
	top, pkg := checkout(t, "etc/xinetd.d/qmserver", "setup.sh")
	elsewhere := t.TempDir()
	if err := os.Symlink("/etc/passwd", filepath.Join(pkg, "link")); err != nil {
		t.Fatal(err)
	}
	v := one("SERV-17", requirement.QMServer, verdict.Fail)
	const rest = `title=SERV-17 qmserver::Change the line.%0AThe sentence of SERV-17.%0Aexpected what is right; actual what was seen`
	for name, c := range map[string]struct {
		place verdict.Place
		s     Sources
		want  string
	}{
		"a line":                      {verdict.Place{File: "/etc/xinetd.d/qmserver", Line: 17}, Sources{pkg, []string{top}}, "::error file=debian/qm%2C network/etc/xinetd.d/qmserver,line=17," + rest},
		"a script of the package's":   {verdict.Place{File: "setup.sh"}, Sources{pkg, []string{top}}, "::error file=debian/qm%2C network/setup.sh," + rest},
		"the second of two tops":      {verdict.Place{File: "setup.sh"}, Sources{pkg, []string{elsewhere, top}}, "::error file=debian/qm%2C network/setup.sh," + rest},
		"no top is known":             {verdict.Place{File: "setup.sh"}, Sources{pkg, []string{""}}, "::error " + rest},
		"a package outside":           {verdict.Place{File: "setup.sh"}, Sources{pkg, []string{elsewhere}}, "::error " + rest},
		"a file of the base image's":  {verdict.Place{File: "/etc/xinetd.conf", Line: 3}, Sources{pkg, []string{top}}, "::error " + rest},
		"a link out of the package":   {verdict.Place{File: "/link", Line: 1}, Sources{pkg, []string{top}}, "::error " + rest},
		"a path that climbs":          {verdict.Place{File: "../../setup.sh", Line: 1}, Sources{pkg, []string{top}}, "::error file=debian/qm%2C network/setup.sh,line=1," + rest},
		"no package":                  {verdict.Place{File: "/etc/xinetd.d/qmserver", Line: 17}, Sources{"", []string{top}}, "::error " + rest},
		"a verdict without any place": {verdict.Place{}, Sources{pkg, []string{top}}, "::error " + rest},
	} {
		got := annotations(t, judged(v), placed(v, c.place.File, c.place.Line), c.s)
		if len(got) != 1 || got[0] != c.want {
			t.Errorf("%s:\n%q, want\n%q", name, got, c.want)
		}
	}
}

func TestEachCauseIsAnnotatedOnceAndFollowersAreNot(t *testing.T) {
	r, x := broken()
	got := annotations(t, r, x, Sources{})
	if len(got) != 3 {
		t.Fatalf("%q", got)
	}
	for i, want := range []string{
		"::error title=SERV-17 qmserver and qmclient::", "::error title=STDIO-10 qmclient::", "::warning title=SERV-07 qmclient::",
	} {
		if !strings.HasPrefix(got[i], want) {
			t.Errorf("%q, want %q", got[i], want)
		}
	}
	if !strings.HasSuffix(got[0], "%0A2 more verdicts because of it") {
		t.Error(got[0])
	}
	if got := annotations(t, conformant(t), Extra{}, Sources{}); len(got) != 1 || got[0] != "" {
		t.Errorf("a good run: %q", got)
	}
}

func TestARunThatDidNotEndIsAnnotated(t *testing.T) {
	got := annotations(t, Results{Outcome: verdict.UsageError, Message: "PACKAGE=x: does not exist, 100%"}, Extra{}, Sources{})
	if len(got) != 1 || got[0] != "::error title=USAGE ERROR::PACKAGE=x: does not exist, 100%25" {
		t.Errorf("%q", got)
	}
}

// What a peer sent stands in an annotation, and may not begin another one.
func TestNoTextBeginsAnotherCommand(t *testing.T) {
	evil := "a,b:c%0A\r\n::error file=x::y\n::set-output name=z::\x1b[31m"
	v := one("SERV-01", requirement.Host, verdict.Fail)
	v.Sentence, v.Expected, v.Actual, v.Hint = evil, evil, evil, evil
	r := judged(v)
	r.Message = evil
	form := regexp.MustCompile(`^::error title=[^,:\n\r]*::[^\n\r]*$`)
	for _, line := range annotations(t, r, Extra{}, Sources{}) {
		if !form.MatchString(line) || strings.Contains(line, "\x1b") {
			t.Errorf("%q", line)
		}
	}
}

func TestNoMoreAnnotationsThanAreShown(t *testing.T) {
	var list []verdict.Verdict
	for i := range 30 {
		list = append(list, one(fmt.Sprintf("SERV-%02d", i), requirement.Host, verdict.Fail), should(one(fmt.Sprintf("IDENT-%02d", i), requirement.Host, verdict.Fail)))
	}
	if n := len(annotations(t, judged(list...), Extra{}, Sources{})); n != 2*mostAnnotations {
		t.Errorf("%d annotations", n)
	}
}
