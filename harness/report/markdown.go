package report

import (
	"fmt"
	"strings"

	"qmconformance/harness/requirement/handbook"
	"qmconformance/harness/verdict"
)

// cellLength bounds one cell of summary.md: CI systems drop a job summary of
// more than a megabyte as a whole.
const cellLength = 400

// renderMarkdown is the summary for the page of a CI job: what is red in sight,
// the rest folded.
func renderMarkdown(r Results, x Extra) ([]byte, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n", md(headline(r, x.Strict)))
	if r.Message != "" && !strings.Contains(headline(r, x.Strict), r.Message) {
		fmt.Fprintf(&b, "The run was cut short: %s\n\n", md(r.Message))
	}
	if known := facts(r); len(known) > 0 {
		var parts []string
		for _, f := range known {
			parts = append(parts, f.Name+" **"+md(f.Value)+"**")
		}
		fmt.Fprintf(&b, "%s\n\n", strings.Join(parts, " · "))
	}
	if roots := causes(r.Verdicts, x.Strict); len(roots) > 0 {
		b.WriteString("| | requirement | expected | actual | what to do | evidence |\n|---|---|---|---|---|---|\n")
		for _, e := range roots {
			title := fmt.Sprintf("**%s** %s: %s", md(e.ID), md(series(e.services)), md(e.Sentence))
			if len(e.follows) > 0 {
				title += "<br>" + plural(len(e.follows), "more verdict") + " because of it: " + md(strings.Join(names(e.follows), ", "))
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", label(e.Verdict, x.Strict), title,
				md(e.Expected), md(e.Actual), md(e.Hint)+"<br>See <code>"+md(handbook.LinkTo(e.Area, e.ID))+"</code>", md(folders(e.evidence)))
		}
		b.WriteString("\n")
		if command := x.rerun(roots[0].Verdict); command != "" {
			fmt.Fprintf(&b, "To judge just the first of them again:\n\n```sh\n%s\n```\n\n", command)
		}
	}
	section(&b, "Warnings", pick(r.Verdicts, func(v verdict.Verdict) bool { return v.Warning(x.Strict) }),
		func(v verdict.Verdict) string { return v.Actual + "; " + v.Hint })
	section(&b, "Known failures", kind(r, verdict.KnownFailing), func(v verdict.Verdict) string { return v.Hint })
	section(&b, "Not applicable", kind(r, verdict.NotApplicable), func(v verdict.Verdict) string { return v.Actual })
	section(&b, "Kept", kind(r, verdict.Pass), func(v verdict.Verdict) string { return v.Actual })
	fmt.Fprintf(&b, "%s; %s\n", tally(r.Counts), took(r.DurationMS))
	return []byte(b.String()), nil
}

// section is a folded table.
func section(b *strings.Builder, name string, list []verdict.Verdict, remark func(verdict.Verdict) string) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "<details><summary>%s (%d)</summary>\n\n| requirement | | remark |\n|---|---|---|\n", name, len(list))
	for _, e := range merge(list) {
		fmt.Fprintf(b, "| %s %s | %s | %s |\n", md(e.ID), md(series(e.services)), md(e.Sentence), md(remark(e.Verdict)))
	}
	b.WriteString("\n</details>\n\n")
}

// md makes one cell of a text: what Markdown or HTML could take for markup is
// written as a character reference.
func md(s string) string {
	var b strings.Builder
	for _, r := range oneLine(s, cellLength) {
		if strings.ContainsRune("&<>|`*_[]~\\#@!", r) {
			fmt.Fprintf(&b, "&#%d;", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
