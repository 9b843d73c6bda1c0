package report

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

func summary(t *testing.T, r Results, o Options) string {
	t.Helper()
	var b strings.Builder
	if err := Summary(&b, r, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func compare(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestSummaryOfABrokenPackage(t *testing.T) {
	r, x := broken()
	compare(t, summary(t, r, Options{ResultsDir: "results", Rerun: x.Rerun}), `VIOLATIONS with the real ScarletDME 2.6-6: of 9 verdicts 3 not kept, 1 not testable, 1 not judged
  (harness error); 2 causes
Judged: qm the real ScarletDME 2.6-6, /usr/qmsys; package fixtures/reference; base bookworm;
  xinetd 2.3.15.3; profile full

FAIL SERV-17 qmserver and qmclient: Change the line.
  expected what is right
  actual   what was seen
  rule     The sentence of SERV-17.
  evidence results/evidence/SERV-17-{qmserver,qmclient}; see docs/requirements/services.md#serv-17
  2 more follow from it: IDENT-13 qmserver, IDENT-14 qmclient

ERROR STDIO-10 qmclient: Change the line.
  expected what is right
  actual   what was seen
  rule     The sentence of STDIO-10.
  evidence results/evidence/STDIO-10-qmclient; see docs/requirements/stdio.md#stdio-10

WARN SERV-07 qmclient: The sentence of SERV-07.
  what was seen; Change the line.

KNOWN 1 known failure of this qm or xinetd, with any package: SERV-18; why is in the report

Not applicable: 1 × what was seen

1 pass, 4 fail, 1 known-failing, 1 not-applicable, 1 not-testable, 1 error; 12.3 s; report
  results/report.html

To judge just the first of them again:
  make conformance FOCUS='SERV-17 qmserver'
`)
}

func TestSummaryOfAGoodRunIsShort(t *testing.T) {
	r := judged(one("SERV-01", requirement.Host, verdict.Pass), one("SERV-02", requirement.Host, verdict.Pass))
	r.Subject.QM = QM{Kind: "standin", Version: "0.1", Source: "standin"}
	compare(t, summary(t, r, Options{ResultsDir: "results", Rerun: again}), `CONFORMANT with the stand-in qm (not ScarletDME) 0.1: every MUST that was judged is kept
Judged: qm the stand-in qm (not ScarletDME) 0.1, standin; package fixtures/reference; base
  bookworm; xinetd 2.3.15.3; profile full

2 pass; 12.3 s; report results/report.html
`)
}

func TestSummaryOfAUsageError(t *testing.T) {
	r := Results{Outcome: verdict.UsageError, Message: "PACKAGE=x does not exist; name a directory"}
	compare(t, summary(t, r, Options{ResultsDir: "results", Rerun: again}), "USAGE ERROR: PACKAGE=x does not exist; name a directory\n")
}

func TestSummaryOfAHarnessError(t *testing.T) {
	r := Results{Outcome: verdict.HarnessError, Message: "Docker does not answer; start it"}
	compare(t, summary(t, r, Options{}), `HARNESS ERROR: Docker does not answer; start it

Nothing was judged; 0.0 s
`)
}

func TestSummaryOfARunThatWasCutShort(t *testing.T) {
	r := judged(one("SERV-01", requirement.Host, verdict.Fail))
	r.Message = "interrupted"
	if got := summary(t, r, Options{}); !strings.Contains(got, "\nThe run was cut short: interrupted\n") {
		t.Error(got)
	}
	r = frame()
	r.Message = "interrupted"
	r.Judge([]verdict.Verdict{one("SERV-01", requirement.Host, verdict.Pass)}, rank, false, false)
	if got := summary(t, r, Options{}); !strings.HasPrefix(got, "HARNESS ERROR with the real ScarletDME 2.6-6: interrupted\n") {
		t.Error(got)
	}
}

func TestTheFirstLineSaysWhichQM(t *testing.T) {
	lists := map[string][]verdict.Verdict{
		"conformant": {one("SERV-01", requirement.Host, verdict.Pass)},
		"violations": {one("SERV-01", requirement.Host, verdict.Fail)},
		"harness":    {one("SERV-01", requirement.Host, verdict.Error)},
	}
	for kind, want := range map[string]string{"scarletdme": "with the real ScarletDME", "standin": "with the stand-in qm (not ScarletDME)", "other": "with qm of kind other"} {
		for name, list := range lists {
			r := judged(list...)
			r.Subject.QM = QM{Kind: kind}
			first, _, _ := strings.Cut(summary(t, r, Options{}), "\n")
			if !strings.Contains(first, want) {
				t.Errorf("%s, %s: %q", name, kind, first)
			}
			if md, _ := renderMarkdown(r.whole(), Extra{}); !strings.Contains(strings.Split(string(md), "\n")[0], want) {
				t.Errorf("%s, %s: summary.md begins %q", name, kind, strings.Split(string(md), "\n")[0])
			}
		}
	}
}

// Excused violations and warnings may not hide behind a good outcome.
func TestAGoodOutcomeNamesItsExceptions(t *testing.T) {
	r := judged(one("SERV-01", requirement.Host, verdict.KnownFailing), should(one("SERV-02", requirement.Host, verdict.Fail)))
	got := summary(t, r, Options{Width: 200})
	if !strings.Contains(got, "kept, but for 1 known failure; 1 warning\n") || !strings.Contains(got, "\nWARN SERV-02") || !strings.Contains(got, "\nKNOWN 1 known failure of this qm or xinetd, with any package: SERV-01\n") {
		t.Error(got)
	}
}

func long(n int) string { return strings.TrimSpace(strings.Repeat("lorem ipsum ", n)) }

// block is the part of a summary between two blank lines that begins so.
func block(text, begin string) []string {
	for part := range strings.SplitSeq(text, "\n\n") {
		if strings.HasPrefix(part, begin) {
			return strings.Split(strings.TrimRight(part, "\n"), "\n")
		}
	}
	return nil
}

func TestACauseTakesFiveLinesAndItsHintComesFirst(t *testing.T) {
	for _, width := range []int{0, 20, 60, 80, 100, 200} {
		for mask := range 32 {
			v := one("SERV-17", requirement.QMServer, verdict.Fail)
			for i, field := range []*string{&v.Sentence, &v.Expected, &v.Actual, &v.Hint, &v.Evidence} {
				if mask&(1<<i) != 0 {
					*field = long(60)
				}
			}
			text := summary(t, judged(v, because(one("IDENT-13", requirement.QMServer, verdict.Fail), "SERV-17")), Options{Width: width})
			lines := block(text, "FAIL SERV-17")
			if len(lines) < 4 || len(lines) > entryLines+1 {
				t.Fatalf("width %d, mask %05b: %d lines\n%s", width, mask, len(lines), text)
			}
			if last := lines[len(lines)-1]; !strings.HasPrefix(last, "  1 more follows from it: ") {
				t.Errorf("last line %q", last)
			}
			limit := max(width, leastWidth)
			if width == 0 {
				limit = UsualWidth
			}
			for _, line := range lines {
				if utf8.RuneCountInString(line) > limit {
					t.Errorf("width %d, mask %05b: %q", width, mask, line)
				}
			}
		}
	}
}

func TestALongHintTakesTheRoomOfWhatIsShort(t *testing.T) {
	v := one("SERV-17", requirement.QMServer, verdict.Fail)
	v.Hint = long(12)
	text := summary(t, judged(v), Options{ResultsDir: "results"})
	compare(t, strings.Join(block(text, "FAIL"), "\n"), `FAIL SERV-17 qmserver: lorem ipsum lorem ipsum lorem ipsum lorem ipsum lorem ipsum lorem ipsum
  lorem ipsum lorem ipsum lorem ipsum lorem ipsum lorem ipsum lorem ipsum
  expected what is right
  actual   what was seen
  evidence results/evidence/SERV-17-qmserver; see docs/requirements/services.md#serv-17`)
}

func TestACauseThatWasNotSelectedIsNamed(t *testing.T) {
	v := because(one("IDENT-13", requirement.QMServer, verdict.Fail), "SERV-17")
	alone := strings.Join(block(summary(t, judged(v), Options{}), "FAIL"), "\n")
	if !strings.Contains(alone, "cause    SERV-17, which is not kept either; it was not selected") {
		t.Errorf("the cause is not named:\n%s", alone)
	}
	both := summary(t, judged(one("SERV-17", requirement.QMServer, verdict.Fail), v), Options{})
	if strings.Contains(both, "not selected") {
		t.Errorf("a cause that is there is said to be missing:\n%s", both)
	}
}

func TestWhatHasNoTextHasNoLine(t *testing.T) {
	v := verdict.Verdict{ID: "SERV-01", Level: requirement.Must, Service: requirement.Host, Kind: verdict.Error, Sentence: "It is so.", Actual: "panic"}
	compare(t, strings.Join(block(summary(t, judged(v), Options{}), "ERROR"), "\n"), "ERROR SERV-01 host: It is so.\n  actual   panic")
}

func TestManyFollowersTakeOneLine(t *testing.T) {
	list := []verdict.Verdict{one("SERV-01", requirement.Host, verdict.Fail)}
	for i := 10; i < 60; i++ {
		list = append(list, because(one("IDENT-"+string(rune('0'+i/10))+string(rune('0'+i%10)), requirement.QMServer, verdict.NotTestable), "SERV-01"))
	}
	lines := block(summary(t, judged(list...), Options{}), "FAIL")
	last := lines[len(lines)-1]
	if len(lines) != 6 || !strings.HasPrefix(last, "  50 more follow from it: IDENT-10 qmserver, ") || !strings.HasSuffix(last, ", "+ellipsis) || utf8.RuneCountInString(last) > UsualWidth {
		t.Errorf("%q", lines)
	}
}

func TestColorOnlyWhenAsked(t *testing.T) {
	r, x := broken()
	plain := summary(t, r, Options{Rerun: x.Rerun})
	if strings.Contains(plain, "\x1b") {
		t.Error("colour that nobody asked for")
	}
	colored := summary(t, r, Options{Rerun: x.Rerun, Color: true})
	for _, want := range []string{red + "VIOLATIONS" + plainColor, red + "FAIL" + plainColor, yellow + "WARN" + plainColor, yellow + "KNOWN" + plainColor} {
		if !strings.Contains(colored, want) {
			t.Errorf("no %q in %q", want, colored)
		}
	}
	if got := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(colored, ""); got != plain {
		t.Error("colour changes the text")
	}
}

// What a peer sent must not steer the reader's terminal.
func TestThePeersBytesStayText(t *testing.T) {
	v := one("SERV-01", requirement.Host, verdict.Fail)
	v.Actual, v.Expected, v.Hint = "\x1b[2J\r\nlogin: \x07\xff", "\u009b2J", "\x08"
	r := judged(v)
	r.Message, r.Subject.Xinetd = "\x1b]0;x", "\x1bc"
	got := summary(t, r, Options{})
	for _, bad := range []string{"\x1b", "\r", "\x07", "\u009b", "\x08", "\xff"} {
		if strings.Contains(got, bad) {
			t.Errorf("%q is in the summary", bad)
		}
	}
	if !strings.Contains(got, `\x1b[2J`) || !strings.Contains(got, `/ login: \x07\xff`) {
		t.Error(got)
	}
}

func TestStrictMakesAShouldRed(t *testing.T) {
	r := frame()
	r.Judge([]verdict.Verdict{should(one("SERV-07", requirement.QMClient, verdict.Fail))}, rank, true, true)
	got := summary(t, r, Options{Strict: true, Rerun: again})
	if !strings.Contains(got, "\nFAIL (SHOULD) SERV-07 qmclient: ") || strings.Contains(got, "WARN") || !strings.HasSuffix(got, "FOCUS='SERV-07 qmclient'\n") {
		t.Error(got)
	}
}

// Whoever ships a good package reads the end of a green run each day: what it
// excuses must not bury what it says.
func TestTheEndOfAGreenRunIsShortWhateverItExcuses(t *testing.T) {
	list := []verdict.Verdict{one("SERV-01", requirement.Host, verdict.Pass)}
	for i := range 40 {
		v := one(fmt.Sprintf("SERV-%02d", 20+i), requirement.QMServer, verdict.KnownFailing)
		v.Hint = long(40) + " (https://example.org/1)"
		list = append(list, v)
	}
	text := summary(t, judged(list...), Options{ResultsDir: "results"})
	if n := strings.Count(text, "\n"); n > 12 {
		t.Errorf("%d lines\n%s", n, text)
	}
	lines := block(text, "KNOWN")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "KNOWN 40 known failures of this qm or xinetd, with any package: SERV-20, SERV-21") || !strings.HasSuffix(lines[1], ellipsis) {
		t.Errorf("%q", lines)
	}
}

// One broken thing makes dozens of warnings: they are counted under their cause.
func TestWarningsThatFollowAreCounted(t *testing.T) {
	list := []verdict.Verdict{one("SERV-01", requirement.Host, verdict.Fail), should(one("SERV-02", requirement.Host, verdict.Fail))}
	for i := 10; i < 30; i++ {
		list = append(list, should(because(one(fmt.Sprintf("IDENT-%d", i), requirement.QMServer, verdict.NotTestable), "SERV-01")))
	}
	lines := block(summary(t, judged(list...), Options{}), "WARN")
	if len(lines) != 4 || !strings.HasPrefix(lines[0], "WARN SERV-02 host") || !strings.HasPrefix(lines[2], "WARN 20 warnings follow from SERV-01: IDENT-10, IDENT-11, ") {
		t.Errorf("%q", lines)
	}
}

func TestReasonsAreGrouped(t *testing.T) {
	var list []verdict.Verdict
	for i, why := range []string{"no login", "no log", "no login", "a", "b", "c", "d"} {
		v := one("SERV-0"+string(rune('1'+i)), requirement.Host, verdict.NotApplicable)
		v.Actual = why
		list = append(list, v)
	}
	if got := strings.Join(reasons(list), "; "); got != "2 × no login; 1 × no log; 1 × a; 1 × b; 1 × c; …" {
		t.Error(got)
	}
}
