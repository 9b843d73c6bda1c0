package netdb

import (
	"fmt"
	"slices"
	"strings"
)

// Services is an /etc/services.
type Services struct {
	// Entries are in the order of the file, which decides: the first match wins.
	Entries []Service
	// Broken are the lines that glibc passes over without a word.
	Broken   []BrokenLine
	comments []source
}

// Service is one line.
type Service struct {
	Name     string
	Port     int
	Protocol string
	Aliases  []string
	Line     int
}

// BrokenLine is a line that isn't an entry.
type BrokenLine struct {
	Line int
	Text string
}

// ParseServices reads the text of /etc/services. A comment may follow an entry.
// White space, carriage returns included, separates the fields.
func ParseServices(text string) Services {
	var s Services
	lines, comments := content(text)
	s.comments = comments
	for _, line := range lines {
		before, _, _ := strings.Cut(line.text, "#")
		entry, ok := parseService(before)
		if !ok {
			s.Broken = append(s.Broken, BrokenLine{line.number, line.text})
			continue
		}
		entry.Line = line.number
		s.Entries = append(s.Entries, entry)
	}
	return s
}

func parseService(text string) (Service, bool) {
	end := strings.IndexAny(text, blank)
	if end < 0 {
		return Service{}, false
	}
	port, rest, ok := numeral(text[end:], '/')
	if !ok {
		return Service{}, false
	}
	// The port is cut to 16 bits without a word (htons). A number without a
	// protocol passes, and matches only those who ask for any protocol.
	s := Service{Name: text[:end], Port: int(uint16(port))}
	fields := strings.FieldsFunc(rest, func(r rune) bool { return strings.ContainsRune(blank, r) })
	if len(fields) > 0 && !strings.ContainsAny(rest[:1], blank) {
		s.Protocol, fields = fields[0], fields[1:]
	}
	if len(fields) > 0 {
		s.Aliases = fields
	}
	return s, true
}

// ByName is getservbyname(3): the first entry of that name or alias and that
// protocol; "" is any protocol. Upper and lower case differ.
func (s Services) ByName(name, protocol string) (Service, bool) {
	for _, entry := range s.Entries {
		if entry.named(name) && (protocol == "" || entry.Protocol == protocol) {
			return entry, true
		}
	}
	return Service{}, false
}

// ByPort is getservbyport(3).
func (s Services) ByPort(port int, protocol string) (Service, bool) {
	for _, entry := range s.Entries {
		if entry.Port == port && (protocol == "" || entry.Protocol == protocol) {
			return entry, true
		}
	}
	return Service{}, false
}

func (s Service) named(name string) bool {
	return s.Name == name || slices.Contains(s.Aliases, name)
}

// endsIn says whether a name is stuck to the end of this line's last words.
func (s Service) endsIn(name string) bool {
	return slices.ContainsFunc(append([]string{s.Protocol}, s.Aliases...), func(word string) bool {
		return word != name && strings.HasSuffix(word, name)
	})
}

// Near is something about a name that ByName doesn't tell, for a hint.
type Near struct {
	Kind NearKind
	Line int
	Text string
}

// NearKind tells them apart.
type NearKind string

// Kinds of near miss.
const (
	OtherProtocol NearKind = "other-protocol"
	OtherPort     NearKind = "other-port"
	OtherCase     NearKind = "other-case"
	CommentedOut  NearKind = "commented-out"
	Doubled       NearKind = "doubled"
	ByAlias       NearKind = "by-alias"
	Glued         NearKind = "glued"
	Malformed     NearKind = "malformed"
	ByteOrderMark NearKind = "byte-order-mark"
)

// Near explains why a name isn't found, or is found with another port than is
// expected (0 expects none), in the order of the file.
func (s Services) Near(name, protocol string, port int) []Near {
	var list []Near
	add := func(kind NearKind, line int, format string, args ...any) {
		list = append(list, Near{kind, line, fmt.Sprintf(format, args...)})
	}
	found, exists := s.ByName(name, protocol)
	for _, entry := range s.Entries {
		described := fmt.Sprintf("%s %d/%s", entry.Name, entry.Port, entry.Protocol)
		switch {
		case exists && entry.Line == found.Line:
			if entry.Name != name {
				add(ByAlias, entry.Line, "%s is taken for an alias of %s", name, described)
			}
			if port != 0 && entry.Port != port {
				add(OtherPort, entry.Line, "%s has port %d instead of %d", name, entry.Port, port)
			}
		case entry.named(name) && entry.Protocol == protocol:
			add(Doubled, entry.Line, "%s is defined again, without effect", described)
		case !exists && entry.endsIn(name):
			add(Glued, entry.Line, "%s stands at the end of the line of %s: a line feed is missing before it", name, entry.Name)
		case entry.named(name) && entry.Protocol == "" && !exists:
			add(Malformed, entry.Line, "%s has no protocol directly after its port and a slash", name)
		case entry.named(name) && !exists:
			add(OtherProtocol, entry.Line, "%s is defined for %s only", name, entry.Protocol)
		case entry.Name == "\ufeff"+name && !exists:
			add(ByteOrderMark, entry.Line, "a byte order mark at the beginning of the file belongs to the name")
		case strings.EqualFold(entry.Name, name) && !exists:
			add(OtherCase, entry.Line, "%s is spelt %s", name, entry.Name)
		}
	}
	for _, broken := range s.Broken {
		if first, _, _ := strings.Cut(broken.Text, " "); strings.HasPrefix(strings.TrimRight(first, blank), name) {
			add(Malformed, broken.Line, "%q is no entry: NAME PORT/PROTOCOL is", broken.Text)
		}
	}
	for _, comment := range s.comments {
		before, _, _ := strings.Cut(strings.TrimLeft(comment.text, "#"+blank), "#")
		if entry, ok := parseService(before); ok && entry.named(name) && !exists {
			add(CommentedOut, comment.number, "%s is commented out", name)
		}
	}
	slices.SortStableFunc(list, func(a, b Near) int { return a.Line - b.Line })
	return list
}
