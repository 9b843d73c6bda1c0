package matrix

import (
	"bytes"
	_ "embed"
	"html/template"
	"path/filepath"
	"slices"

	"qmconformance/harness/fault"
	"qmconformance/harness/verdict"
)

//go:embed faults.html.tmpl
var pageText string

var pageTemplate = template.Must(template.New("faults").Parse(pageText))

// page is what the template shows.
type page struct {
	*results
	Headline string
	// Sorted are the entries, what is wrong first.
	Sorted []entry
	// Columns are the faults, in the order of the cells.
	Columns []entry
	Grid    []line
}

type line struct {
	row
	Cells []cell
}

// cell is one letter: L leads, B red beside, K a known failure, a dot not testable.
// Where the requirement was not judged, or does not apply, it is grey: empty would say
// green.
type cell struct{ Letter, Class, Title string }

func (r *results) writePage(dir string) error {
	p := page{results: r, Headline: r.headline(), Sorted: slices.Clone(r.Faults)}
	slices.SortStableFunc(p.Sorted, func(a, b entry) int {
		return slices.Index(fault.States, a.State) - slices.Index(fault.States, b.State)
	})
	for _, e := range r.Faults {
		if e.Kind == fault.Mistake && e.State != fault.Skipped {
			p.Columns = append(p.Columns, e)
		}
	}
	// In the order of what leads them, so that the leads are a diagonal.
	slices.SortStableFunc(p.Columns, func(a, b entry) int { return r.place(a) - r.place(b) })
	for _, w := range r.Requirements {
		l := line{row: w}
		for _, e := range p.Columns {
			l.Cells = append(l.Cells, cellOf(w, e))
		}
		p.Grid = append(p.Grid, l)
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return err
	}
	return replace(filepath.Join(dir, pageFile), b.Bytes())
}

// place is that of the first requirement that leads a fault.
func (r *results) place(e entry) int {
	return slices.IndexFunc(r.Requirements, func(w row) bool { _, leads := e.Leads[w.ID]; return leads })
}

func cellOf(w row, e entry) cell {
	id := w.ID
	_, leads := e.Leads[id]
	c := cell{Title: id + ", " + e.Name}
	switch e.Judged(id) {
	case "", verdict.NotApplicable:
		c.Class = "out"
	case verdict.KnownFailing:
		c = cell{"K", "untested", c.Title + ": a known failure"}
	}
	for _, red := range e.Reds {
		if red.ID != id {
			continue
		}
		switch {
		case leads:
			return cell{"L", "lead", c.Title + ": leads"}
		case red.Verdict == verdict.NotTestable && c.Class != "beside":
			c = cell{"·", "untested", c.Title + ": could not be judged"}
		case red.Verdict != verdict.NotTestable:
			c = cell{"B", "beside", c.Title + ": red beside it"}
		}
	}
	if leads {
		return cell{"!", "missed", c.Title + ": should lead and is not red"}
	}
	return c
}
