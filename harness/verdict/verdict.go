// Package verdict turns what a rule found into a verdict, verdicts into the
// outcome of a run, and says in which order a reader meets them.
package verdict

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"qmconformance/harness/requirement"
)

// Kind is one of the six verdicts of a requirement for a service.
type Kind string

// The six verdicts. NotTestable and Error are red: a precondition failed, or
// the harness itself broke; neither may pass for a green run.
const (
	Pass          Kind = "pass"
	Fail          Kind = "fail"
	KnownFailing  Kind = "known-failing"
	NotApplicable Kind = "not-applicable"
	NotTestable   Kind = "not-testable"
	Error         Kind = "error"
)

// Kinds lists the verdicts in the order of the report's counts.
var Kinds = []Kind{Pass, Fail, KnownFailing, NotApplicable, NotTestable, Error}

// Finding is what a rule says of an observation. It is a plain value, so that
// a rule can be tested, and a recorded run judged again, without a target.
type Finding struct {
	Kind     Kind
	Expected string
	Actual   string
	// BecauseOf is set by a rule that knows the cause; else it is found along the
	// catalogue's follows.
	BecauseOf string
	// Hint, where it is not empty, replaces the catalogue's: it names the very
	// file, line or attribute.
	Hint string
	// Where is the line that the hint is about, of a rule that knows it.
	Where Place
	// Symptom tells, of a violation that may have several, what it looks like: a known
	// failure that names a symptom excuses no other.
	Symptom string
}

// Kept is the finding of a requirement that holds; actual says what was seen.
func Kept(expected, actual string) Finding {
	return Finding{Kind: Pass, Expected: expected, Actual: actual}
}

// Violated is the finding of a requirement that does not hold.
func Violated(expected, actual, hint string) Finding {
	return Finding{Kind: Fail, Expected: expected, Actual: actual, Hint: hint}
}

// Broken is the finding of a harness that could not tell.
func Broken(format string, args ...any) Finding {
	return Finding{Kind: Error, Actual: fmt.Sprintf(format, args...)}
}

// Unmet is the finding of a requirement that cannot be judged since something
// that it builds on is missing in the subject.
func Unmet(format string, args ...any) Finding {
	return Finding{Kind: NotTestable, Actual: fmt.Sprintf(format, args...)}
}

// Absent is the finding where the target, or the subject as it was chosen,
// lacks what the requirement is about.
func Absent(format string, args ...any) Finding {
	return Finding{Kind: NotApplicable, Actual: fmt.Sprintf(format, args...)}
}

// That is the finding of a comparison: kept when holds, else violated.
func That(holds bool, expected, actual, hint string) Finding {
	if holds {
		return Kept(expected, actual)
	}
	return Violated(expected, actual, hint)
}

// First returns the first finding that is not a pass, else the last one. Rules
// with several clauses list them in the order in which they explain each other.
func First(findings ...Finding) Finding {
	for _, f := range findings {
		if f.Kind != Pass {
			return f
		}
	}
	if len(findings) == 0 {
		return Broken("a rule without clauses")
	}
	return findings[len(findings)-1]
}

// Verdict is one line of results.json. Every field is always there.
type Verdict struct {
	ID         string              `json:"id"`
	Area       string              `json:"area"`
	Level      requirement.Level   `json:"level"`
	Service    requirement.Service `json:"service"`
	Kind       Kind                `json:"verdict"`
	BecauseOf  string              `json:"because_of"`
	Sentence   string              `json:"sentence"`
	Expected   string              `json:"expected"`
	Actual     string              `json:"actual"`
	Hint       string              `json:"hint"`
	Source     string              `json:"source"`
	Evidence   string              `json:"evidence"`
	DurationMS int64               `json:"duration_ms"`
}

// New fills in the catalogue's part of a verdict.
func New(r requirement.Requirement, s requirement.Service, f Finding, took time.Duration) Verdict {
	v := Verdict{
		ID: r.ID, Area: r.Area, Level: r.Level, Service: s, Kind: f.Kind,
		Sentence: oneLine(r.Sentence), Expected: f.Expected, Actual: f.Actual, Source: oneLine(r.Source),
		BecauseOf: f.BecauseOf, DurationMS: took.Milliseconds(),
	}
	if f.Kind != Pass && f.Kind != NotApplicable {
		v.Hint = f.Hint
		// The catalogue's hint is advice on the subject, which an error of the
		// harness's own says nothing about.
		if v.Hint == "" && f.Kind != Error {
			v.Hint = oneLine(r.Hint)
		}
	}
	return v
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// Red reports whether the verdict changes the outcome: a MUST (or, when strict,
// a SHOULD) that failed or could not be tested, and every error.
func (v Verdict) Red(strict bool) bool {
	switch v.Kind {
	case Error:
		return true
	case Fail, NotTestable:
		return v.Level == requirement.Must || strict
	}
	return false
}

// Warning reports whether the verdict is a SHOULD that is not kept and does not
// change the outcome.
func (v Verdict) Warning(strict bool) bool {
	return (v.Kind == Fail || v.Kind == NotTestable) && !v.Red(strict)
}

// Sort puts red verdicts first, each cause before what follows from it, then
// warnings, then the rest by area and ID. rank is the catalogue's order.
func Sort(list []Verdict, rank func(id string) int, strict bool) {
	red := map[string]bool{}
	for _, v := range list {
		if v.Red(strict) {
			red[v.ID] = true
		}
	}
	class := func(v Verdict) int {
		switch {
		case v.Red(strict) && v.BecauseOf != v.ID && red[v.BecauseOf]:
			return 2 // it follows from another; an error may, too
		case v.Red(strict) && v.Kind == Error:
			return 1
		case v.Red(strict):
			return 0
		case v.Warning(strict):
			return 3
		}
		return 4
	}
	slices.SortStableFunc(list, func(a, b Verdict) int {
		if d := cmp.Compare(class(a), class(b)); d != 0 {
			return d
		}
		// What follows stands in the order of its causes.
		if class(a) == 2 {
			if d := cmp.Compare(rank(a.BecauseOf), rank(b.BecauseOf)); d != 0 {
				return d
			}
		}
		if d := cmp.Compare(rank(a.ID), rank(b.ID)); d != 0 {
			return d
		}
		return cmp.Compare(serviceRank(a.Service), serviceRank(b.Service))
	})
}

func serviceRank(s requirement.Service) int {
	return slices.Index([]requirement.Service{requirement.Host, requirement.QMServer, requirement.QMClient}, s)
}

// FromJSON reads a verdict as results.json holds it.
func FromJSON(text string) (Verdict, bool) {
	var v Verdict
	err := json.Unmarshal([]byte(text), &v)
	return v, err == nil && v.ID != ""
}
