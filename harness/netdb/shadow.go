package netdb

import "strings"

// Shadow is what is told of one line of /etc/shadow. The hash itself is never
// kept: reports and evidence are shown to others.
type Shadow struct {
	Name string
	// Scheme is the identifier between the first two dollar signs ("y", "6",
	// "1"), "des" for a hash without them, "" if there is none.
	Scheme string
	// Locked: the field begins with "!" or "*", so that no password matches.
	Locked bool
	// Empty: no password is asked for, where a program allows that.
	Empty bool
	// Length is that of the whole line, in bytes.
	Length int
	Line   int
}

// ParseShadow reads the text of /etc/shadow, first match first.
func ParseShadow(text string) []Shadow {
	var list []Shadow
	lines, _ := content(text)
	for _, line := range lines {
		name, rest, ok := strings.Cut(line.text, ":")
		hash, _, more := strings.Cut(rest, ":")
		if !ok || !more {
			continue
		}
		s := Shadow{Name: name, Length: len(line.text), Line: line.number, Empty: hash == ""}
		s.Locked = strings.HasPrefix(hash, "!") || strings.HasPrefix(hash, "*")
		switch hash = strings.TrimLeft(hash, "!*"); {
		case strings.HasPrefix(hash, "$"):
			s.Scheme, _, _ = strings.Cut(hash[1:], "$")
		case len(hash) == 13: // salt and hash of crypt(3)'s oldest scheme
			s.Scheme = "des"
		}
		list = append(list, s)
	}
	return list
}

// ShadowOf returns the first entry of a user.
func ShadowOf(list []Shadow, user string) (Shadow, bool) {
	return first(list, func(s Shadow) bool { return s.Name == user })
}
