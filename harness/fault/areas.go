package fault

import (
	"maps"
	"slices"
	"strings"

	"qmconformance/harness/requirement"
	"qmconformance/harness/settings"
)

// everyFault are the areas that every package is judged in: they cost two targets
// and need no other host, and most mistakes show there beside wherever else.
var everyFault = []string{"services", "stdio", "identity"}

// Judged are the areas that the mistake concerns, in the order of the report:
// those that every package is judged in, those of the requirements that it names,
// and those that it names itself. What a lead builds on is judged whatever its
// area, and a lead that is red because of something else does not pass.
func (f Fault) Judged(c *requirement.Catalogue) []string {
	in := map[string]bool{}
	for _, a := range slices.Concat(everyFault, f.Areas) {
		in[a] = true
	}
	for _, id := range slices.Concat(slices.Collect(maps.Keys(f.Leads)), f.Beside) {
		r, _ := c.Get(id)
		in[r.Area] = true
	}
	var list []string
	for _, a := range requirement.Areas {
		if in[a.Name] {
			list = append(list, a.Name)
		}
	}
	return list
}

// Labels is the label filter of a run that is to find the mistake: the areas that it
// concerns and, of the requirements that take long, those that it names. A variant is
// judged by all of them: what it must not turn red it cannot name.
func (f Fault) Labels(c *requirement.Catalogue) string {
	areas := strings.Join(f.Judged(c), " || ")
	if f.Profile != settings.Full || len(f.Leads) == 0 {
		return areas
	}
	wanted := []string{"!" + requirement.SlowLabel}
	for _, r := range c.All() {
		if _, leads := f.Leads[r.ID]; r.Slow && (leads || slices.Contains(f.Beside, r.ID)) {
			wanted = append(wanted, r.ID)
		}
	}
	return "(" + areas + ") && (" + strings.Join(wanted, " || ") + ")"
}
