// Package netdb reads services(5), group(5), passwd(5) and shadow(5) as the
// files backend of glibc does (nss/nss_files/files-XXX.c and files-parse.c),
// which is what getservbyname in xinetd and initgroups ask. It keeps line
// numbers, and what glibc passes over, so that a report can name the line.
package netdb

import (
	"strconv"
	"strings"
)

// glibc's isspace(3) in the C locale.
const blank = " \t\n\v\f\r"

// source is one line that is neither blank nor a comment.
type source struct {
	number int
	text   string
}

// content splits a file into the lines that count and the comments. Blanks
// before the first character are skipped, as in files-XXX.c.
func content(text string) (lines, comments []source) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimLeft(strings.TrimSuffix(line, "\n"), blank)
		switch {
		case line == "":
		case line[0] == '#':
			comments = append(comments, source{number, line})
		default:
			lines = append(lines, source{number, line})
		}
	}
	return lines, comments
}

// numeral reads a number as strtoul(3) with base 10 does, which skips blanks
// before it and takes a sign; what follows it must begin with the terminator or
// be empty. IDs and ports are 32 bits wide.
func numeral(text string, terminator byte) (value uint32, rest string, ok bool) {
	text = strings.TrimLeft(text, blank)
	digits := strings.TrimPrefix(text, "+")
	end := 0
	for end < len(digits) && digits[end] >= '0' && digits[end] <= '9' {
		end++
	}
	wide, err := strconv.ParseUint(digits[:end], 10, 32)
	if err != nil {
		return 0, "", false
	}
	rest = digits[end:]
	if rest != "" && rest[0] != terminator {
		return 0, "", false
	}
	return uint32(wide), strings.TrimPrefix(rest, string(terminator)), true
}
