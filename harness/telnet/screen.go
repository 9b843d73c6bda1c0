package telnet

import "strings"

// Readable turns decoded data into what a reader of the terminal saw: CR NUL is CR, a line that was
// erased and written again is there once, control sequences are gone, lines end in LF.
func Readable(data []byte) string {
	var s screen
	for i := 0; i < len(data); i++ {
		switch c := data[i]; c {
		case 0, 7:
		case '\r':
			s.column = 0
		case '\n':
			s.newline()
		case '\b':
			s.column = max(0, s.column-1)
		case 0x1b:
			i += s.escape(data[i+1:])
		default:
			s.put(c)
		}
	}
	s.done.Write(s.line)
	return s.done.String()
}

// lineCap bounds a line, so that a cursor movement in hostile data cannot ask for more memory than
// a very wide terminal has.
const lineCap = 1 << 16

// padCap bounds the blanks that cursor movements make of a few bytes, over all lines.
const padCap = 1 << 16

// screen is one line of a terminal and what scrolled away above it.
type screen struct {
	done   strings.Builder
	line   []byte
	column int
	padded int
}

func (s *screen) newline() {
	s.done.Write(s.line)
	s.done.WriteByte('\n')
	s.line, s.column = nil, 0
}

func (s *screen) put(c byte) {
	if s.column >= lineCap {
		s.newline()
	}
	if gap := s.column - len(s.line); gap > 0 {
		if s.padded += gap; s.padded > padCap {
			s.column = len(s.line)
		}
	}
	for len(s.line) <= s.column {
		s.line = append(s.line, ' ')
	}
	s.line[s.column] = c
	s.column++
}

// escape carries out the sequence after ESC and returns its length. It knows what vt100 and xterm use in
// a dialogue of lines: erase to the end of the line (K) and cursor right (C); all else is passed over.
func (s *screen) escape(rest []byte) int {
	if len(rest) == 0 {
		return 0
	}
	if rest[0] != '[' {
		return 1
	}
	number := 0
	for i := 1; i < len(rest); i++ {
		c := rest[i]
		switch {
		case c >= '0' && c <= '9':
			number = min(number*10+int(c-'0'), lineCap)
		case c >= 0x40 && c <= 0x7e:
			switch c {
			case 'K':
				if number == 0 && s.column < len(s.line) {
					s.line = s.line[:s.column]
				}
			case 'C':
				s.column = min(s.column+max(1, number), lineCap)
			}
			return i + 1
		}
	}
	return len(rest)
}
