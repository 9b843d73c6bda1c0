package requirement

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed catalogue/*.yaml
var files embed.FS

// Area is a part of the catalogue, with the prefix of its IDs.
type Area struct{ Name, Prefix string }

// Areas in the order of the report.
var Areas = []Area{
	{"services", "SERV"},
	{"stdio", "STDIO"},
	{"identity", "IDENT"},
	{"reuse", "REUSE"},
	{"access", "ACCESS"},
	{"logging", "LOG"},
	{"lifecycle", "LIFE"},
	{"hostile", "HOSTILE"},
}

// Version is the version of the catalogue. What is added after a release stays
// a SHOULD until the next, so that a package does not turn red by our news alone.
const Version = "1"

// Catalogue is every requirement in the order of the report: by area, then ID.
type Catalogue struct {
	all  []Requirement
	byID map[string]int
}

// Load reads the catalogue that is built in. An error means that the data is
// broken, which the tests of this package rule out.
func Load() (*Catalogue, error) {
	sub, err := fs.Sub(files, "catalogue")
	if err != nil {
		return nil, err
	}
	return Read(sub)
}

// Read reads a catalogue: one file for each area, named after it. All faults of
// the data are reported at once.
func Read(fsys fs.FS) (*Catalogue, error) {
	c := &Catalogue{byID: map[string]int{}}
	var faults []error
	known := map[string]bool{}
	for _, area := range Areas {
		name := area.Name + ".yaml"
		known[name] = true
		text, err := fs.ReadFile(fsys, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read catalogue: %w", err)
		}
		var list []Requirement
		dec := yaml.NewDecoder(bytes.NewReader(text))
		dec.KnownFields(true)
		if err := dec.Decode(&list); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
			continue
		}
		for _, r := range list {
			r.Area = area.Name
			faults = append(faults, check(r, area.Prefix)...)
			if _, twice := c.byID[r.ID]; twice {
				faults = append(faults, fmt.Errorf("%s: the ID is given twice", r.ID))
			}
			c.byID[r.ID] = len(c.all)
			c.all = append(c.all, r)
		}
	}
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("read catalogue: %w", err)
	}
	for _, e := range entries {
		if path.Ext(e.Name()) == ".yaml" && !known[e.Name()] {
			faults = append(faults, fmt.Errorf("%s is not named after an area", e.Name()))
		}
	}
	faults = append(faults, c.checkLinks()...)
	return c, errors.Join(faults...)
}

var idForm = regexp.MustCompile(`^[A-Z]+-\d{2}$`)

func check(r Requirement, prefix string) []error {
	var faults []error
	bad := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf(r.ID+": "+format, args...))
	}
	if !idForm.MatchString(r.ID) || !strings.HasPrefix(r.ID, prefix+"-") {
		bad("an ID of this area is %s- and two digits", prefix)
	}
	if r.Level != Must && r.Level != Should {
		bad("level %q is neither MUST nor SHOULD", r.Level)
	}
	if len(r.Services) == 0 {
		bad("is judged for no service")
	}
	for _, s := range r.Services {
		if s != QMServer && s != QMClient && s != Host {
			bad("unknown service %q", s)
		}
	}
	for field, text := range map[string]string{"sentence": r.Sentence, "why": r.Why, "source": r.Source, "hint": r.Hint} {
		if strings.TrimSpace(text) == "" {
			bad("has no %s", field)
		}
	}
	// The sentence is part of the spec's text, and users choose specs by a
	// service's name: a sentence that names one would be chosen for the other.
	if strings.Contains(r.Sentence, string(QMServer)) || strings.Contains(r.Sentence, string(QMClient)) {
		bad("the sentence names a service")
	}
	for _, n := range r.Needs {
		if !slices.Contains(Capabilities, n) {
			bad("needs unknown capability %q", n)
		}
	}
	return faults
}

// checkLinks follows requires and follows: they must lead to known IDs, be
// answerable for the same services, and have no cycle, else a verdict would
// wait for itself.
func (c *Catalogue) checkLinks() []error {
	var faults []error
	for _, r := range c.all {
		for _, id := range slices.Concat(r.Requires, r.Follows) {
			other, ok := c.Get(id)
			if !ok {
				faults = append(faults, fmt.Errorf("%s: names unknown requirement %s", r.ID, id))
				continue
			}
			for _, s := range r.Services {
				if len(other.Counterparts(s)) == 0 {
					faults = append(faults, fmt.Errorf("%s: %s is judged neither for %s nor for the host", r.ID, id, s))
				}
			}
		}
	}
	const (
		open = 1
		done = 2
	)
	state := map[string]int{}
	var visit func(id string)
	visit = func(id string) {
		state[id] = open
		r, _ := c.Get(id)
		for _, next := range slices.Concat(r.Requires, r.Follows) {
			switch state[next] {
			case open:
				faults = append(faults, fmt.Errorf("%s: requires or follows itself through %s", next, id))
			case done:
			default:
				visit(next)
			}
		}
		state[id] = done
	}
	for _, r := range c.all {
		if state[r.ID] == 0 {
			visit(r.ID)
		}
	}
	return faults
}

// WaitsFor says whether the verdict of one requirement, by its preconditions and
// causes and theirs in turn, waits for that of another.
func (c *Catalogue) WaitsFor(id, other string) bool {
	seen := map[string]bool{}
	var reaches func(id string) bool
	reaches = func(id string) bool {
		if id == other {
			return true
		}
		if seen[id] {
			return false
		}
		seen[id] = true
		r, _ := c.Get(id)
		return slices.ContainsFunc(slices.Concat(r.Requires, r.Follows), reaches)
	}
	return reaches(id)
}

// All is every requirement in the order of the report.
func (c *Catalogue) All() []Requirement { return slices.Clone(c.all) }

// Get finds a requirement by its ID.
func (c *Catalogue) Get(id string) (Requirement, bool) {
	i, ok := c.byID[id]
	if !ok {
		return Requirement{}, false
	}
	return c.all[i], true
}

// Rank is the place of a requirement in the report; unknown IDs come last.
func (c *Catalogue) Rank(id string) int {
	if i, ok := c.byID[id]; ok {
		return i
	}
	return len(c.all)
}
