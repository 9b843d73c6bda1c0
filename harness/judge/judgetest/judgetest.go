// Package judgetest tests rules: a rule is a function of facts, so that a table
// of facts shows what it makes of each, without a target.
package judgetest

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"qmconformance/harness/evidence"
	"qmconformance/harness/judge"
	"qmconformance/harness/observation"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

// Case is facts and what a rule must find in them. The texts are parts that the
// finding's must hold; an empty one asks for nothing.
type Case struct {
	Name string
	// Service is the one that is judged; the first of the requirement's where it is
	// empty.
	Service requirement.Service
	Facts   any
	Kind    verdict.Kind

	Expected, Actual, Hint string
	// NoHint asks for none of the rule's own, so that the catalogue's is shown.
	NoHint    bool
	BecauseOf string
}

// Table is the cases of each requirement of an area.
type Table map[string][]Case

// Run judges every case by the rule that is registered for its ID. A requirement
// of the area without cases, or without a kept and a violated one, fails the test:
// a rule that can say only one thing is no rule.
func Run(t *testing.T, area string, tables ...Table) {
	t.Helper()
	all := Table{}
	for _, table := range tables {
		for id, cases := range table {
			all[id] = append(all[id], cases...)
		}
	}
	specs := judge.Registered()
	for _, r := range judge.Catalogue.All() {
		if _, registered := specs[r.ID]; !registered || r.Area != area {
			continue
		}
		for _, kind := range []verdict.Kind{verdict.Pass, verdict.Fail} {
			if !slices.ContainsFunc(all[r.ID], func(c Case) bool { return c.Kind == kind }) {
				t.Errorf("%s has no case that is a %s", r.ID, kind)
			}
		}
	}
	for id, cases := range all {
		spec, registered := specs[id]
		r, known := judge.Catalogue.Get(id)
		if !registered || !known {
			t.Errorf("%s has cases, but no rule or no requirement", id)
			continue
		}
		for _, c := range cases {
			t.Run(id+"/"+c.Name, func(t *testing.T) {
				if c.Service == "" {
					c.Service = r.Services[0]
				}
				finding := spec.Rule(judge.Case{Requirement: r, Service: c.Service}, c.Facts)
				c.check(t, finding)
				again(t, spec, verdict.New(r, c.Service, finding, 0), c.Facts)
			})
		}
	}
}

// again records the facts, and judges the record: it must say the same, or what
// was found on one machine could not be understood on another.
func again(t *testing.T, spec judge.Spec, old verdict.Verdict, facts any) {
	t.Helper()
	rec := observation.Observation{Look: spec.Plan.Name, Verdict: old}
	if err := rec.Keep(facts); err != nil {
		t.Error(err)
		return
	}
	dir := t.TempDir()
	if err := evidence.Write(dir, "f", &evidence.Bundle{}, rec, ""); err != nil {
		t.Error(err)
		return
	}
	read, err := observation.Load(filepath.Join(dir, "f", evidence.Observation))
	if err != nil {
		t.Error(err)
		return
	}
	v, err := judge.Registered().Again(judge.Catalogue, nil, read)
	if err != nil {
		t.Error(err)
		return
	}
	if v != old {
		t.Errorf("judged again it is\n%+v, and was\n%+v", v, old)
	}
}

func (c Case) check(t *testing.T, f verdict.Finding) {
	t.Helper()
	if f.Kind != c.Kind {
		t.Errorf("%s, want %s: expected %q, actual %q", f.Kind, c.Kind, f.Expected, f.Actual)
	}
	for _, part := range []struct{ name, got, want string }{
		{"expected", f.Expected, c.Expected}, {"actual", f.Actual, c.Actual}, {"hint", f.Hint, c.Hint},
	} {
		if !strings.Contains(part.got, part.want) {
			t.Errorf("%s is %q, and lacks %q", part.name, part.got, part.want)
		}
	}
	// What a person reads must be there: an empty line explains nothing.
	if strings.TrimSpace(f.Actual) == "" {
		t.Error("nothing is said of what was seen")
	}
	if (f.Kind == verdict.Pass || f.Kind == verdict.Fail) && strings.TrimSpace(f.Expected) == "" {
		t.Error("nothing is said of what was expected")
	}
	if c.NoHint && f.Hint != "" {
		t.Errorf("the hint is %q, want none", f.Hint)
	}
	if f.BecauseOf != c.BecauseOf {
		t.Errorf("because of %q, want %q", f.BecauseOf, c.BecauseOf)
	}
}
