package report

import (
	"bytes"
	_ "embed"
	"html/template"
	"slices"
	"strings"

	"qmconformance/harness/evidence"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

//go:embed report.html.tmpl
var pageText string

var pageTemplate = template.Must(template.New("report").Funcs(template.FuncMap{"text": printable}).Parse(pageText))

// htmlLimit is the most that report.html may hold: more than this is slow to
// open on a phone and is refused by some mail systems and CI artifact viewers.
const htmlLimit = 2 << 20

// limits bound what is shown, in characters; the first that keep the page
// below htmlLimit are taken. The whole texts are in results.json and evidence/.
type limits struct{ text, file, all int }

var htmlLimits = []limits{{4000, 60_000, 1_200_000}, {1000, 10_000, 300_000}, {200, 0, 0}}

func renderHTML(r Results, x Extra) ([]byte, error) {
	var b bytes.Buffer
	for _, l := range htmlLimits {
		b.Reset()
		if err := pageTemplate.Execute(&b, newPage(r, x, l)); err != nil {
			return nil, err
		}
		if b.Len() < htmlLimit {
			break
		}
	}
	return b.Bytes(), nil
}

// page is what the template shows.
type page struct {
	Headline string
	Outcome  verdict.Outcome
	Message  string
	Facts    []fact
	Tally    string
	Took     string
	Again    string
	Legend   []cell
	Causes   []pageCause
	Areas    []pageArea
}

type pageCause struct {
	ID, Services, Sentence, Expected, Actual, Hint, Label, Class string
	Follows                                                      []link
	Count                                                        int
}

// link leads to a requirement; Text names it with its services.
type link struct{ ID, Text string }

type pageArea struct {
	Name, Tally string
	Rows        []pageRow
}

// pageRow is a requirement with a cell for the host and for each service.
type pageRow struct {
	ID, Sentence, Source string
	Level                requirement.Level
	Classes              string
	Cells                []cell
	Findings             []finding
	Open                 bool
}

// cell is a verdict as a letter, so that colour is never needed to read it.
type cell struct{ Letter, Class, Word string }

type finding struct {
	cell
	Service                                   requirement.Service
	Expected, Actual, Hint, BecauseOf, Folder string
	Again, Took                               string
	Files                                     []evidence.Text
	Dropped                                   int
}

var columns = []requirement.Service{requirement.Host, requirement.QMServer, requirement.QMClient}

func cellOf(v verdict.Verdict, strict bool) cell {
	if v.Warning(strict) {
		return cell{"W", "warn", "warning"}
	}
	switch v.Kind {
	case verdict.Pass:
		return cell{"P", "pass", "pass"}
	case verdict.Fail:
		return cell{"F", "fail", "fail"}
	case verdict.NotTestable:
		return cell{"T", "fail", "not testable"}
	case verdict.Error:
		return cell{"E", "error", "harness error"}
	case verdict.KnownFailing:
		return cell{"K", "known", "known failing"}
	}
	return cell{"–", "absent", "not applicable"}
}

func newPage(r Results, x Extra, l limits) page {
	p := page{
		Headline: headline(r, x.Strict), Outcome: r.Outcome, Facts: facts(r),
		Tally: tally(r.Counts), Took: took(r.DurationMS),
	}
	if !strings.Contains(p.Headline, r.Message) {
		p.Message = r.Message
	}
	for _, e := range causes(r.Verdicts, x.Strict) {
		if p.Again == "" {
			p.Again = x.rerun(e.Verdict)
		}
		c := pageCause{
			ID: e.ID, Services: series(e.services), Sentence: oneLine(e.Sentence, l.text), Label: label(e.Verdict, x.Strict), Class: cellOf(e.Verdict, x.Strict).Class,
			Expected: oneLine(e.Expected, l.text), Actual: oneLine(e.Actual, l.text), Hint: oneLine(e.Hint, l.text),
			Count: len(e.follows),
		}
		for _, n := range names(e.follows) {
			id, _, _ := strings.Cut(n, " ")
			c.Follows = append(c.Follows, link{id, n})
		}
		p.Causes = append(p.Causes, c)
	}
	left := l.all
	for _, name := range areas(r.Verdicts) {
		list := pick(r.Verdicts, func(v verdict.Verdict) bool { return v.Area == name })
		area := pageArea{Name: name, Tally: tally(verdict.Count(list))}
		for _, one := range byID(list) {
			area.Rows = append(area.Rows, newRow(one, x, l, &left))
		}
		p.Areas = append(p.Areas, area)
	}
	for _, v := range r.Verdicts {
		if c := cellOf(v, x.Strict); !slices.Contains(p.Legend, c) {
			p.Legend = append(p.Legend, c)
		}
	}
	return p
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

func newRow(list []verdict.Verdict, x Extra, l limits, left *int) pageRow {
	first := list[0]
	row := pageRow{
		ID: first.ID, Sentence: shown(first.Sentence, l.text), Source: shown(first.Source, l.text),
		Level: first.Level, Cells: make([]cell, len(columns)),
	}
	classes := map[string]bool{}
	for _, v := range list {
		c := cellOf(v, x.Strict)
		if at := slices.Index(columns, v.Service); at >= 0 {
			row.Cells[at] = c
		}
		if !classes[c.Class] {
			classes[c.Class] = true
			row.Classes += " has-" + c.Class
		}
		f := finding{
			cell: c, Service: v.Service, BecauseOf: v.BecauseOf, Folder: v.Evidence, Took: took(v.DurationMS),
			Expected: shown(v.Expected, l.text), Actual: shown(v.Actual, l.text), Hint: shown(v.Hint, l.text),
		}
		if v.Red(x.Strict) {
			row.Open = row.Open || v.BecauseOf == ""
			f.Again = x.rerun(v)
			f.Files, f.Dropped = inline(x.Evidence[v.Evidence], l, left)
		}
		row.Findings = append(row.Findings, f)
	}
	return row
}

// inline takes evidence files into the page while there is room, and counts
// those that are left out.
func inline(files []evidence.Text, l limits, left *int) (kept []evidence.Text, dropped int) {
	for _, f := range files {
		text := shown(f.Text, min(l.file, *left))
		if len(f.Text) > 0 && len(text) <= len(ellipsis) && len(f.Text) > len(text) {
			dropped++
			continue
		}
		*left -= len(template.HTMLEscapeString(text))
		kept = append(kept, evidence.Text{Name: printable(f.Name), Text: text})
	}
	return kept, dropped
}
