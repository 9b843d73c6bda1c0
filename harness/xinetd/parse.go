package xinetd

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// maxDepth bounds includes of includes. xinetd itself has no bound and would
// run out of descriptors; no real configuration nests more than two deep.
const maxDepth = 8

// mostFiles bounds all of them: a file that includes itself twice is read twice as
// often at each depth. A distribution's directory of services holds some forty.
const mostFiles = 256

// Parse reads a configuration file and all that it includes. Names in Config
// and in remarks are absolute; fsys holds them without the leading slash. The
// file system may be a part of the target's only: what is missing is a remark.
func Parse(fsys fs.FS, name string) (Config, []Remark) {
	p := &parser{fsys: fsys}
	p.file(absolute(name), 0, nil)
	p.crossCheck()
	return p.config, p.remarks
}

// absolute resolves a name as xinetd does, which runs in the root directory.
func absolute(name string) string { return path.Clean("/" + name) }

func inFS(name string) string {
	if name = strings.TrimPrefix(absolute(name), "/"); name != "" {
		return name
	}
	return "."
}

type parser struct {
	fsys    fs.FS
	config  Config
	remarks []Remark
	// full says that mostFiles were read and it was remarked upon.
	full bool
}

// reader hands out the lines of one file that count: no comments, none blank.
type reader struct {
	file  string
	lines []string
	next  int
}

func (r *reader) line() (text string, number int, ok bool) {
	for r.next < len(r.lines) {
		text = r.lines[r.next]
		r.next++
		if trimmed := strings.TrimLeft(text, blank); trimmed != "" && trimmed[0] != '#' {
			return text, r.next, true
		}
	}
	return "", r.next, false
}

// blank is what isspace(3) takes; values are split at blanks and tabs only, so
// that a carriage return stays in the last of them (parsesup.c, parse_line).
const blank = " \t\r\v\f"

func (p *parser) remark(r Remark) { p.remarks = append(p.remarks, r) }

func (p *parser) file(name string, depth int, from *reader) {
	blame := Remark{Kind: Unreadable, File: name}
	if from != nil {
		blame.File, blame.Line = from.file, from.next
	}
	if depth > maxDepth {
		blame.Kind, blame.Text = IncludeLoop, fmt.Sprintf("%s is included %d deep: it seems to include itself", name, depth)
		p.remark(blame)
		return
	}
	if len(p.config.Files) >= mostFiles {
		if !p.full {
			p.full = true
			blame.Kind, blame.Text = IncludeLoop, fmt.Sprintf("%d files were read, and more are included: some seem to include each other", mostFiles)
			p.remark(blame)
		}
		return
	}
	content, err := fs.ReadFile(p.fsys, inFS(name))
	if err != nil {
		blame.Text = fmt.Sprintf("%s can't be read: %v", name, err)
		blame.Hint = "xinetd goes on without it"
		if from == nil {
			blame.Hint = "without its configuration file xinetd doesn't start"
		}
		p.remark(blame)
		return
	}
	p.config.Files = append(p.config.Files, name)
	r := &reader{file: name, lines: strings.Split(strings.TrimSuffix(string(content), "\n"), "\n")}
	p.encoding(r)
	foundDefaults := false
	for {
		text, number, ok := r.line()
		if !ok {
			return
		}
		fields := splitValues(text)
		keyword := strings.ToLower(fields[0])
		argument := ""
		if len(fields) > 1 {
			argument = fields[1]
		}
		switch {
		case keyword == "include" && argument != "":
			p.file(absolute(argument), depth+1, r)
		case keyword == "includedir" && argument != "":
			p.directory(absolute(argument), depth+1, r)
		case keyword == "service" && argument != "":
			p.block(r, Block{Service: strings.TrimRight(argument, "\r"), File: name, Line: number})
		case strings.TrimRight(keyword, "\r") == "defaults":
			b := Block{File: name, Line: number}
			if foundDefaults {
				b.Dropped = "only the first defaults block of a file counts"
				p.remark(Remark{Kind: SecondDefaults, File: name, Line: number, Text: b.Dropped, Hint: "merge it into the first"})
			}
			foundDefaults = true
			p.block(r, b)
		default:
			p.stray(r, text, number)
		}
	}
}

// encoding looks for what an editor of another system leaves in a file.
func (p *parser) encoding(r *reader) {
	if strings.HasPrefix(r.lines[0], byteOrderMark) {
		p.remark(Remark{
			Kind: ByteOrderMark, File: r.file, Line: 1, Text: "the file begins with a byte order mark, which makes its first word unknown to xinetd",
			Hint: "save it as UTF-8 without a mark",
		})
	}
	for i, line := range r.lines {
		if strings.HasSuffix(line, "\r") {
			p.remark(Remark{
				Kind: CarriageReturn, File: r.file, Line: i + 1, Text: "lines end in CR LF: the carriage return becomes a part of each last value",
				Hint: "convert the file, for instance with dos2unix",
			})
			return
		}
	}
}

const byteOrderMark = "\ufeff"

// stray handles a line outside a block that isn't a keyword. xinetd then skips
// everything up to the next closing brace, so that the block which follows, or
// the one that a damaged keyword began, is lost.
func (p *parser) stray(r *reader, text string, number int) {
	remark := Remark{
		Kind: StrayLine, File: r.file, Line: number, Text: fmt.Sprintf("%q is neither defaults, service nor include", shorten(text)),
		Hint: "xinetd ignores it and all that follows up to the next closing brace",
	}
	fields := splitValues(strings.TrimPrefix(text, byteOrderMark))
	if len(fields) > 0 {
		if word := meant(fields[0], []string{"service", "defaults", "include", "includedir"}); word != "" && word != fields[0] {
			remark.Hint += "; " + word + " is meant, perhaps"
		}
	}
	p.remark(remark)
	dropped := Block{File: r.file, Line: number, Dropped: "a line before it is not understood"}
	name, hidden := serviceName(strings.TrimPrefix(text, byteOrderMark))
	for {
		line, at, ok := r.line()
		if !ok || only(line, '}') {
			dropped.End = at
			break
		}
		if service, is := serviceName(line); is && !hidden {
			name, hidden, dropped.Line = service, true, at
			continue
		}
		if !only(line, '{') {
			p.attribute(&dropped, line, at, false)
		}
	}
	if hidden {
		dropped.Service = name
		p.config.Blocks = append(p.config.Blocks, dropped)
	}
}

func serviceName(line string) (string, bool) {
	fields := splitValues(line)
	if len(fields) < 2 || meant(fields[0], []string{"service"}) == "" {
		return "", false
	}
	return strings.TrimRight(fields[1], "\r"), true
}

// block reads from the line after the keyword to the closing brace.
func (p *parser) block(r *reader, b Block) {
	drop := func(reason string) {
		if b.Dropped == "" {
			b.Dropped = reason
		}
	}
	line, number, ok := r.line()
	if !ok || !only(line, '{') {
		remark := Remark{
			Kind: MissingOpen, File: b.File, Line: b.Line, Service: b.Service, Text: "the opening brace isn't alone on the next line",
			Hint: "put { on a line of its own; as it is, xinetd ignores the whole block",
		}
		p.remark(remark)
		drop(remark.Text)
		if ok && !only(line, '}') {
			p.attribute(&b, line, number, false)
		}
	}
	if ok && !only(line, '}') {
		for {
			line, number, ok = r.line()
			if !ok || only(line, '}') {
				break
			}
			if reason := p.attribute(&b, line, number, !b.Disabled); reason != "" {
				drop(reason)
			}
		}
	}
	if !ok {
		p.remark(Remark{
			Kind: MissingClose, File: b.File, Line: b.Line, Service: b.Service, Text: "the block has no closing brace",
			Hint: "put } on a line of its own; as it is, xinetd ignores the block",
		})
		drop("it has no closing brace")
	}
	b.End = number
	p.config.Blocks = append(p.config.Blocks, b)
}

// only says whether a character is all that a line holds.
func only(line string, c byte) bool { return strings.Trim(line, blank) == string(c) }

// splitValues splits at blanks and tabs. A line of other white space is blank,
// and never gets here, so there is always a first field.
func splitValues(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '\t' })
}

func shorten(text string) string {
	const most = 60
	text = strings.TrimSpace(text)
	if len(text) > most {
		return text[:most] + "..."
	}
	return text
}
