package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

// current is the court that the specs of this process ask.
var current *Court

// Use sets the court that the specs ask. strict makes a failing SHOULD fail its
// spec.
func Use(c *Court, strictly bool) { current, strict = c, strictly }

var strict bool

// entryName is the name under which a spec's report carries its verdict. Ginkgo
// brings report entries of all its processes to the first one, which writes the
// results.
const entryName = "verdict"

// report says a ruling in Ginkgo's words: red fails the spec, what could not be
// judged here skips it.
func report(r Ruling) {
	if r.Cut {
		ginkgo.Fail("not judged: the run was interrupted", 1)
	}
	r.Evidence = current.kept(r)
	ginkgo.AddReportEntry(entryName, r.Verdict, ginkgo.ReportEntryVisibilityNever)
	switch {
	case r.Red(strict):
		ginkgo.Fail(text(r.Verdict), 1)
	case r.Kind == verdict.NotApplicable, r.Kind == verdict.KnownFailing:
		ginkgo.Skip(fmt.Sprintf("%s: %s %s", r.Kind, r.Actual, r.Hint), 1)
	case r.Warning(strict):
		ginkgo.AddReportEntry("warning", text(r.Verdict))
	}
}

// kept is where the evidence of a ruling is. Of several processes each has rulings of
// its own on everything, and that of the one whose spec it is counts.
func (c *Court) kept(r Ruling) string {
	if c == nil || c.KeepOwn == nil {
		return r.Evidence
	}
	return c.KeepOwn(r)
}

func text(v verdict.Verdict) string {
	lines := []string{fmt.Sprintf("%s %s %s", v.ID, v.Service, v.Kind), v.Sentence}
	for _, l := range []struct{ name, value string }{
		{"expected", v.Expected}, {"actual", v.Actual}, {"because of", v.BecauseOf}, {"hint", v.Hint}, {"source", v.Source},
	} {
		if l.value != "" {
			lines = append(lines, fmt.Sprintf("  %-10s %s", l.name, l.value))
		}
	}
	return strings.Join(lines, "\n")
}

// Verdicts are those that the specs of a report reached. selected counts the
// specs that were to run: fewer verdicts mean that the run was cut short.
func Verdicts(r types.Report) (list []verdict.Verdict, selected int) {
	for _, spec := range r.SpecReports {
		if spec.LeafNodeType != types.NodeTypeIt {
			continue
		}
		found := false
		for _, e := range spec.ReportEntries {
			if v, ok := fromEntry(e); ok {
				list = append(list, v)
				found = true
			}
		}
		// A spec that a filter left out is skipped before it ran; one that was cut
		// off has another state, or none.
		if found || spec.State != types.SpecStateSkipped {
			selected++
		}
	}
	return list, selected
}

func fromEntry(e types.ReportEntry) (verdict.Verdict, bool) {
	if e.Name != entryName {
		return verdict.Verdict{}, false
	}
	if v, ok := e.GetRawValue().(verdict.Verdict); ok {
		return v, true
	}
	// It came from another process as JSON.
	return verdict.FromJSON(e.Value.AsJSON)
}

// Selected are the keys of the specs that a run with this configuration would
// judge, in the catalogue's order.
func Selected(preview types.Report) []Key {
	chosen := map[string]bool{}
	for _, spec := range preview.SpecReports {
		if spec.LeafNodeType == types.NodeTypeIt && spec.State != types.SpecStateSkipped && spec.State != types.SpecStatePending {
			chosen[spec.LeafNodeText] = true
		}
	}
	var keys []Key
	for _, r := range Catalogue.All() {
		for _, s := range r.Services {
			if chosen[SpecText(r, s)] {
				keys = append(keys, Key{r.ID, s})
			}
		}
	}
	return keys
}

// StagesOf are the stages that the keys need, those of their preconditions and
// of what may explain them included, about in the order in which they are wanted:
// what a requirement rests on is judged before it.
func StagesOf(keys []Key) []observe.Stage { return specs.stages(Catalogue, keys) }

func (specs Specs) stages(c *requirement.Catalogue, keys []Key) (need []observe.Stage) {
	for _, id := range specs.closure(c, keys) {
		if stage := specs[id].Plan.Stage; !slices.Contains(need, stage) {
			need = append(need, stage)
		}
	}
	return need
}

// closure are the requirements of the keys, and those that may be judged for their
// sake, each behind those that it rests on.
func (specs Specs) closure(c *requirement.Catalogue, keys []Key) (ids []string) {
	seen := map[string]bool{}
	var visit func(id string)
	visit = func(id string) {
		if seen[id] {
			return
		}
		seen[id] = true
		r, _ := c.Get(id)
		for _, next := range slices.Concat(r.Requires, r.Follows) {
			visit(next)
		}
		if _, ok := specs[id]; ok {
			ids = append(ids, id)
		}
	}
	for _, k := range keys {
		visit(k.ID)
	}
	return ids
}
