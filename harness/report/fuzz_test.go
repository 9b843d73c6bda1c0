package report

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

// FuzzPeersText: whatever a peer, a log or a package says, the terminal obeys none of
// it, every format stays whole, and a summary stays short.
func FuzzPeersText(f *testing.F) {
	f.Add("\x1b[2J\x1b]0;title\a<script>alert(1)</script>")
	f.Add("]]>&amp;\x00\xff\u202e|`*")
	f.Add(strings.Repeat("long ", 5000))
	f.Fuzz(func(t *testing.T, said string) {
		shown := printable(said)
		if !utf8.ValidString(shown) {
			t.Fatalf("%q is no text", shown)
		}
		for _, r := range shown {
			if r != '\n' && r != '\t' && unicode.IsControl(r) {
				t.Fatalf("%q moves the cursor", shown)
			}
		}
		v := one("STDIO-01", requirement.QMClient, verdict.Fail)
		v.Expected, v.Actual, v.Hint = said, said, said
		r := judged(v)
		for name, render := range map[string]func(Results, Extra) ([]byte, error){
			"json": renderJSON, "junit": renderJUnit, "markdown": renderMarkdown, "html": renderHTML,
		} {
			text, err := render(r, Extra{})
			if err != nil || !utf8.Valid(text) {
				t.Fatalf("%s: %v", name, err)
			}
		}
		var out strings.Builder
		if err := Summary(&out, r, Options{}); err != nil {
			t.Fatal(err)
		}
		if lines := strings.Count(out.String(), "\n"); lines > 40 {
			t.Fatalf("%d lines", lines)
		}
	})
}
