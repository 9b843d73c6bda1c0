package evidence

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
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

// observation is the facts as JSON without the secrets, which it may hold in two
// more forms than a text.
func observation(facts any, b *Bundle) (string, error) {
	text, err := json.MarshalIndent(facts, "", "  ")
	if err != nil {
		return "", err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var forms []string
	for _, s := range b.secrets {
		forms = append(forms, s, escaped(s))
		forms = append(forms, inBase64(s)...)
	}
	return blot(string(text), forms), nil
}

// escaped is how a string stands in JSON.
func escaped(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		return s // a string always can be
	}
	return string(text[1 : len(text)-1]) // without its quotes
}

// inBase64 is how a string stands in a []byte of the facts, which is base64 in
// JSON, at each of the three places that it may have in a group: those characters
// that it decides alone. One too short to decide any is left out.
func inBase64(s string) []string {
	var forms []string
	for before := range 3 {
		text := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("\x00", before) + s))
		from := (before*8 + 5) / 6
		to := (before + len(s)) * 8 / 6
		// Four characters are the least that is unlikely to be there by chance.
		if to-from >= 4 {
			forms = append(forms, text[from:to])
		}
	}
	return forms
}
