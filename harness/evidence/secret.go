package evidence

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
)

// blot overwrites secrets, the longest first: of one that holds another nothing
// must be left over.
func blot(text string, secrets []string) string {
	if !slices.ContainsFunc(secrets, func(s string) bool { return strings.Contains(text, s) }) {
		return text // as nearly all are
	}
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
	return eachString(string(text), func(literal string) string {
		return blotLiteral(literal, b.secrets)
	}), nil
}

// eachString replaces the strings of a text of JSON, which are in their quotes.
func eachString(text string, replace func(literal string) string) string {
	var b strings.Builder
	b.Grow(len(text))
	for {
		before, _, found := strings.Cut(text, `"`)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		text = text[len(before):]
		n := literalLength(text)
		b.WriteString(replace(text[:n]))
		text = text[n:]
	}
}

// literalLength is the length, with its quotes, of the string that a text begins with.
func literalLength(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// blotLiteral overwrites secrets in a string of JSON, which may be a text or, in
// base64, the bytes of a []byte. It stays what it was, so that it can be read back.
func blotLiteral(literal string, secrets []string) string {
	s := strings.Trim(literal, `"`)
	if strings.Contains(literal, `\`) {
		if err := json.Unmarshal([]byte(literal), &s); err != nil {
			return literal // none of JSON's own strings
		}
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
