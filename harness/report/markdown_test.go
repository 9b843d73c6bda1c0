package report

import (
	"fmt"
	"strings"
	"testing"

	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

func markdown(t *testing.T, r Results, x Extra) string {
	t.Helper()
	text, err := renderMarkdown(r.whole(), x)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestMarkdownHasWhatIsRedInSight(t *testing.T) {
	r, x := broken()
	text := markdown(t, r, x)
	sight, folded, _ := strings.Cut(text, "<details>")
	for _, want := range []string{
		"## VIOLATIONS with the real ScarletDME 2.6-6: of 9 verdicts",
		"package **fixtures/reference**",
		"| FAIL | **SERV-17** qmserver and qmclient: The sentence of SERV-17.<br>2 more verdicts because of it: IDENT-13 qmserver, IDENT-14 qmclient | what is right | what was seen | Change the line.<br>See <code>docs/requirements/services.md&#35;serv-17</code> | evidence/SERV-17-{qmserver,qmclient} |",
		"| ERROR | **STDIO-10**",
		"```sh\nmake conformance FOCUS='SERV-17 qmserver'\n```",
	} {
		if !strings.Contains(sight, want) {
			t.Errorf("not in sight: %q\n%s", want, text)
		}
	}
	for _, want := range []string{"Warnings (1)", "| SERV-07 qmclient |", "Known failures (1)", "| SERV-18 qmserver |", "Not applicable (1)", "| SERV-19 qmserver |", "Kept (1)", "| SERV-01 host |"} {
		if !strings.Contains(folded, want) {
			t.Errorf("not folded: %q\n%s", want, text)
		}
	}
	if strings.Count(text, "<details>") != strings.Count(text, "</details>") {
		t.Error("a fold is not closed")
	}
}

func TestMarkdownTablesHoldWhateverIsInThem(t *testing.T) {
	v := one("SERV-01", requirement.Host, verdict.Fail)
	v.Expected, v.Actual, v.Hint = "a|b\nc", "<script>*_`@you #1", "[x](y) \x1b"
	text := markdown(t, judged(v), Extra{})
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, "| FAIL") && strings.Count(line, "|") != 7 {
			t.Errorf("the row has %d bars: %s", strings.Count(line, "|"), line)
		}
	}
	for _, bad := range []string{"<script", "@you", "[x]", "\x1b", "#1"} {
		if strings.Contains(strings.ReplaceAll(text, "&#", ""), bad) {
			t.Errorf("%q stands for markup in\n%s", bad, text)
		}
	}
}

func TestMarkdownOfARunThatNeverBegan(t *testing.T) {
	text := markdown(t, Results{Outcome: verdict.UsageError, Message: "name a directory"}, Extra{})
	if !strings.HasPrefix(text, "## USAGE ERROR: name a directory\n") || strings.Contains(text, "<details>") {
		t.Error(text)
	}
}

// CI systems drop a job summary of more than a megabyte.
func TestMarkdownStaysSmall(t *testing.T) {
	var list []verdict.Verdict
	huge := strings.Repeat("|", 1<<16)
	for i := range 99 {
		v := one(fmt.Sprintf("SERV-%02d", i), requirement.Host, verdict.Fail)
		v.Expected, v.Actual, v.Hint = huge, huge, huge
		list = append(list, v)
	}
	if n := len(markdown(t, judged(list...), Extra{})); n > 1<<20 {
		t.Errorf("%d bytes", n)
	}
}
