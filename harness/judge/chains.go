package judge

import (
	"slices"
	"time"

	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
)

// moment is what a look takes that says nothing of it, and boot what a target takes
// to come up, on a quiet machine with two cores. They order looks and bound nothing.
const (
	moment = 100 * time.Millisecond
	boot   = time.Second
)

func takes(p observe.Plan) time.Duration { return max(p.Takes, moment) }

// chains are, for each look, how long the longest chain of other looks takes that
// cannot begin before it has ended: those on which a requirement is judged that
// requires, itself or by way of others, one that is judged on it. A look on another
// stage counts for all of that stage, since the looks there take turns.
func (specs Specs) chains(c *requirement.Catalogue) map[string]time.Duration {
	dependents := map[string][]string{}
	for _, r := range c.All() {
		for _, before := range r.Requires {
			dependents[before] = append(dependents[before], r.ID)
		}
	}
	whole := map[observe.Stage]time.Duration{}
	var every []Key
	for _, r := range c.All() {
		for _, s := range r.Services {
			every = append(every, Key{r.ID, s})
		}
	}
	for _, p := range specs.expected(every) {
		whole[p.Stage] += takes(p)
	}
	// after is the chain behind a requirement; the catalogue has no circles.
	memo := map[string]time.Duration{}
	var after func(id string) time.Duration
	after = func(id string) time.Duration {
		if d, known := memo[id]; known {
			return d
		}
		var longest time.Duration
		for _, next := range dependents[id] {
			chain := after(next)
			switch p, q := specs[id].Plan, specs[next].Plan; {
			case p.Stage != q.Stage:
				chain += boot + whole[q.Stage]
			case p.Name != q.Name:
				chain += takes(q)
			}
			longest = max(longest, chain)
		}
		memo[id] = longest
		return longest
	}
	chains := map[string]time.Duration{}
	for _, r := range c.All() {
		name := specs[r.ID].Plan.Name
		chains[name] = max(chains[name], after(r.ID))
	}
	return chains
}

// expected are the looks that the keys are judged on, each as often as it is taken.
func (specs Specs) expected(keys []Key) []observe.Plan {
	var plans []observe.Plan
	var seen []lookKey
	for _, k := range keys {
		p := specs[k.ID].Plan
		if look := (lookKey{p.Name, p.For(k.Service)}); !slices.Contains(seen, look) {
			seen = append(seen, look)
			plans = append(plans, p)
		}
	}
	return plans
}
