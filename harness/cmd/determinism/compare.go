package main

import (
	"fmt"
	"slices"
	"strings"

	"qmconformance/harness/verdict"
)

// difference is a requirement that the runs did not judge alike.
type difference struct {
	what string
	// runs are the names of the runs, by what they said.
	runs map[string][]string
}

func (d difference) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", d.what)
	for _, said := range sorted(d.runs) {
		fmt.Fprintf(&b, "  %s: %s\n", strings.Join(d.runs[said], ", "), said)
	}
	return b.String()
}

// compare sets what the runs said of each requirement and service side by side. A
// requirement that a run did not judge at all is a difference as well. Of those that
// are exempt it counts as the same whether a defect showed or not, and nothing else.
func compare(list []run, exempt map[string]bool) []difference {
	said := map[string]map[string][]string{}
	for _, r := range list {
		for _, v := range r.results.Verdicts {
			what := v.ID + " " + string(v.Service)
			if said[what] == nil {
				said[what] = map[string][]string{}
			}
		}
	}
	for _, r := range list {
		mine := map[string]string{}
		for _, v := range r.results.Verdicts {
			mine[v.ID+" "+string(v.Service)] = answer(v, exempt[v.ID])
		}
		for what := range said {
			text := mine[what]
			if text == "" {
				text = "not judged"
			}
			said[what][text] = append(said[what][text], r.name)
		}
	}
	var differences []difference
	for _, what := range sorted(said) {
		if len(said[what]) > 1 {
			differences = append(differences, difference{what, said[what]})
		}
	}
	return differences
}

func answer(v verdict.Verdict, exempt bool) string {
	if exempt && (v.Kind == verdict.Pass || v.Kind == verdict.KnownFailing) {
		return "as listed"
	}
	text := string(v.Kind)
	if v.BecauseOf != "" {
		text += " because of " + v.BecauseOf
	}
	return text
}

func sorted[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
