package report

import (
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"qmconformance/harness/requirement/handbook"
	"qmconformance/harness/verdict"
)

// UsualWidth is the width of the summary where none is asked for: it fits half
// of a wide screen and the log window of most CI systems.
const UsualWidth = 100

// leastWidth keeps a line useful beside its label.
const leastWidth = 40

// entryLines is the most that one cause takes, so that the first ones stay in
// sight. What does not fit is in the report.
const entryLines = 5

// Options are how the summary is printed.
type Options struct {
	Color  bool
	Strict bool
	// ResultsDir is RESULTS as the user may type it.
	ResultsDir string
	// Rerun is the command that judges just this verdict again; may be nil.
	Rerun func(verdict.Verdict) string
	// Width is the number of characters in a line, 0 for UsualWidth.
	Width int
}

// Summary prints what a person reads when a run has ended: the outcome, what
// was judged, each cause with what to change and what follows from it, and how
// to judge the first one again. The error is that of w.
func Summary(w io.Writer, r Results, o Options) error {
	r = r.whole()
	if o.Width == 0 {
		o.Width = UsualWidth
	}
	o.Width = max(o.Width, leastWidth)
	p := &printer{o: o}
	p.head(r)
	roots := causes(r.Verdicts, o.Strict)
	for _, e := range roots {
		p.blank()
		p.cause(e)
	}
	p.lesser(r)
	if r.Outcome != verdict.UsageError {
		p.foot(r)
	}
	if len(roots) > 0 && o.Rerun != nil {
		// Never wrapped: it is to be copied.
		p.blank()
		p.text("To judge just the first of them again:")
		p.raw("  " + o.Rerun(roots[0].Verdict))
	}
	_, err := io.WriteString(w, p.b.String())
	return err
}

type printer struct {
	b strings.Builder
	o Options
}

func (p *printer) raw(line string) { p.b.WriteString(line + "\n") }

func (p *printer) blank() { p.raw("") }

// text writes a paragraph, further lines indented.
func (p *printer) text(s string) { p.lines(wrap(s, p.o.Width-2)) }

func (p *printer) lines(lines []string) {
	for i, line := range lines {
		if i > 0 {
			line = "  " + line
		}
		p.raw(line)
	}
}

// marked writes lines that begin with a label, the label in its colour.
func (p *printer) marked(lines []string, label, color string) {
	if len(lines) > 0 && p.o.Color {
		if rest, ok := strings.CutPrefix(lines[0], label); ok {
			lines[0] = color + label + plainColor + rest
		}
	}
	p.lines(lines)
}

const (
	red        = "\x1b[1;31m"
	green      = "\x1b[1;32m"
	yellow     = "\x1b[1;33m"
	plainColor = "\x1b[0m"
)

func (p *printer) head(r Results) {
	color := red
	if r.Outcome == verdict.Conformant {
		color = green
	}
	text := headline(r, p.o.Strict)
	word, _, _ := strings.Cut(text, " with ")
	word, _, _ = strings.Cut(word, ":")
	p.marked(wrap(text, p.o.Width-2), word, color)
	if r.Message != "" && !strings.Contains(text, r.Message) {
		p.text("The run was cut short: " + r.Message)
	}
	var known []string
	for _, f := range facts(r) {
		switch f.Name {
		case "kernel", "catalogue", "started": // in the report
		default:
			known = append(known, f.Name+" "+f.Value)
		}
	}
	if r.Subject != (Subject{}) {
		p.text("Judged: " + strings.Join(known, "; "))
	}
}

// row is one labelled part of an entry.
type row struct {
	label, text string
	lines       int
}

// cause writes one cause in at most entryLines lines, and one more for what
// follows from it.
func (p *printer) cause(e entry) {
	const margin = 2 + 9 // indent and the longest label with a blank
	width := p.o.Width - margin
	most := entryLines * width // more is never shown
	word := label(e.Verdict, p.o.Strict)
	if e.Level != "MUST" && e.Level != "" {
		word += " (" + string(e.Level) + ")"
	}
	// What to change comes first, in the package's own terms; which rule it breaks
	// is for those who doubt it, and for whom there is room. The hint of what could
	// not be tested is no advice on why it couldn't.
	head, last := word+" "+e.title(), row{"hint", oneLine(e.Hint, most), 1}
	if e.Hint != "" && e.Kind != verdict.NotTestable {
		head = word + " " + e.ID + " " + series(e.services) + ": " + oneLine(e.Hint, most)
		last = row{"rule", oneLine(e.Sentence, most), 1}
		if len(wrap(head, p.o.Width-2)) > 1 {
			last.text = ""
		}
	}
	if e.BecauseOf != "" && e.BecauseOf != e.ID {
		// Only a cause that is not in the list leaves this at the top of it.
		last = row{"cause", e.BecauseOf + ", which is not kept either; it was not selected", 1}
	}
	rows := []row{
		{"expected", oneLine(e.Expected, most), 1},
		{"actual", oneLine(e.Actual, most), 1},
		last,
		{"evidence", p.path(folders(e.evidence)), 1},
	}
	// Where more is written of the requirement, if that costs no line.
	if more := rows[3].text + "; see " + handbook.LinkTo(e.Area, e.ID); rows[3].text != "" && e.Area != "" && utf8.RuneCountInString(more) <= width {
		rows[3].text = more
	}
	room := func(text string) int { return len(wrap(text, width)) }
	total := len(wrap(head, p.o.Width-2))
	for _, r := range rows {
		total += room(r.text)
	}
	// Where room is short, what was expected and what was seen share a line if
	// they can, in favour of what to change.
	both := rows[0].text + "; actual " + rows[1].text
	if total > entryLines && rows[0].text != "" && rows[1].text != "" && utf8.RuneCountInString(both) <= width {
		rows = append([]row{{"expected", both, 1}}, rows[2:]...)
	}
	var filled []row
	for _, r := range rows {
		if r.text != "" {
			filled = append(filled, r)
		}
	}
	spare := entryLines - 1 - len(filled)
	headLines := 1
	for _, first := range []string{"", "actual", "expected", "hint", "rule"} {
		if first == "" {
			more := min(spare, len(wrap(head, p.o.Width-2))-1)
			headLines, spare = headLines+more, spare-more
			continue
		}
		for i := range filled {
			if filled[i].label == first {
				more := min(spare, room(filled[i].text)-1)
				filled[i].lines, spare = 1+more, spare-more
			}
		}
	}
	p.marked(fit(head, p.o.Width-2, headLines), word, red)
	for _, r := range filled {
		for i, line := range fit(r.text, width, r.lines) {
			name := ""
			if i == 0 {
				name = r.label
			}
			p.raw("  " + pad(name, margin-2) + line)
		}
	}
	if len(e.follows) > 0 {
		p.raw("  " + p.following(e.follows, p.o.Width-2))
	}
}

// following names in one line what follows from a cause, as many as fit.
func (p *printer) following(list []verdict.Verdict, width int) string {
	all := names(list)
	verb := " more follow from it: "
	if len(list) == 1 {
		verb = " more follows from it: "
	}
	lead := strconv.Itoa(len(list)) + verb
	for n := len(all); n > 0; n-- {
		line := lead + strings.Join(all[:n], ", ")
		if n < len(all) {
			line += ", " + ellipsis
		}
		if utf8.RuneCountInString(line) <= width {
			return line
		}
	}
	return cut(lead+all[0], width)
}

// lesser writes what doesn't change the outcome: warnings, known failures, and
// what was not looked at.
func (p *printer) lesser(r Results) {
	p.warnings(r)
	if known := merge(kind(r, verdict.KnownFailing)); len(known) > 0 {
		p.blank()
		// They are the same with any package: one line says that they are there, and the
		// report why.
		text := plural(len(kind(r, verdict.KnownFailing)), "known failure") + " of this qm or xinetd, with any package: " + strings.Join(ids(known), ", ")
		if p.o.ResultsDir != "" {
			text += "; why is in the report"
		}
		p.marked(fit("KNOWN "+text, p.o.Width-2, 2), "KNOWN", yellow)
	}
	if absent := kind(r, verdict.NotApplicable); len(absent) > 0 {
		p.blank()
		p.text("Not applicable: " + strings.Join(reasons(absent), "; "))
	}
}

// warnings writes those with a cause of their own, and counts the others by what
// they follow from.
func (p *printer) warnings(r Results) {
	var own, following []verdict.Verdict
	for _, v := range pick(r.Verdicts, func(v verdict.Verdict) bool { return v.Warning(p.o.Strict) }) {
		if v.BecauseOf == "" || v.BecauseOf == v.ID {
			own = append(own, v)
		} else {
			following = append(following, v)
		}
	}
	if len(own)+len(following) > 0 {
		p.blank()
	}
	for _, e := range merge(own) {
		p.marked([]string{cut("WARN "+e.title(), p.o.Width)}, "WARN", yellow)
		second := oneLine(e.Hint, p.o.Width)
		if e.Actual != "" {
			second = oneLine(e.Actual, p.o.Width) + "; " + second
		}
		if second = strings.Trim(second, "; "); second != "" {
			p.raw(cut("  "+second, p.o.Width))
		}
	}
	if len(following) > 0 {
		var from []string
		for _, v := range following {
			if !slices.Contains(from, v.BecauseOf) {
				from = append(from, v.BecauseOf)
			}
		}
		verb := " follow from "
		if len(following) == 1 {
			verb = " follows from "
		}
		p.marked(fit("WARN "+plural(len(following), "warning")+verb+series(from)+": "+strings.Join(ids(merge(following)), ", "), p.o.Width-2, 2), "WARN", yellow)
	}
}

// ids are those of entries, each once.
func ids(list []entry) []string {
	var out []string
	for _, e := range list {
		if !slices.Contains(out, e.ID) {
			out = append(out, e.ID)
		}
	}
	return out
}

func (p *printer) foot(r Results) {
	p.blank()
	line := strings.ToUpper(tally(r.Counts)[:1]) + tally(r.Counts)[1:] + "; " + took(r.DurationMS)
	if p.o.ResultsDir != "" {
		line += "; report " + p.path(HTMLFile)
	}
	p.text(line)
}

func (p *printer) path(name string) string {
	if name == "" {
		return ""
	}
	return filepath.Join(p.o.ResultsDir, name)
}

func pad(s string, n int) string {
	return s + strings.Repeat(" ", max(n-utf8.RuneCountInString(s), 0))
}
