package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ellipsis stands where a text was cut; the whole text is in results.json.
const ellipsis = "…"

// printable writes what could steer a terminal or break XML as an escape: a
// peer's bytes end up in reports, and a report must show them, not obey them.
// Line ends and tabs stay.
func printable(s string) string {
	clean := true
	for _, r := range s {
		if r == utf8.RuneError || !plain(r) {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	const hex = "0123456789abcdef"
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case plain(r) && (r != utf8.RuneError || n > 1):
			b.WriteRune(r)
		case r == '\r':
			b.WriteString(`\r`)
		case n == 1:
			b.WriteString(`\x`)
			b.WriteByte(hex[s[0]>>4])
			b.WriteByte(hex[s[0]&15])
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		s = s[n:]
	}
	return b.String()
}

func plain(r rune) bool { return r == '\n' || r == '\t' || unicode.IsPrint(r) }

// flatten makes one line of a text: its lines joined with a slash.
func flatten(s string) string {
	var lines []string
	for line := range strings.SplitSeq(strings.ReplaceAll(s, "\r\n", "\n"), "\n") {
		if line = strings.Join(strings.Fields(printable(line)), " "); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, " / ")
}

// cut shortens a text to at most n characters.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	runes := []rune(s)
	return strings.TrimRight(string(runes[:max(n-1, 0)]), " ,;/") + ellipsis
}

// shown is at most n characters of a text, printable. What a peer sent may have
// megabytes, of which the rest is not even looked at.
func shown(s string, n int) string {
	if most := (max(n, 0) + 1) * utf8.UTFMax; len(s) > most {
		// A character that this breaks lies behind what is shown.
		s = s[:most]
	}
	return cut(printable(s), n)
}

// oneLine is at most n characters of a text, in one line.
func oneLine(s string, n int) string {
	// Blanks fold up in a line, so that more may fit than for shown.
	const fold = 16
	if most := (n + 1) * fold; len(s) > most {
		return cut(flatten(s[:most])+ellipsis, n)
	}
	return cut(flatten(s), n)
}

// wrap breaks a line at blanks so that none is longer than width characters; a
// word that is longer is broken.
func wrap(s string, width int) []string {
	width = max(width, 1)
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
		for utf8.RuneCountInString(line) > width {
			runes := []rune(line)
			lines = append(lines, string(runes[:width]))
			line = string(runes[width:])
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// fit wraps a text into at most n lines and cuts what does not fit.
func fit(s string, width, n int) []string {
	lines := wrap(s, width)
	if len(lines) <= n {
		return lines
	}
	rest := strings.Join(lines[n-1:], " ")
	return append(lines[:n-1:n-1], cut(rest, width))
}

// series is a list in words.
func series[T ~string](list []T) string {
	words := make([]string, len(list))
	for i, w := range list {
		words[i] = string(w)
	}
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// plural is a number with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
