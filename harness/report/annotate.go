package report

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"qmconformance/harness/verdict"
)

// mostAnnotations is how many of a kind GitHub shows for one step of a job; it
// drops the rest without a word, while the report has them all.
const mostAnnotations = 10

// Sources says where the package's files are for whoever reads the annotations.
type Sources struct {
	// Package is its directory on this host; empty where there is none.
	Package string
	// Tops are directories that names may be relative to, in the order of preference:
	// the checked-out repository, then where the command was given.
	Tops []string
}

// find is the file of a place under its name in the repository. A file that the
// base image brings, or that a script makes, is not there.
func (s Sources) find(p verdict.Place) (string, bool) {
	if s.Package == "" || !p.Known() {
		return "", false
	}
	path := filepath.Join(s.Package, filepath.Clean("/"+p.File))
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return "", false
	}
	for _, top := range s.Tops {
		if name, err := filepath.Rel(top, path); err == nil && top != "" && filepath.IsLocal(name) {
			return filepath.ToSlash(name), true
		}
	}
	return "", false
}

// Annotate writes what is red, and warnings of their own, as GitHub's workflow
// commands, so that they are shown beside the very lines of the package. What
// merely follows from a cause has no line to change.
func Annotate(w io.Writer, r Results, x Extra, s Sources) error {
	r = r.whole()
	var b strings.Builder
	if r.Message != "" {
		// "USAGE ERROR" as a title, as its headline says the message again.
		word, _ := splitHeadline(headline(r, x.Strict))
		command(&b, "error", "", 0, word, r.Message)
	}
	for i, e := range causes(r.Verdicts, x.Strict) {
		if i == mostAnnotations {
			break
		}
		s.annotate(&b, "error", e, x)
	}
	own := pick(r.Verdicts, func(v verdict.Verdict) bool { return v.Warning(x.Strict) && v.BecauseOf == "" })
	for i, e := range merge(own) {
		if i == mostAnnotations {
			break
		}
		s.annotate(&b, "warning", e, x)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (s Sources) annotate(b *strings.Builder, kind string, e entry, x Extra) {
	where := x.Evidence[e.Evidence].Record.Where
	file, found := s.find(where)
	line := 0
	if found {
		line = where.Line
	}
	parts := []string{e.Sentence}
	if e.Hint != "" {
		parts = []string{e.Hint, e.Sentence}
	}
	if e.Actual != "" {
		parts = append(parts, "expected "+oneLine(e.Expected, messageLength)+"; actual "+oneLine(e.Actual, messageLength))
	}
	if n := len(e.follows); n > 0 {
		parts = append(parts, plural(n, "more verdict")+" because of it")
	}
	for i := range parts {
		parts[i] = oneLine(parts[i], messageLength)
	}
	command(b, kind, file, line, e.ID+" "+series(e.services), strings.Join(parts, "\n"))
}

// command writes one workflow command. Its parameters end at a comma, a colon or
// the line, and its text at the line.
func command(b *strings.Builder, kind, file string, line int, title, text string) {
	var parameters []string
	if file != "" {
		parameters = append(parameters, "file="+parameter(file))
		if line > 0 {
			parameters = append(parameters, fmt.Sprintf("line=%d", line))
		}
	}
	parameters = append(parameters, "title="+parameter(title))
	fmt.Fprintf(b, "::%s %s::%s\n", kind, strings.Join(parameters, ","), data(text))
}

func data(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(printable(s))
}

func parameter(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(printable(s))
}
