// Package judge brings requirements, looks and rules together: it takes each
// look once, judges every requirement that rests on it, follows causes, and
// keeps evidence. It is where observations become verdicts; nothing flows back.
package judge

import (
	"fmt"
	"maps"
	"slices"

	"github.com/onsi/ginkgo/v2"

	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

// Case is what a rule may know beside the facts.
type Case struct {
	Requirement requirement.Requirement
	Service     requirement.Service
}

// Spec ties a requirement to the look that it is judged on, and the rule.
type Spec struct {
	ID   string
	Plan observe.Plan
	Rule func(c Case, facts any) verdict.Finding
}

// Specs are specs by the ID of their requirement.
type Specs map[string]Spec

// specs are those that the suites registered.
var specs = Specs{}

// Registered are the specs of all suites that this program holds.
func Registered() Specs { return maps.Clone(specs) }

// Catalogue is the built-in one; that it is sound is tested, so that a fault in
// it here is the fault of whoever built this program without running the tests.
var Catalogue = mustLoad()

func mustLoad() *requirement.Catalogue {
	c, err := requirement.Load()
	if err != nil {
		panic(err)
	}
	return c
}

// Section is a chapter of an area: its requirements are judged for like reasons.
// Its title must not name a service, since users choose specs by that. The body
// calls On for each requirement.
func Section(area, title string, body func()) bool {
	// The body runs here and not in Ginkgo's container, which is built once for
	// each preview and run: what is defined must be known before, and once.
	section = nil
	body()
	chapter := section
	return ginkgo.Describe(title, ginkgo.Label(area), func() {
		for _, id := range chapter {
			specify(id)
		}
	})
}

// section collects the IDs of the section whose body is running.
var section []string

// On ties a requirement to the look that it is judged on and to its rule. It
// panics when the ID has a spec already: two rules for one sentence are an error
// of ours.
func On[T any](id string, look *observe.Look[T], rule func(c Case, facts T) verdict.Finding) {
	if _, twice := specs[id]; twice {
		panic(fmt.Sprintf("%s has two specs", id))
	}
	section = append(section, id)
	specs[id] = Spec{ID: id, Plan: look.Plan(), Rule: func(c Case, facts any) verdict.Finding {
		typed, ok := facts.(T)
		if !ok {
			return verdict.Broken("the observation is a %T", facts)
		}
		return rule(c, typed)
	}}
}

// specify makes the specs of a requirement, one for each service that the
// catalogue names; its sentence is their text.
func specify(id string) {
	r, _ := Catalogue.Get(id)
	for _, service := range r.Services {
		labels := ginkgo.Label(string(r.Level), string(service), id)
		if r.Slow {
			labels = append(labels, requirement.SlowLabel)
		}
		ginkgo.It(SpecText(r, service), labels, func(ctx ginkgo.SpecContext) {
			report(current.Ruling(ctx, Key{id, service}))
		})
	}
}

// SpecText is the text of a spec: what a focus is matched against.
func SpecText(r requirement.Requirement, s requirement.Service) string {
	return fmt.Sprintf("%s %s: %s", r.ID, s, r.Sentence)
}

// Integrity compares the catalogue with the registered specs: an ID without a
// spec, and a spec without a known ID, are errors of ours.
func Integrity(c *requirement.Catalogue) []error { return specs.integrity(c) }

func (specs Specs) integrity(c *requirement.Catalogue) []error {
	var faults []error
	for _, r := range c.All() {
		spec, ok := specs[r.ID]
		switch {
		case !ok:
			faults = append(faults, fmt.Errorf("%s has no spec", r.ID))
		case spec.Plan.Each && r.For(requirement.Host):
			faults = append(faults, fmt.Errorf("%s is judged for the host by a look at each service", r.ID))
		}
	}
	faults = append(faults, specs.circles(c)...)
	for id := range specs {
		if _, ok := c.Get(id); !ok {
			faults = append(faults, fmt.Errorf("spec %s is for no known requirement", id))
		}
	}
	return faults
}

// circles are looks that would wait for themselves: one that another goes before while
// what is judged on that other waits for a requirement that is judged on it.
func (specs Specs) circles(c *requirement.Catalogue) (faults []error) {
	for _, behind := range c.All() {
		plan := specs[behind.ID].Plan
		for _, first := range c.All() {
			if goesBefore(specs[first.ID].Plan, plan) && c.WaitsFor(first.ID, behind.ID) {
				faults = append(faults, fmt.Errorf("look %s is behind %s, where %s waits for %s", plan.Name, specs[first.ID].Plan.Name, first.ID, behind.ID))
			}
		}
	}
	return faults
}

func goesBefore(first, p observe.Plan) bool {
	if p.Last && p.Stage == first.Stage && !first.Last {
		return true
	}
	return slices.ContainsFunc(p.Behind, func(other observe.Plan) bool { return other.Name == first.Name })
}
