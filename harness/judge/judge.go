package judge

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"qmconformance/harness/evidence"
	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

// judge reaches the verdict: capabilities, preconditions, the look, the rule,
// the known-failing list, the cause.
func (c *Court) judge(ctx context.Context, k Key) Ruling {
	r, ok := c.Catalogue.Get(k.ID)
	spec, defined := c.specs()[k.ID]
	if !ok || !defined {
		return Ruling{Verdict: verdict.New(r, k.Service, verdict.Broken("%s has no requirement or no spec", k.ID), 0), Bundle: &evidence.Bundle{}}
	}
	for _, need := range r.Needs {
		if !c.Stages.Has(need) {
			return c.without(r, k.Service, verdict.Absent("this target cannot %s", need), "")
		}
	}
	if cause, broken := c.precondition(ctx, r, k.Service); cause != "" {
		f := verdict.Unmet("not looked at, since %s is not kept", cause)
		if broken {
			f = verdict.Broken("not looked at, since %s could not be judged", cause)
		}
		return c.without(r, k.Service, f, cause)
	}
	t := c.take(ctx, spec.Plan, k.Service)
	began := time.Now()
	at := c.circumstance()
	finding := verdict.Broken("%v", t.err)
	if lacking := (*observe.Cannot)(nil); errors.As(t.err, &lacking) {
		return c.without(r, k.Service, verdict.Absent("%v", lacking), "")
	}
	if t.err == nil {
		finding = spec.conclude(Case{r, k.Service}, t.facts, c.Known, at)
	}
	ruling := Ruling{
		Verdict: verdict.New(r, k.Service, finding, t.took+time.Since(began)),
		Bundle:  t.bundle, Look: spec.Plan.Name, Facts: t.facts, Circumstance: at, Where: finding.Where,
	}
	if t.err != nil {
		ruling.Unobserved = t.err.Error()
	}
	red := finding.Kind == verdict.Fail || finding.Kind == verdict.NotTestable
	if red && ruling.BecauseOf == "" {
		ruling.BecauseOf = c.cause(ctx, r, k.Service)
	}
	return ruling
}

func (c *Court) specs() Specs {
	if c.Specs != nil {
		return c.Specs
	}
	return specs
}

func (c *Court) without(r requirement.Requirement, s requirement.Service, f verdict.Finding, cause string) Ruling {
	v := verdict.New(r, s, f, 0)
	v.BecauseOf = cause
	return Ruling{Verdict: v, Bundle: &evidence.Bundle{}}
}

func (c *Court) circumstance() verdict.Circumstance {
	if c.Circumstance == nil {
		return verdict.Circumstance{}
	}
	return c.Circumstance()
}

// conclude is what a spec makes of facts: its rule, and the known-failing list. A
// rule that panics is an error of ours, not a violation.
func (s Spec) conclude(judged Case, facts any, known verdict.KnownFailures, at verdict.Circumstance) (f verdict.Finding) {
	f = s.apply(judged, facts)
	if entry, listed := known.Find(s.ID, judged.Service, at); listed {
		f = entry.Excuse(f)
	}
	return f
}

func (s Spec) apply(judged Case, facts any) (f verdict.Finding) {
	defer func() {
		if r := recover(); r != nil {
			f = verdict.Broken("rule of %s: panic: %v\n%s", s.ID, r, debug.Stack())
		}
	}()
	return s.Rule(judged, facts)
}

// precondition is the ID that keeps a requirement from being judged, itself or
// what it in turn follows from; broken when that was the harness's own doing.
func (c *Court) precondition(ctx context.Context, r requirement.Requirement, s requirement.Service) (cause string, broken bool) {
	for _, id := range r.Requires {
		other, _ := c.Catalogue.Get(id)
		for _, service := range other.Counterparts(s) {
			v := c.Ruling(ctx, Key{id, service})
			switch v.Kind {
			case verdict.Fail, verdict.NotTestable:
				return root(v), false
			case verdict.Error:
				return root(v), true
			}
		}
	}
	return "", false
}

// cause is the first of the IDs that a requirement follows that is red, or what
// that one follows from in turn. One that is red because of r itself explains
// nothing: a service that is not offered keeps its attributes from being judged.
func (c *Court) cause(ctx context.Context, r requirement.Requirement, s requirement.Service) string {
	for _, id := range r.Follows {
		other, _ := c.Catalogue.Get(id)
		for _, service := range other.Counterparts(s) {
			v := c.Ruling(ctx, Key{id, service})
			red := v.Kind == verdict.Fail || v.Kind == verdict.NotTestable
			if red && root(v) != r.ID {
				return root(v)
			}
		}
	}
	return ""
}

func root(v Ruling) string {
	if v.BecauseOf != "" {
		return v.BecauseOf
	}
	return v.ID
}

// Explain is one line on a ruling for a terminal: what is red and why.
func Explain(v verdict.Verdict) string {
	what := v.Sentence
	if v.Hint != "" && v.Kind == verdict.Fail {
		what = v.Hint // what to change, in the package's own terms
	}
	line := fmt.Sprintf("%s %s %s: %s", v.Kind, v.ID, v.Service, what)
	if v.BecauseOf != "" && v.BecauseOf != v.ID {
		line += " (because of " + v.BecauseOf + ")"
	}
	return line
}
