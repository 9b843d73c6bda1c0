package fault

import (
	"path/filepath"
	"strings"
	"testing"

	"qmconformance/harness/requirement"
)

const fixtures = "../../fixtures"

func catalogue(t *testing.T) *requirement.Catalogue {
	t.Helper()
	c, err := requirement.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestLoadTellsEveryMistakeOfTheData(t *testing.T) {
	const good = "mistake: m\nleads: {SERV-17: [qmserver]}\nafter: x\n"
	for name, c := range map[string]struct{ file, says string }{
		"good":              {good, ""},
		"no mistake":        {"leads: {SERV-17: [qmserver]}\nafter: x\n", "tells no mistake"},
		"no lead":           {"mistake: m\nafter: x\n", "names no requirement"},
		"unknown lead":      {"mistake: m\nleads: {SERV-98: [host]}\nafter: x\n", "no requirement SERV-98"},
		"not for a service": {"mistake: m\nleads: {SERV-17: [host]}\nafter: x\n", "not judged for"},
		"for no service":    {"mistake: m\nleads: {SERV-17: []}\nafter: x\n", "is for no service"},
		"a should leads":    {"mistake: m\nleads: {SERV-07: [qmserver]}\nafter: x\n", "is no MUST"},
		"unknown beside":    {good + "beside: [SERV-98]\n", "no requirement SERV-98"},
		"twice beside":      {good + "beside: [SERV-09, SERV-09]\n", "named twice"},
		"unknown field":     {good + "besides: []\n", "besides"},
		"area":              {good + "areas: [service]\n", "no area"},
		"profile":           {good + "profile: slow\n", "neither quick nor full"},
		"qm":                {good + "qm: {only: unidata, why: w}\n", "none of scarletdme"},
		"base":              {good + "base: {only: potato, why: w}\n", "none of bookworm"},
		"arch":              {good + "arch: {only: vax, why: w}\n", "none of amd64"},
		"qm without reason": {good + "qm: {only: standin}\n", "needs a reason"},
		"no change":         {"mistake: m\nleads: {SERV-17: [qmserver]}\n", "changes nothing"},
		"outside":           {good + "remove: [../x]\n", "inside the package"},
		"edit of nothing":   {good + "edit: [{file: a, from: ' ', to: b}]\n", "from is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, map[string]string{"faults/one/fault.yaml": c.file, "variants/v/variant.yaml": "mistake: m\nafter: x\n"})
			_, err := Load(dir, catalogue(t))
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want %q in it", err, c.says)
			}
		})
	}
}

func TestLoadTellsAllAtOnce(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"faults/one/fault.yaml":     "after: x\n",
		"faults/two/readme":         "",
		"faults/loose":              "",
		"variants/one/variant.yaml": "mistake: m\nleads: {SERV-17: [qmserver]}\nafter: x\n",
	})
	_, err := Load(dir, catalogue(t))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"faults/one: tells no mistake", "faults/one: names no", "faults/two", "loose is not a folder", "none leads", "a fault and a variant"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in:\n%v", want, err)
		}
	}
}

// Integrity of what is kept: everything composes from the reference package as it
// is, and there are as many as promised.
func TestFixtures(t *testing.T) {
	list, err := Load(fixtures, catalogue(t))
	if err != nil {
		t.Fatal(err)
	}
	count := map[Kind]int{}
	open := 0
	for _, f := range list {
		count[f.Kind]++
		if f.Kind == Mistake && f.PortCheckPasses {
			open++
		}
		if err := Compose(filepath.Join(fixtures, "reference"), f, filepath.Join(t.TempDir(), "package")); err != nil {
			t.Error(err)
		}
	}
	if count[Mistake] < 60 || count[Variant] < 20 {
		t.Errorf("%d faults and %d variants, and there are to be 60 and 20 at least", count[Mistake], count[Variant])
	}
	if 2*open <= count[Mistake] {
		t.Errorf("%d of %d faults leave the ports open, and it should be more than half", open, count[Mistake])
	}
}

func TestEveryMustHasAFault(t *testing.T) {
	list, err := Load(fixtures, catalogue(t))
	if err != nil {
		t.Fatal(err)
	}
	if ids := Unkilled(catalogue(t), list); len(ids) > 0 {
		t.Errorf("no fault leads with %s: nothing shows that it can fail", strings.Join(ids, ", "))
	}
}
