package verdict

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"qmconformance/harness/requirement"
)

// Circumstance is what an entry of the known-failing list may depend on.
type Circumstance struct {
	QMKind    string `json:"qm_kind"` // scarletdme or standin
	QMVersion string `json:"qm_version"`
	Xinetd    string `json:"xinetd"` // version, as `xinetd -version` gives it
	// Conditions are named facts of the subject, such as "unit-ends-sessions", or of a
	// service of it, such as "log-to-file/qmclient".
	Conditions map[string]bool `json:"conditions"`
}

// OfService is the name of a condition that is one of a service.
func OfService(condition string, s requirement.Service) string {
	return condition + "/" + string(s)
}

// holds says whether a condition holds for a service, or for the whole subject.
func (c Circumstance) holds(condition string, s requirement.Service) bool {
	return c.Conditions[condition] || c.Conditions[OfService(condition, s)]
}

// KnownFailure is a requirement that a named program is known not to keep, by
// no fault of the package.
type KnownFailure struct {
	ID       string                `yaml:"id"`
	Services []requirement.Service `yaml:"services"`
	QM       string                `yaml:"qm"`         // kind, empty for any
	Version  string                `yaml:"qm-version"` // regular expression, empty for any
	Xinetd   string                `yaml:"xinetd"`     // regular expression on the version, empty for any
	When     string                `yaml:"when"`       // a condition's name, empty for always
	Symptom  string                `yaml:"symptom"`    // the rule's word for what it looks like, empty for any
	// Intermittent says that the defect shows by chance. Such an entry is stale
	// only where the requirement is tried so often that luck is excluded: Tries
	// times at a chance of Rate or more, with (1-Rate)^Tries below one in a million.
	Intermittent bool    `yaml:"intermittent"`
	Rate         float64 `yaml:"rate"`
	Tries        int     `yaml:"tries"`
	Reason       string  `yaml:"reason"`
	Link         string  `yaml:"link"`
}

// KnownFailures is the whole list.
type KnownFailures []KnownFailure

// ReadKnown reads every *.yaml of a folder. Entries without a reason or a link,
// or for a requirement that doesn't exist, are errors of ours.
func ReadKnown(fsys fs.FS, catalogue *requirement.Catalogue) (KnownFailures, error) {
	names, err := fs.Glob(fsys, "*.yaml")
	if err != nil {
		return nil, err
	}
	var all KnownFailures
	var faults []error
	for _, name := range names {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("read known failures: %w", err)
		}
		var list KnownFailures
		dec := yaml.NewDecoder(bytes.NewReader(text))
		dec.KnownFields(true)
		// A file of comments alone is a list without entries.
		if err := dec.Decode(&list); err != nil && !errors.Is(err, io.EOF) {
			faults = append(faults, fmt.Errorf("%s: %w", path.Base(name), err))
			continue
		}
		for _, k := range list {
			faults = append(faults, k.check(catalogue)...)
		}
		all = append(all, list...)
	}
	return all, errors.Join(faults...)
}

func (k KnownFailure) check(catalogue *requirement.Catalogue) []error {
	var faults []error
	bad := func(text string) { faults = append(faults, fmt.Errorf("known failure %s: %s", k.ID, text)) }
	r, ok := catalogue.Get(k.ID)
	if !ok {
		bad("there is no such requirement")
	}
	for _, s := range k.Services {
		if ok && !r.For(s) {
			bad("the requirement is not judged for " + string(s))
		}
	}
	if len(k.Services) == 0 {
		bad("names no service")
	}
	if strings.TrimSpace(k.Reason) == "" || strings.TrimSpace(k.Link) == "" {
		bad("needs a reason and a link")
	}
	if k.QM == "" && k.Xinetd == "" {
		bad("names neither a qm nor a version of xinetd, so it would excuse every subject")
	}
	for _, expr := range []string{k.Version, k.Xinetd} {
		if _, err := regexp.Compile(expr); err != nil {
			bad(err.Error())
		}
	}
	if k.Intermittent && !k.certain() && k.Tries != 0 {
		bad("tries and rate leave luck a chance above one in a million")
	}
	return faults
}

// certain reports whether the tries exclude luck.
func (k KnownFailure) certain() bool {
	const luck = 1e-6
	miss := 1.0
	for range k.Tries {
		miss *= 1 - k.Rate
	}
	return k.Tries > 0 && miss < luck
}

// Find returns the entry that covers a requirement for a service under the
// circumstances.
func (l KnownFailures) Find(id string, s requirement.Service, c Circumstance) (KnownFailure, bool) {
	for _, k := range l {
		if k.ID != id || !containsService(k.Services, s) {
			continue
		}
		if k.QM != "" && k.QM != c.QMKind {
			continue
		}
		if k.When != "" && !c.holds(k.When, s) {
			continue
		}
		if !matches(k.Version, c.QMVersion) || !matches(k.Xinetd, c.Xinetd) {
			continue
		}
		return k, true
	}
	return KnownFailure{}, false
}

func containsService(list []requirement.Service, s requirement.Service) bool {
	for _, one := range list {
		if one == s {
			return true
		}
	}
	return false
}

func matches(expr, text string) bool {
	if expr == "" {
		return true
	}
	re, err := regexp.Compile(expr)
	return err == nil && re.MatchString(text)
}

// Excuse applies an entry of the list to a finding: a violation with the entry's
// symptom becomes known-failing, and a pass becomes an error of ours, since the entry is stale,
// unless the defect shows by chance and was not tried often enough to tell.
func (k KnownFailure) Excuse(f Finding) Finding {
	switch f.Kind {
	case Fail:
		if k.Symptom != "" && k.Symptom != f.Symptom {
			return f
		}
		f.Kind = KnownFailing
		f.Hint = strings.Join(strings.Fields(k.Reason), " ") + " (" + k.Link + ")"
	case Pass:
		if k.Intermittent && !k.certain() {
			return f
		}
		f.Kind = Error
		f.Hint = "The known-failing entry is stale: remove it from fixtures/known-failing, or narrow its condition."
		f.Actual = "kept, although it is listed as known-failing: " + f.Actual
	}
	return f
}
