package judge

import (
	"fmt"
	"slices"

	"qmconformance/harness/observation"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

// Again judges recorded facts by the rules and lists of this program. An error
// means that this program cannot: it knows no such requirement, judges it by
// another look, or by other facts of that look.
//
// One finding is judged, and not a whole subject: what it follows from is not
// sought again, but kept from the record while the verdict stays red.
func (specs Specs) Again(c *requirement.Catalogue, known verdict.KnownFailures, rec observation.Observation) (verdict.Verdict, error) {
	old := rec.Verdict
	r, there := c.Get(old.ID)
	spec, defined := specs[old.ID]
	switch {
	case !there || !defined:
		return verdict.Verdict{}, fmt.Errorf("this program has no requirement %s", old.ID)
	case !r.For(old.Service):
		return verdict.Verdict{}, fmt.Errorf("this program does not judge %s for %q", old.ID, old.Service)
	case rec.Look != spec.Plan.Name:
		return verdict.Verdict{}, fmt.Errorf("this program judges %s by the look %q, and %q was recorded", old.ID, spec.Plan.Name, rec.Look)
	}
	finding := verdict.Broken("%s", rec.Unobserved)
	if rec.Unobserved == "" {
		facts, err := rec.Read(spec.Plan.Blank())
		if err != nil {
			return verdict.Verdict{}, err
		}
		finding = spec.conclude(Case{r, old.Service}, facts, known, rec.Circumstance)
	}
	v := verdict.New(r, old.Service, finding, 0)
	v.Evidence, v.DurationMS = old.Evidence, old.DurationMS
	red := []verdict.Kind{verdict.Fail, verdict.NotTestable}
	if v.BecauseOf == "" && slices.Contains(red, v.Kind) {
		v.BecauseOf = old.BecauseOf
	}
	return v, nil
}
