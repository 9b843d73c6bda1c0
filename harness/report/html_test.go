package report

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"qmconformance/harness/evidence"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

func html(t *testing.T, r Results, x Extra) string {
	t.Helper()
	text, err := renderHTML(r.whole(), x)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// requirementPart cuts out the part of the page about one requirement.
func requirementPart(t *testing.T, page, id string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, `id="`+id+`"`)
	if !found {
		t.Fatalf("%s is not on the page", id)
	}
	part, _, _ := strings.Cut(rest, `<details class="req`)
	return part
}

func TestThePageShowsEveryVerdictAsALetter(t *testing.T) {
	r, x := broken()
	page := html(t, r, x)
	for id, want := range map[string][]string{
		"SERV-01":  {`cell pass" title="pass" data-for="host">P<`},
		"SERV-07":  {`cell warn" title="warning" data-for="qmclient">W<`},
		"SERV-17":  {`cell fail" title="fail" data-for="qmserver">F<`, `cell fail" title="fail" data-for="qmclient">F<`},
		"SERV-18":  {`cell known" title="known failing" data-for="qmserver">K<`, "https://example.org/1"},
		"SERV-19":  {`cell absent" title="not applicable" data-for="qmserver">–<`},
		"IDENT-14": {`cell fail" title="not testable" data-for="qmclient">T<`, `href="#SERV-17"`},
		"STDIO-10": {`cell error" title="harness error" data-for="qmclient">E<`},
	} {
		part := requirementPart(t, page, id)
		for _, w := range append(want, "The sentence of "+id, "MUST", "xinetd.conf(5)", "what is right", "what was seen") {
			if id == "SERV-07" && w == "MUST" {
				w = "SHOULD"
			}
			if !strings.Contains(part, w) {
				t.Errorf("%s: no %q in %s", id, w, part)
			}
		}
	}
	for id, open := range map[string]bool{"SERV-17": true, "STDIO-10": true, "IDENT-13": false, "SERV-01": false, "SERV-07": false} {
		if strings.Contains(page, `id="`+id+`" open>`) != open {
			t.Errorf("%s is open: %v, want the causes open and the rest folded", id, !open)
		}
	}
	top, _, _ := strings.Cut(page, "<section>")
	for _, want := range []string{"VIOLATIONS with the real ScarletDME 2.6-6", "fixtures/reference", "bookworm", "2.3.15.3", "What to change", "Change the line.", "FOCUS=&#39;SERV-17 qmserver&#39;", "IDENT-13 qmserver"} {
		if !strings.Contains(top, want) {
			t.Errorf("no %q at the top", want)
		}
	}
}

func TestThePageHoldsTheEvidenceOfTheRed(t *testing.T) {
	r, x := broken()
	page := html(t, r, x)
	part := requirementPart(t, page, "SERV-17")
	for _, want := range []string{"wire.txt", "QM &lt;b&gt;", "xinetd.log", "The file is empty.", "evidence/SERV-17-qmclient"} {
		if !strings.Contains(part, want) {
			t.Errorf("no %q in %s", want, part)
		}
	}
	if strings.Contains(requirementPart(t, page, "SERV-07"), "wire.txt") {
		t.Error("a warning brings its evidence")
	}
}

func TestThePageIsSelfContained(t *testing.T) {
	r, x := broken()
	for name, page := range map[string]string{"broken": html(t, r, x), "conformant": html(t, conformant(t), Extra{})} {
		for _, m := range regexp.MustCompile(`(?i)\b(src|href|action|url)\s*[=(]\s*["']?[^#"'>]*`).FindAllString(page, -1) {
			if m != `href="` {
				t.Errorf("%s: refers to %q", name, m)
			}
		}
		for _, bad := range []string{"<link", "<img", "@import", "<iframe"} {
			if strings.Contains(page, bad) {
				t.Errorf("%s: %s", name, bad)
			}
		}
		for _, want := range []string{"prefers-color-scheme:dark", "@media print", `name="viewport"`, "default-src 'none'"} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: no %s", name, want)
			}
		}
	}
}

func TestLinksOnThePageLeadSomewhere(t *testing.T) {
	r, x := broken()
	page := html(t, r, x)
	for _, m := range regexp.MustCompile(`href="#([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if strings.Count(page, `id="`+m[1]+`"`) != 1 {
			t.Errorf("link to %s", m[1])
		}
	}
}

func TestThePageObeysNothingOfThePeers(t *testing.T) {
	v := one("SERV-01", requirement.Host, verdict.Fail)
	evil := "</pre><script>alert(1)</script>\x00\x1b\xff\u202e"
	v.Expected, v.Actual, v.Hint, v.Sentence, v.Source = evil, evil, evil, evil, evil
	r := judged(v)
	r.Subject.Package, r.Message = evil, evil
	page := html(t, r, Extra{
		Rerun:    func(verdict.Verdict) string { return evil },
		Evidence: map[string][]evidence.Text{v.Evidence: {{Name: evil, Text: evil}}},
	})
	for _, bad := range []string{"<script>alert", "\x00", "\x1b", "\xff", "\u202e"} {
		if strings.Contains(page, bad) {
			t.Errorf("%q is on the page", bad)
		}
	}
	if strings.Count(page, "<script>") != 1 {
		t.Errorf("%d scripts", strings.Count(page, "<script>"))
	}
}

func TestThePageStaysBelowItsLimit(t *testing.T) {
	huge := strings.Repeat("<\x00", 1<<14)
	many := func(n int, text string, files int) (Results, Extra) {
		var list []verdict.Verdict
		x := Extra{Evidence: map[string][]evidence.Text{}}
		for i := range n {
			for _, s := range requirement.NetworkServices {
				v := one(fmt.Sprintf("SERV-%02d", i), s, verdict.Fail)
				if text != "" {
					v.Expected, v.Actual, v.Hint, v.Sentence = text, text, text, text
				}
				list = append(list, v)
				for f := range files {
					x.Evidence[v.Evidence] = append(x.Evidence[v.Evidence], evidence.Text{Name: fmt.Sprint("log-", f), Text: huge})
				}
			}
		}
		return judged(list...), x
	}
	for name, c := range map[string]struct {
		n, files int
		text     string
	}{"evidence": {3, 12, ""}, "texts": {60, 0, huge}, "both": {40, 1, huge}} {
		r, x := many(c.n, c.text, c.files)
		page := html(t, r, x)
		if len(page) >= htmlLimit {
			t.Errorf("%s: %d bytes", name, len(page))
		}
		if c.files > 0 && !strings.Contains(page, "more in the folder.") {
			t.Errorf("%s: files are left out without a word", name)
		}
		if !strings.HasSuffix(page, "</html>\n") {
			t.Errorf("%s: the page has no end", name)
		}
	}
}

func TestThePageOfARunThatNeverBegan(t *testing.T) {
	page := html(t, Results{Outcome: verdict.UsageError, Message: "name a directory"}, Extra{})
	if !strings.Contains(page, `<h1 class="usage-error">USAGE ERROR: name a directory</h1>`) || !strings.Contains(page, "nothing was judged") || strings.Contains(page, "<section>") {
		t.Error(page[strings.Index(page, "<body>"):])
	}
}

func TestThePageGivesTheWordsOfTheOutcome(t *testing.T) {
	r := judged(one("SERV-01", requirement.Host, verdict.Fail))
	r.Message = "interrupted"
	if page := html(t, r, Extra{}); !strings.Contains(page, "The run was cut short: interrupted") {
		t.Error("nothing says that the run was cut short")
	}
	r = judged(one("SERV-01", requirement.Host, verdict.Error))
	if page := html(t, r, Extra{}); !strings.Contains(page, "What broke in the harness") || strings.Contains(page, "What to change") {
		t.Error("an error of the harness reads as a mistake of the package's")
	}
	r = frame()
	r.Judge([]verdict.Verdict{should(one("SERV-07", requirement.QMClient, verdict.Fail))}, rank, true, true)
	if part := requirementPart(t, html(t, r, Extra{Strict: true}), "SERV-07"); !strings.Contains(part, ">F<") {
		t.Error("strict: a SHOULD is still a warning")
	}
}
