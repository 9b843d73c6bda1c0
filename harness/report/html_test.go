package report

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"qmconformance/harness/evidence"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
	"qmconformance/harness/wire"
)

func html(t *testing.T, r Results, x Extra) string {
	t.Helper()
	text, err := renderHTML(r.whole(), x)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// part cuts out the part of the page about one requirement, or one verdict.
func part(t *testing.T, page, id string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, ` id="`+id+`"`)
	if !found {
		t.Fatalf("%s is not on the page", id)
	}
	end := `<details class="req`
	if strings.Count(id, "-") > 1 {
		end = "</article>"
	}
	text, _, _ := strings.Cut(rest, end)
	return text
}

func TestThePageShowsEveryVerdictAsALetter(t *testing.T) {
	r, x := broken()
	page := html(t, r, x)
	for id, want := range map[string][]string{
		"SERV-01":  {`cell pass" title="pass"><small>host</small> P<`},
		"SERV-07":  {`cell warn" title="warning"><small>qmclient</small> W<`},
		"SERV-17":  {`cell fail" title="fail"><small>qmserver</small> F<`, `<small>qmclient</small> F<`},
		"SERV-18":  {`cell known" title="known failing"><small>qmserver</small> K<`, "https://example.org/1"},
		"SERV-19":  {`cell absent" title="not applicable"><small>qmserver</small> –<`},
		"IDENT-14": {`cell untested" title="not testable"><small>qmclient</small> T<`, `href="#SERV-17"`},
		"STDIO-10": {`cell error" title="harness error"><small>qmclient</small> E<`},
	} {
		part := part(t, page, id)
		for _, w := range append(want, "The sentence of "+id, "MUST", "xinetd.conf(5)", "what is right", "what was seen") {
			if id == "SERV-07" && w == "MUST" {
				w = "SHOULD"
			}
			if !strings.Contains(part, w) {
				t.Errorf("%s: no %q in %s", id, w, part)
			}
		}
	}
	for _, v := range r.Verdicts {
		if n := strings.Count(page, ` href="#`+target(v)+`" title="`+v.ID+" "+string(v.Service)+": "); n != 1 {
			t.Errorf("%s has %d cells in the matrix", target(v), n)
		}
	}
	for id, open := range map[string]bool{"SERV-17": true, "STDIO-10": true, "IDENT-13": false, "SERV-01": false, "SERV-07": false} {
		if summary, _, _ := strings.Cut(part(t, page, id), "<summary>"); strings.Contains(summary, " open>") != open {
			t.Errorf("%s is open: %v, want the causes open and the rest folded", id, !open)
		}
	}
	top, _, _ := strings.Cut(page, `<section id="map"`)
	for _, want := range []string{"<b>VIOLATIONS</b> <span>with the real ScarletDME 2.6-6", "fixtures/reference", "bookworm", "What to change", "Change the line.", "FOCUS=&#39;SERV-17 qmserver&#39;", "IDENT-13 qmserver"} {
		if !strings.Contains(top, want) {
			t.Errorf("no %q at the top", want)
		}
	}
	if !strings.Contains(page, "2.3.15.3") {
		t.Error("nothing says which xinetd it was")
	}
}

func TestThePageHoldsTheEvidence(t *testing.T) {
	r, x := broken()
	page := html(t, r, x)
	first := part(t, page, "SERV-17-qmserver")
	for _, want := range []string{
		"On the wire: qmserver", "received 4 bytes", "QM&lt;\\x06", "51 4d 3c 06", "2 s of silence", "time-out", "FIN",
		"xinetd's log at that moment", `<span class="bad">FAIL: qmserver address</span>`,
		"at the prompt, beside the contract", `<tr class="differs"><th scope="row">umask</th>`,
		"/etc/xinetd.d/qm:2", "<mark><span class=\"n\">2</span>\tumask = 022</mark>",
		"users.txt", "nobody &lt;b&gt;", `<a href="evidence/SERV-17-qmserver/">`, `href="evidence/SERV-17-qmserver/connection.pcap"`,
	} {
		if !strings.Contains(first, strings.ReplaceAll(want, "\\\\", "\\")) {
			t.Errorf("no %q in %s", want, first)
		}
	}
	second := part(t, page, "SERV-17-qmclient")
	if !strings.Contains(second, `href="#SERV-17-qmserver">connection qmserver`) || strings.Contains(second, "On the wire") {
		t.Errorf("what is shown already is not linked: %s", second)
	}
	if cause, _, _ := strings.Cut(page, `<section id="map"`); !strings.Contains(cause, "<mark>") {
		t.Error("the cause does not show the line to change")
	}
}

// The files of a run that was recorded before there were records, or in part.
func TestEvidenceIsReadBackFromItsFolder(t *testing.T) {
	dir := t.TempDir()
	v := one("SERV-17", server, verdict.Fail)
	folder := filepath.Join(dir, v.Evidence)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"wire-qmserver.txt": "wire", "users.txt": "users", "reproduce.sh": "#!/bin/sh", "observation.json": "{}",
		"a.pcap": "\xd4\xc3", "data.bin": "\x00", "xinetd.log.txt": "log",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got := Collect(dir, []verdict.Verdict{v, one("SERV-01", host, verdict.Pass)})
	if len(got) != 1 {
		t.Fatal(got)
	}
	e := got[v.Evidence]
	outline := func() string {
		var names []string
		for _, f := range e.Files {
			names = append(names, f.Name)
		}
		return strings.Join(names, " ") + "; " + strings.Join(e.Links, " ")
	}
	if s := outline(); s != "users.txt wire-qmserver.txt xinetd.log.txt; a.pcap data.bin observation.json reproduce.sh" {
		t.Error(s)
	}
	b := &evidence.Bundle{}
	b.Wire("qmserver", wire.Transcript{})
	b.Log("xinetd.log", "log")
	if err := evidence.WriteRecord(dir, v.Evidence, b, verdict.Place{}); err != nil {
		t.Fatal(err)
	}
	e = collect(dir, v.Evidence)
	if s := outline(); s != "users.txt; a.pcap data.bin observation.json reproduce.sh" {
		t.Errorf("beside a record: %s", s)
	}
	if err := os.WriteFile(filepath.Join(folder, evidence.RecordFile), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if e = collect(dir, v.Evidence); !strings.Contains(e.Files[0].Text, "cannot be read") {
		t.Errorf("a record that cannot be read: %+v", e.Files[0])
	}
	if e = collect(dir, "evidence/none"); len(e.Files) != 1 || !strings.Contains(e.Files[0].Text, "cannot be read") {
		t.Errorf("a folder that is not there: %+v", e)
	}
}

func TestPagesOfOtherCommandsAreAttached(t *testing.T) {
	dir := t.TempDir()
	if got := Attachments(dir); len(got) != 0 {
		t.Errorf("nothing was run, and %v", got)
	}
	for name, text := range map[string]string{"faults.html": "<p>matrix</p>", "bench.html": strings.Repeat("x", attachmentLimit+1)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	page := html(t, conformant(t), Extra{Attachments: Attachments(dir)})
	for _, want := range []string{`<a href="bench.html">`, `<a href="faults.html">`, `<iframe sandbox`, `srcdoc="&lt;p&gt;matrix`} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Count(page, "<iframe") != 1 {
		t.Error("what is too large is not a mere link")
	}
}

func TestThePageIsSelfContained(t *testing.T) {
	r, x := broken()
	for name, page := range map[string]string{"broken": html(t, r, x), "conformant": html(t, conformant(t), Extra{})} {
		for _, m := range regexp.MustCompile(`(?i)\b(src|href|action|url)\s*[=(]\s*["']?[^#"'>]*`).FindAllString(page, -1) {
			if m != `href="` && !strings.HasPrefix(m, `href="evidence/`) && !strings.HasPrefix(m, `href^=`) {
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
		Why:      func(string) string { return evil },
		Evidence: map[string]Evidence{v.Evidence: evilEvidence(evil)},
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

func evilEvidence(evil string) Evidence {
	text := []evidence.Text{{Name: evil, Text: evil}}
	return Evidence{Files: text, Links: []string{evil}, Record: evidence.Record{
		Where: verdict.Place{File: evil, Line: 1}, Logs: text, Sources: text,
		Comparisons: []evidence.Comparison{{Name: evil, Rows: []evidence.Row{{Fact: evil, Contract: evil, Seen: evil}}}},
		Transcripts: []evidence.Transcript{{Name: evil, Wire: wire.Transcript{Events: []wire.Event{{Kind: wire.Kind(evil), Data: []byte(evil), Note: evil}}}}},
	}}
}

func TestThePageStaysBelowItsLimit(t *testing.T) {
	huge := strings.Repeat("<\x00", 1<<14)
	many := func(n int, text string, files int) (Results, Extra) {
		var list []verdict.Verdict
		x := Extra{Evidence: map[string]Evidence{}}
		for i := range n {
			for _, s := range requirement.NetworkServices {
				v := one(fmt.Sprintf("SERV-%02d", i), s, verdict.Fail)
				if text != "" {
					v.Expected, v.Actual, v.Hint, v.Sentence = text, text, text, text
				}
				list = append(list, v)
				var e Evidence
				for f := range files {
					// Each of its own: what is the same is shown once.
					e.Files = append(e.Files, evidence.Text{Name: fmt.Sprint("log-", f), Text: target(v) + huge})
				}
				if files > 0 {
					e.Record.Transcripts = []evidence.Transcript{{Name: target(v), Wire: flood(i)}}
				}
				x.Evidence[v.Evidence] = e
			}
		}
		return judged(list...), x
	}
	for name, c := range map[string]struct {
		n, files int
		text     string
	}{"evidence": {12, 12, ""}, "texts": {60, 0, huge}, "both": {40, 1, huge}} {
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

// flood is a connection of many small events.
func flood(seed int) wire.Transcript {
	var t wire.Transcript
	for i := range 200 {
		t.Events = append(t.Events, wire.Event{At: time.Duration(seed+i) * time.Second, Kind: wire.KindReceived, Data: bytes.Repeat([]byte("<"), 600), Size: 600})
	}
	return t
}

func TestThePageOfARunThatNeverBegan(t *testing.T) {
	page := html(t, Results{Outcome: verdict.UsageError, Message: "name a directory"}, Extra{})
	if !strings.Contains(page, `<b>USAGE ERROR</b> <span>name a directory</span>`) || !strings.Contains(page, "nothing was judged") || strings.Contains(page, `class="req"`) {
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
	if part := part(t, html(t, r, Extra{Strict: true}), "SERV-07"); !strings.Contains(part, "</small> F<") {
		t.Error("strict: a SHOULD is still a warning")
	}
}
