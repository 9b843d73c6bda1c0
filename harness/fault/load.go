package fault

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"qmconformance/harness/requirement"
	"qmconformance/harness/settings"
	"qmconformance/harness/subject"
)

// sources are the folders below fixtures/ and the file that each package of
// theirs is described in.
var sources = []struct {
	kind         Kind
	folder, file string
}{{Mistake, "faults", "fault.yaml"}, {Variant, "variants", "variant.yaml"}}

// overlayDir is the folder beside the description that is laid over.
const overlayDir = "overlay"

// Load reads every fault and variant below the directory fixtures, sorted by
// kind and name. All that is wrong with them is reported at once.
func Load(fixtures string, c *requirement.Catalogue) ([]Fault, error) {
	var list []Fault
	var wrong []error
	names := map[string]bool{}
	for _, s := range sources {
		entries, err := os.ReadDir(filepath.Join(fixtures, s.folder))
		if err != nil {
			return nil, fmt.Errorf("read the %ss: %w", s.kind, err)
		}
		for _, e := range entries {
			name := s.folder + "/" + e.Name()
			if !e.IsDir() {
				wrong = append(wrong, fmt.Errorf("%s is not a folder", name))
				continue
			}
			f, err := read(filepath.Join(fixtures, s.folder, e.Name()), s.file)
			if err != nil {
				wrong = append(wrong, fmt.Errorf("%s: %w", name, err))
				continue
			}
			f.Kind = s.kind
			for _, err := range f.check(c) {
				wrong = append(wrong, fmt.Errorf("%s: %w", name, err))
			}
			if names[f.Name] {
				wrong = append(wrong, fmt.Errorf("%s: there is a fault and a variant of this name", name))
			}
			names[f.Name] = true
			list = append(list, f)
		}
	}
	return list, errors.Join(wrong...)
}

func read(dir, file string) (Fault, error) {
	f := Fault{Name: filepath.Base(dir), Dir: dir}
	text, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		return f, err
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&f); err != nil {
		return f, fmt.Errorf("%s: %w", file, err)
	}
	if f.Profile == "" {
		f.Profile = settings.Quick
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return f, err
	}
	for _, e := range entries {
		if e.Name() != file && e.Name() != overlayDir {
			return f, fmt.Errorf("%s is neither %s nor %s/", e.Name(), file, overlayDir)
		}
	}
	return f, nil
}

func (f Fault) check(c *requirement.Catalogue) []error {
	var wrong []error
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if strings.TrimSpace(f.Mistake) == "" {
		bad("tells no mistake")
	}
	switch f.Kind {
	case Mistake:
		if len(f.Leads) == 0 {
			bad("names no requirement that leads")
		}
	case Variant:
		if len(f.Leads) > 0 || len(f.Beside) > 0 {
			bad("a variant keeps every requirement, so that none leads")
		}
	}
	for id, services := range f.Leads {
		r, ok := c.Get(id)
		if !ok {
			bad("leads: there is no requirement %s", id)
			continue
		}
		if r.Level != requirement.Must {
			bad("leads: %s is no MUST, and changes no outcome", id)
		}
		if len(services) == 0 {
			bad("leads: %s is for no service", id)
		}
		for _, s := range services {
			if !r.For(s) {
				bad("leads: %s is not judged for %q", id, s)
			}
		}
	}
	for i, id := range f.Beside {
		if _, ok := c.Get(id); !ok {
			bad("beside: there is no requirement %s", id)
		}
		if slices.Contains(f.Beside[:i], id) {
			bad("beside: %s is named twice", id)
		}
	}
	for _, name := range f.Areas {
		if !slices.ContainsFunc(requirement.Areas, func(a requirement.Area) bool { return a.Name == name }) {
			bad("areas: there is no area %q", name)
		}
	}
	if f.Profile != settings.Quick && f.Profile != settings.Full {
		bad("profile %q is neither quick nor full", f.Profile)
	}
	for name, r := range map[string]struct {
		rule Only
		may  []string
	}{
		"qm":   {f.QM, []string{subject.KindScarletDME, subject.KindStandIn}},
		"base": {f.Base, settings.Releases},
		"arch": {f.Arch, []string{"amd64", "arm64"}},
	} {
		switch {
		case r.rule.Only == "":
		case !slices.Contains(r.may, r.rule.Only):
			bad("%s: %q is none of %s", name, r.rule.Only, strings.Join(r.may, ", "))
		case strings.TrimSpace(r.rule.Why) == "":
			bad("%s: only %s needs a reason", name, r.rule.Only)
		}
	}
	return append(wrong, f.checkRecipe()...)
}

func (f Fault) checkRecipe() []error {
	var wrong []error
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	_, err := os.Stat(filepath.Join(f.Dir, overlayDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		bad("%w", err)
	}
	if err != nil && len(f.Edit) == 0 && len(f.Remove) == 0 && f.After == "" && f.Start == "" {
		bad("changes nothing of the reference package")
	}
	for _, e := range f.Edit {
		if !filepath.IsLocal(e.File) {
			bad("edit: %q is no path inside the package", e.File)
		}
		if strings.TrimSpace(e.From) == "" {
			bad("edit of %s: from is empty", e.File)
		}
	}
	for _, name := range f.Remove {
		if !filepath.IsLocal(name) || name == "." {
			bad("remove: %q is no path inside the package", name)
		}
	}
	return wrong
}
