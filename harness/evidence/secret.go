package evidence

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// blot overwrites secrets, the longest first: of one that holds another nothing
// must be left over.
func blot(text string, secrets []string) string {
	longestFirst := slices.SortedFunc(slices.Values(secrets), func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, s := range longestFirst {
		text = strings.ReplaceAll(text, s, strings.Repeat("*", len(s)))
	}
	return text
}

// observation is what was observed as JSON, without the secrets.
func observation(observed any, b *Bundle) (string, error) {
	text, err := json.MarshalIndent(observed, "", "  ")
	if err != nil {
		return "", err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return jsonString.ReplaceAllStringFunc(string(text), func(literal string) string {
		return blotLiteral(literal, b.secrets)
	}), nil
}

var jsonString = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// blotLiteral overwrites secrets in a string of JSON, which may be a text or, in
// base64, the bytes of a []byte. It stays what it was, so that it can be read back.
func blotLiteral(literal string, secrets []string) string {
	var s string
	if err := json.Unmarshal([]byte(literal), &s); err != nil {
		return literal // none of JSON's own strings
	}
	blotted := blot(s, secrets)
	if raw, err := base64.StdEncoding.DecodeString(s); err == nil {
		if clean := blot(string(raw), secrets); clean != string(raw) {
			blotted = base64.StdEncoding.EncodeToString([]byte(clean))
		}
	}
	if blotted == s {
		return literal
	}
	var text bytes.Buffer
	if err := json.NewEncoder(&text).Encode(blotted); err != nil {
		return `""` // a string always can be
	}
	return strings.TrimSuffix(text.String(), "\n")
}
