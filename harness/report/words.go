package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"qmconformance/harness/requirement"
	"qmconformance/harness/subject"
	"qmconformance/harness/verdict"
)

// headline is the outcome in words, with which qm it was reached: nobody may
// take the stand-in's results for ScarletDME's.
func headline(r Results, strict bool) string {
	red := pick(r.Verdicts, func(v verdict.Verdict) bool { return v.Red(strict) })
	on := ""
	if r.Subject.QM.Kind != "" {
		on = " with " + program(r.Subject.QM)
	}
	switch r.Outcome {
	case verdict.Conformant:
		text := "CONFORMANT" + on + ": every " + counted(strict) + " that was judged is kept"
		if n := len(kind(r, verdict.KnownFailing)); n > 0 {
			text += ", but for " + plural(n, "known failure")
		}
		if n := len(pick(r.Verdicts, func(v verdict.Verdict) bool { return v.Warning(strict) })); n > 0 {
			text += "; " + plural(n, "warning")
		}
		return text
	case verdict.Violations:
		return fmt.Sprintf("VIOLATIONS%s: of %s %s; %s",
			on, plural(len(r.Verdicts), "verdict"), lost(red), plural(len(causes(r.Verdicts, strict)), "cause"))
	case verdict.UsageError:
		return "USAGE ERROR: " + r.Message
	}
	text := "HARNESS ERROR" + on + ": "
	switch {
	case len(red) > 0:
		return text + "the harness could not judge " + plural(len(red), "requirement") + "; no violation was found"
	case r.Message != "":
		return text + r.Message
	}
	return text + "the run was cut short"
}

// lost counts the red verdicts by kind.
func lost(red []verdict.Verdict) string {
	count := verdict.Count(red)
	var parts []string
	for _, part := range []struct {
		kind verdict.Kind
		text string
	}{
		{verdict.Fail, "not kept"},
		{verdict.NotTestable, "not testable"},
		{verdict.Error, "not judged (harness error)"},
	} {
		if count[part.kind] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[part.kind], part.text))
		}
	}
	return strings.Join(parts, ", ")
}

func counted(strict bool) string {
	if strict {
		return "MUST and SHOULD"
	}
	return "MUST"
}

// program names the qm.
func program(q QM) string {
	name := map[string]string{
		subject.KindScarletDME: "the real ScarletDME",
		subject.KindStandIn:    "the stand-in qm (not ScarletDME)",
	}[q.Kind]
	if name == "" {
		name = "qm of kind " + flatten(q.Kind)
	}
	if q.Version != "" {
		name += " " + flatten(q.Version)
	}
	return name
}

// fact is one line about what was judged.
type fact struct{ Name, Value string }

// facts are what is known of the subject and the run, in the order of interest.
func facts(r Results) []fact {
	qm := ""
	if r.Subject.QM.Kind != "" {
		qm = program(r.Subject.QM)
		if r.Subject.QM.Source != "" {
			qm += ", " + flatten(r.Subject.QM.Source)
		}
	}
	var known []fact
	for _, f := range []fact{
		{"qm", qm},
		{"package", r.Subject.Package},
		{"base", r.Subject.Base},
		{"xinetd", r.Subject.Xinetd},
		{"kernel", r.Subject.Kernel},
		{"profile", r.Profile},
		{"catalogue", r.Catalogue},
		{"started", r.Started},
	} {
		if f.Value = flatten(f.Value); f.Value != "" {
			known = append(known, f)
		}
	}
	return known
}

// tally is the counts in words, of those that are not zero.
func tally(c verdict.Counts) string {
	var parts []string
	for _, k := range verdict.Kinds {
		if c[k] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c[k], k))
		}
	}
	if parts == nil {
		return "nothing was judged"
	}
	return strings.Join(parts, ", ")
}

// took is a duration as a person says it.
func took(ms int64) string {
	d := time.Duration(ms) * time.Millisecond
	if d >= time.Minute {
		return d.Round(time.Second).String()
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// label is the word in front of an entry.
func label(v verdict.Verdict, strict bool) string {
	if v.Warning(strict) {
		return "WARN"
	}
	return map[verdict.Kind]string{
		verdict.Pass: "PASS", verdict.Fail: "FAIL", verdict.KnownFailing: "KNOWN",
		verdict.NotApplicable: "N/A", verdict.NotTestable: "NOT TESTABLE", verdict.Error: "ERROR",
	}[v.Kind]
}

// At most so many reasons are listed, each of so many characters.
const (
	mostReasons  = 5
	reasonLength = 80
)

// reasons counts the verdicts by what they say, the most frequent first, as
// many as a reader takes in.
func reasons(list []verdict.Verdict) []string {
	count := map[string]int{}
	var order []string
	for _, v := range list {
		text := oneLine(v.Actual, reasonLength)
		if text == "" {
			text = "no reason given"
		}
		if count[text] == 0 {
			order = append(order, text)
		}
		count[text]++
	}
	slices.SortStableFunc(order, func(a, b string) int { return count[b] - count[a] })
	for i, text := range order {
		order[i] = fmt.Sprintf("%d × %s", count[text], text)
	}
	if len(order) > mostReasons {
		order = append(order[:mostReasons], ellipsis)
	}
	return order
}

// areas are those that the verdicts belong to, in the catalogue's order.
func areas(list []verdict.Verdict) []string {
	var out []string
	for _, a := range requirement.Areas {
		if slices.ContainsFunc(list, func(v verdict.Verdict) bool { return v.Area == a.Name }) {
			out = append(out, a.Name)
		}
	}
	for _, v := range list {
		if !slices.Contains(out, v.Area) {
			out = append(out, v.Area)
		}
	}
	return out
}
