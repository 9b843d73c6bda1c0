package observation

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzText: every byte of what a subject said is in the record, and JSON has it.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "plain", "caf\xe9", "a\xfeb\xfdc", "\U0010FFFE", "\xf4\x8f\xbf", "\U0010FF80\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		valid := toValid(s)
		if !utf8.ValidString(valid) {
			t.Fatalf("%q became %q, which is no text", s, valid)
		}
		if again := fromValid(valid); again != s {
			t.Fatalf("%q came back as %q", s, again)
		}
	})
}

// FuzzLoad: a file that somebody sent in is a record or a mistake that is told in one
// line, and what was taken for a record says what was judged.
func FuzzLoad(f *testing.F) {
	text, err := json.Marshal(recorded(f, full()))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"format":1}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "observation.json")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := Load(path)
		switch {
		case err != nil && strings.Contains(err.Error(), "\n"):
			t.Fatalf("more than one line: %v", err)
		case err == nil && (r.Look == "" || r.Verdict.ID == ""):
			t.Fatalf("%q was taken for a record", text)
		}
		if err == nil {
			_, _ = r.Read(new(facts)) // facts that are none are an error, and no panic
		}
	})
}
