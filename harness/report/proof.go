package report

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"html/template"
	"strings"

	"qmconformance/harness/evidence"
	"qmconformance/harness/verdict"
)

// proof is the evidence of one verdict as the page shows it.
type proof struct {
	Excerpt  *excerpt
	Compared []evidence.Comparison
	Wires    []timeline
	Logs     []logged
	Files    []evidence.Text
	// Same are parts that the page shows elsewhere already: many verdicts rest on
	// one look.
	Same    []link
	Links   []string
	Dropped int
}

// Any says that there is something to show.
func (p proof) Any() bool {
	return p.Excerpt != nil || len(p.Compared)+len(p.Wires)+len(p.Logs)+len(p.Files)+len(p.Same)+len(p.Links)+p.Dropped > 0
}

// excerpt is the part of a file around a line, with that line marked.
type excerpt struct {
	File  string
	Line  int
	Lines []fileLine
}

type fileLine struct {
	Number int
	Text   string
	Marked bool
}

// logged is a log, with the lines that tell of trouble marked.
type logged struct {
	Name  string
	Lines []logLine
}

type logLine struct{ Text, Class string }

// proofs makes the proofs of one page: each part is shown once, and all of them
// stay within one limit.
type proofs struct {
	x       Extra
	l       limits
	left    int
	sources map[string]string
	made    map[string]proof
	shownAt map[[sha256.Size]byte]string
}

func newProofs(list []verdict.Verdict, x Extra, l limits) *proofs {
	p := &proofs{x: x, l: l, left: l.all, sources: map[string]string{}, made: map[string]proof{}, shownAt: map[[sha256.Size]byte]string{}}
	for _, v := range list {
		for _, s := range x.Evidence[v.Evidence].Record.Sources {
			if _, there := p.sources[s.Name]; !there {
				p.sources[s.Name] = s.Text
			}
		}
	}
	// In the order of the verdicts, and not of the page: causes come first, and what
	// they have in common with others is shown with them.
	for _, v := range list {
		if v.Evidence != "" {
			p.made[target(v)] = p.make(v)
		}
	}
	return p
}

// take says whether a part is to be shown here. If not, it is shown elsewhere
// already, or there is no room for it.
func (p *proofs) take(out *proof, at, name string, part any, size int) bool {
	text, err := json.Marshal(part)
	if err != nil {
		return false // these types always can be
	}
	sum := sha256.Sum256(text)
	if other, there := p.shownAt[sum]; there {
		if other != at {
			out.Same = append(out.Same, link{other, printable(name)})
		}
		return false
	}
	if size > p.left {
		out.Dropped++
		return false
	}
	p.shownAt[sum] = at
	p.left -= size
	return true
}

func (p *proofs) of(v verdict.Verdict) proof { return p.made[target(v)] }

func (p *proofs) make(v verdict.Verdict) proof {
	e := p.x.Evidence[v.Evidence]
	at := target(v)
	out := proof{Excerpt: p.excerpt(e.Record.Where)}
	for _, name := range e.Links {
		out.Links = append(out.Links, printable(name))
	}
	for _, c := range e.Record.Comparisons {
		if p.take(&out, at, "the process "+c.Name, c, 1000) {
			out.Compared = append(out.Compared, c)
		}
	}
	for _, t := range e.Record.Transcripts {
		// Of connections without an event there is nothing to see.
		if len(t.Wire.Events) == 0 {
			continue
		}
		line := newTimeline(t, p.l)
		if p.take(&out, at, "connection "+t.Name, t, line.size()) {
			out.Wires = append(out.Wires, line)
		}
	}
	for _, text := range e.Record.Logs {
		one := newLogged(text, min(p.l.file, p.left))
		if p.take(&out, at, text.Name, text, size(one.Lines)) {
			out.Logs = append(out.Logs, one)
		}
	}
	for _, f := range e.Files {
		text := shown(f.Text, min(p.l.file, p.left))
		if len(f.Text) > 0 && len(text) <= len(ellipsis) && len(f.Text) > len(text) {
			out.Dropped++
			continue
		}
		if p.take(&out, at, f.Name, f, len(template.HTMLEscapeString(text))) {
			out.Files = append(out.Files, evidence.Text{Name: printable(f.Name), Text: text})
		}
	}
	return out
}

// around is how many lines are shown before and after a marked one: a service
// block has some twenty.
const around = 7

// excerpt is the place in its file; nil where the file was not kept, or has no
// such line.
func (p *proofs) excerpt(where verdict.Place) *excerpt {
	text, kept := p.sources[where.File]
	if !kept || where.Line < 1 || p.l.file == 0 {
		return nil
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if where.Line > len(lines) {
		return nil
	}
	out := &excerpt{File: printable(where.File), Line: where.Line}
	for n := max(1, where.Line-around); n <= min(len(lines), where.Line+around); n++ {
		// A line end of another system's is a cause, and must be seen.
		out.Lines = append(out.Lines, fileLine{n, shown(strings.ReplaceAll(lines[n-1], "\r", `\r`), 200), n == where.Line})
	}
	return out
}

func newLogged(t evidence.Text, most int) logged {
	out := logged{Name: printable(t.Name)}
	for line := range strings.Lines(shown(t.Text, most)) {
		line = strings.TrimRight(line, "\n")
		class := ""
		for _, w := range []struct{ word, class string }{
			{"FAIL:", "bad"}, {"ERROR:", "bad"}, {"CRITICAL:", "bad"}, {"ALERT:", "bad"}, {"WARNING:", "odd"}, {"START:", "event"}, {"EXIT:", "event"},
		} {
			if strings.Contains(line, w.word) {
				class = w.class
				break
			}
		}
		out.Lines = append(out.Lines, logLine{line, class})
	}
	return out
}

func size(lines []logLine) int {
	n := 0
	for _, l := range lines {
		n += len(template.HTMLEscapeString(l.Text)) + len(`<span class="event"></span>`)
	}
	return n
}

// Heading names a place as an editor takes it.
func (e excerpt) Heading() string { return fmt.Sprintf("%s:%d", e.File, e.Line) }
