package evidence

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
)

// escaped is how a string stands in JSON.
func escaped(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always can be
	}
	return string(text[1 : len(text)-1]) // without its quotes
}

// inBase64 is how a string stands in a []byte, which is base64 in JSON, at each of
// the three places that it may have in a group: those characters that it decides
// alone. One too short to decide any is left out.
func inBase64(s string) []string {
	var forms []string
	for before := range 3 {
		text := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("\x00", before) + s))
		from := (before*8 + 5) / 6
		to := (before + len(s)) * 8 / 6
		if to > from {
			forms = append(forms, text[from:to])
		}
	}
	return forms
}

// FuzzEachString: what is not replaced stays as it was, byte for byte, and of JSON
// every string is seen and nothing else.
func FuzzEachString(f *testing.F) {
	f.Add(`{"a": ["b\"c", "", "\\", "<", 1, null], "é": {"x": "\\\""}}`)
	f.Add(`"never closed\`)
	f.Fuzz(func(t *testing.T, text string) {
		var seen []string
		same := eachString(text, func(literal string) string {
			seen = append(seen, literal)
			return literal
		})
		if same != text {
			t.Fatalf("%q became %q", text, same)
		}
		if !json.Valid([]byte(text)) {
			return
		}
		for _, literal := range seen {
			var s string
			if err := json.Unmarshal([]byte(literal), &s); err != nil {
				t.Errorf("%s is no string of JSON: %v", literal, err)
			}
		}
		if left := eachString(text, func(string) string { return "0" }); strings.Contains(left, `"`) {
			t.Errorf("a string is left in %s", left)
		}
	})
}
