package report

import (
	"slices"
	"strings"

	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

// page is what the template shows.
type page struct {
	Word, Headline string
	Outcome        verdict.Outcome
	Message        string
	Subject        []fact
	Facts          []fact
	Tally          string
	Bar            []segment
	Took           string
	Again          string
	Causes         []pageCause
	Areas          []pageArea
	Services       []requirement.Service
	Levels         []requirement.Level
	Legend         []cell
	Attachments    []Attachment
}

// segment is a part of the bar that shows the counts.
type segment struct {
	cell
	N int
}

type pageCause struct {
	ID, Services, Sentence, Expected, Actual, Hint, Label, Class string
	// Target is the first of the findings that the cause stands for.
	Target  string
	Excerpt *excerpt
	Follows []link
	Count   int
}

// link leads to a part of the page; Text names it.
type link struct{ Target, Text string }

type pageArea struct {
	Name, Tally string
	Rows        []pageRow
}

// pageRow is a requirement with a cell for the host and for each service.
type pageRow struct {
	ID, Number, Area, Sentence, Source, Why string
	Level                                   requirement.Level
	Cells                                   []cell
	Findings                                []finding
	Open                                    bool
}

// cell is a verdict as a letter, so that colour is never needed to read it.
type cell struct {
	Letter, Class, Word string
	Service             requirement.Service
	// Target is the finding that the cell leads to.
	Target string
}

type finding struct {
	cell
	Expected, Actual, Hint, BecauseOf, Folder string
	Again, Took                               string
	Proof                                     proof
}

var columns = []requirement.Service{requirement.Host, requirement.QMServer, requirement.QMClient}

func cellOf(v verdict.Verdict, strict bool) cell {
	c := cell{Service: v.Service, Target: target(v)}
	set := func(letter, class, word string) cell {
		c.Letter, c.Class, c.Word = letter, class, word
		return c
	}
	if v.Warning(strict) {
		return set("W", "warn", "warning")
	}
	switch v.Kind {
	case verdict.Pass:
		return set("P", "pass", "pass")
	case verdict.Fail:
		return set("F", "fail", "fail")
	case verdict.NotTestable:
		return set("T", "untested", "not testable")
	case verdict.Error:
		return set("E", "error", "harness error")
	case verdict.KnownFailing:
		return set("K", "known", "known failing")
	}
	return set("–", "absent", "not applicable")
}

// target is the anchor of a finding: what a link from elsewhere is made of.
func target(v verdict.Verdict) string { return v.ID + "-" + string(v.Service) }

// Order of the bar and the legend: what needs attention first.
var classes = []string{"fail", "error", "untested", "warn", "known", "absent", "pass"}

func newPage(r Results, x Extra, l limits) page {
	p := page{Outcome: r.Outcome, Tally: tally(r.Counts), Took: took(r.DurationMS), Services: columns, Attachments: x.Attachments}
	text := headline(r, x.Strict)
	if !strings.Contains(text, r.Message) {
		p.Message = r.Message
	}
	p.Word, p.Headline = splitHeadline(text)
	for _, f := range facts(r) {
		switch f.Name {
		case "qm", "package", "base":
			p.Subject = append(p.Subject, f)
		default:
			p.Facts = append(p.Facts, f)
		}
	}
	proofs := newProofs(r.Verdicts, x, l)
	for _, e := range causes(r.Verdicts, x.Strict) {
		if p.Again == "" {
			p.Again = x.rerun(e.Verdict)
		}
		c := pageCause{
			ID: e.ID, Services: series(e.services), Sentence: oneLine(e.Sentence, l.text), Label: label(e.Verdict, x.Strict), Class: cellOf(e.Verdict, x.Strict).Class,
			Expected: shown(e.Expected, l.text), Actual: shown(e.Actual, l.text), Hint: oneLine(e.Hint, l.text),
			Target: target(e.Verdict), Count: len(e.follows),
			Excerpt: proofs.excerpt(x.Evidence[e.Evidence].Record.Where),
		}
		for _, v := range e.follows {
			c.Follows = append(c.Follows, link{target(v), v.ID + " " + string(v.Service)})
		}
		p.Causes = append(p.Causes, c)
	}
	for _, name := range areas(r.Verdicts) {
		list := pick(r.Verdicts, func(v verdict.Verdict) bool { return v.Area == name })
		area := pageArea{Name: name, Tally: tally(verdict.Count(list))}
		for _, one := range byID(list) {
			area.Rows = append(area.Rows, newRow(one, x, l, proofs))
		}
		p.Areas = append(p.Areas, area)
	}
	p.count(r, x.Strict)
	return p
}

// splitHeadline sets the outcome apart from what is said of it.
func splitHeadline(text string) (word, rest string) {
	at := strings.IndexFunc(text, func(r rune) bool { return r >= 'a' && r <= 'z' || r == ':' })
	if at < 0 {
		return text, ""
	}
	return strings.TrimSpace(text[:at]), strings.TrimPrefix(text[at:], ": ")
}

// count fills in the bar, the legend and the levels.
func (p *page) count(r Results, strict bool) {
	n := map[string]int{}
	word := map[string]cell{}
	for _, v := range r.Verdicts {
		c := cellOf(v, strict)
		n[c.Class]++
		word[c.Class] = c
		if !slices.Contains(p.Levels, v.Level) {
			p.Levels = append(p.Levels, v.Level)
		}
	}
	slices.Sort(p.Levels)
	for _, class := range classes {
		if n[class] > 0 {
			p.Bar = append(p.Bar, segment{word[class], n[class]})
			p.Legend = append(p.Legend, word[class])
		}
	}
}

// byID gathers the verdicts of each requirement, in the order of the IDs, so
// that a reader finds a requirement where the catalogue has it.
func byID(list []verdict.Verdict) [][]verdict.Verdict {
	groups := map[string][]verdict.Verdict{}
	var ids []string
	for _, v := range list {
		if groups[v.ID] == nil {
			ids = append(ids, v.ID)
		}
		groups[v.ID] = append(groups[v.ID], v)
	}
	slices.Sort(ids)
	var out [][]verdict.Verdict
	for _, id := range ids {
		slices.SortStableFunc(groups[id], func(a, b verdict.Verdict) int {
			return slices.Index(columns, a.Service) - slices.Index(columns, b.Service)
		})
		out = append(out, groups[id])
	}
	return out
}

func newRow(list []verdict.Verdict, x Extra, l limits, proofs *proofs) pageRow {
	first := list[0]
	row := pageRow{
		ID: first.ID, Number: first.ID[strings.LastIndexByte(first.ID, '-')+1:], Area: first.Area,
		Sentence: shown(first.Sentence, l.text), Source: shown(first.Source, l.text), Why: oneLine(x.why(first.ID), l.text),
		Level: first.Level, Cells: make([]cell, len(columns)),
	}
	for _, v := range list {
		c := cellOf(v, x.Strict)
		if at := slices.Index(columns, v.Service); at >= 0 {
			row.Cells[at] = c
		}
		f := finding{
			cell: c, BecauseOf: v.BecauseOf, Folder: v.Evidence, Took: took(v.DurationMS),
			Expected: shown(v.Expected, l.text), Actual: shown(v.Actual, l.text), Hint: shown(v.Hint, l.text),
		}
		if v.Red(x.Strict) {
			row.Open = row.Open || v.BecauseOf == ""
			f.Again = x.rerun(v)
		}
		if v.Evidence != "" {
			f.Proof = proofs.of(v)
		}
		row.Findings = append(row.Findings, f)
	}
	return row
}
