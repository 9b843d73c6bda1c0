package fault

import (
	"os"
	"path/filepath"
	"testing"

	"qmconformance/harness/requirement"
)

// FuzzDescription: what is accepted as a fault has a mistake, a leading MUST, and
// changes something, inside the package only.
func FuzzDescription(f *testing.F) {
	f.Add("mistake: m\nleads: {STDIO-01: [qmclient]}\nremove: [etc/services]\n")
	f.Add("mistake: m\nleads: {STDIO-01: []}\nremove: [../..]\n")
	f.Add("mistake: m\nleads: {NONE-01: [qmclient]}\nedit: [{file: /etc/passwd, from: x}]\n")
	f.Add("{}")
	c, err := requirement.Load()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "fault.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		one, err := read(dir, "fault.yaml")
		if err != nil {
			return
		}
		one.Kind = Mistake
		if len(one.check(c)) > 0 {
			return
		}
		if one.Mistake == "" || len(one.Leads) == 0 {
			t.Fatalf("%+v was accepted", one)
		}
		for id := range one.Leads {
			if r, ok := c.Get(id); !ok || r.Level != requirement.Must {
				t.Fatalf("%s leads", id)
			}
		}
		for _, name := range one.Remove {
			if !filepath.IsLocal(name) {
				t.Fatalf("%s is removed", name)
			}
		}
	})
}
