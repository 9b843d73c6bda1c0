// Package fault holds the harness to account: packages with one known mistake
// each, which must be found and blamed on the right requirement, and packages
// that say the same as the reference in other words, which must stay green. It
// reads them, composes them from the reference package, and compares the
// results of a run with what was to come of it. It runs nothing itself.
package fault

import (
	"slices"

	"qmconformance/harness/requirement"
	"qmconformance/harness/settings"
)

// Kind tells the two sorts of packages apart.
type Kind string

// A Mistake must be found; a Variant must be found conformant.
const (
	Mistake Kind = "fault"
	Variant Kind = "variant"
)

// Fault is a package that is made from the reference package, and what is to
// come of judging it. A variant has no leads.
type Fault struct {
	Name string `yaml:"-"`
	Kind Kind   `yaml:"-"`
	// Dir is where its overlay is.
	Dir string `yaml:"-"`

	// Mistake tells the mistake, how it comes about and what its users see; of a
	// variant, what it says otherwise.
	Mistake string `yaml:"mistake"`
	// Leads are the requirements that must lead the report, with the services that
	// they are red for.
	Leads map[string][]requirement.Service `yaml:"leads"`
	// Beside are requirements that may be violated beside them. What cannot be
	// judged because of a lead need not be listed.
	Beside []string `yaml:"beside"`
	// Areas are further ones that it concerns, beside those of what it names.
	Areas []string `yaml:"areas"`
	// QM, Base and Arch restrict it to one kind of qm, one Debian release, and one
	// architecture, as Go names it.
	QM   Only `yaml:"qm"`
	Base Only `yaml:"base"`
	Arch Only `yaml:"arch"`
	// PortCheckPasses says that somebody who only tries whether the ports are open
	// finds nothing wrong.
	PortCheckPasses bool `yaml:"port_check_passes"`
	// Profile is the one that finds it; empty for quick.
	Profile settings.Profile `yaml:"profile"`

	Recipe `yaml:",inline"`
}

// Only restricts a fault, with the reason.
type Only struct {
	Only string `yaml:"only"` // empty for no restriction
	Why  string `yaml:"why"`
}

// Ground is what packages are judged on: the kind of qm, the base, the architecture.
type Ground struct{ QM, Base, Arch string }

// Recipe is how a package is made from the reference package, in this order;
// the folder overlay/ beside the file, if there is one, is laid over before
// After is appended.
type Recipe struct {
	Edit   []Edit   `yaml:"edit"`
	Remove []string `yaml:"remove"`
	// After is shell text that is appended to setup.sh.
	After string `yaml:"after"`
	// Start is the text of a start.sh.
	Start string `yaml:"start"`
}

// Edit replaces text in a file of the reference package. File may be a pattern;
// From must then be found in each file, and in each just once. A blank in From
// stands for any run of blanks and tabs.
type Edit struct {
	File string `yaml:"file"`
	From string `yaml:"from"`
	To   string `yaml:"to"`
}

// Excluded tells why the fault is not for a ground; empty where it is.
func (f Fault) Excluded(on Ground) string {
	for _, r := range []struct {
		rule Only
		is   string
	}{{f.QM, on.QM}, {f.Base, on.Base}, {f.Arch, on.Arch}} {
		if r.rule.Only != "" && r.rule.Only != r.is {
			return r.rule.Why
		}
	}
	return ""
}

// leads reports whether a requirement is to lead for a service.
func (f Fault) leads(id string, s requirement.Service) bool { return slices.Contains(f.Leads[id], s) }

// Unkilled are the requirements of level MUST that no fault leads with: nothing
// shows that they can fail at all.
func Unkilled(c *requirement.Catalogue, list []Fault) []string {
	led := map[string]bool{}
	for _, f := range list {
		for id := range f.Leads {
			led[id] = true
		}
	}
	var ids []string
	for _, r := range c.All() {
		if r.Level == requirement.Must && !led[r.ID] {
			ids = append(ids, r.ID)
		}
	}
	return ids
}
