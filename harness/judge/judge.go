package judge

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"qmconformance/harness/evidence"
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
	finding := c.rule(spec, Case{r, k.Service}, t)
	if entry, listed := c.Known.Find(k.ID, k.Service, c.circumstance()); listed {
		finding = entry.Excuse(finding)
	}
	ruling := Ruling{
		Verdict: verdict.New(r, k.Service, finding, t.took+time.Since(began)),
		Bundle:  t.bundle, Facts: t.facts, Where: finding.Where,
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

// rule applies the rule; a rule that panics is an error of ours, not a violation.
func (c *Court) rule(spec Spec, judged Case, t taken) (f verdict.Finding) {
	if t.err != nil {
		return verdict.Broken("%v", t.err)
	}
	defer func() {
		if r := recover(); r != nil {
			f = verdict.Broken("rule of %s: panic: %v\n%s", spec.ID, r, debug.Stack())
		}
	}()
	return spec.Rule(judged, t.facts)
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
	line := fmt.Sprintf("%s %s %s: %s", v.Kind, v.ID, v.Service, v.Sentence)
	if v.BecauseOf != "" && v.BecauseOf != v.ID {
		line += " (because of " + v.BecauseOf + ")"
	}
	return line
}
