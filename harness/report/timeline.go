package report

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"qmconformance/harness/evidence"
	"qmconformance/harness/wire"
)

// timeline is the life of a connection, an entry for each event and each silence
// between two.
type timeline struct {
	Name, Ends, Span string
	Marks            []mark
}

// mark is one entry. Dir is "in" for what the server did, "out" for what we did,
// "none" for what neither did.
type mark struct {
	At, Dir, Class, Label string
	Text, Hex, Note       string
}

// silence is the least pause that gets an entry of its own: a pause as long as
// this one is a fact about a server, a shorter one is the machine's.
const silence = 500 * time.Millisecond

// hexBytes is how many bytes one line of hex shows; so many fit on a phone.
const hexBytes = 8

func newTimeline(t evidence.Transcript, l limits) timeline {
	out := timeline{Name: printable(t.Name), Span: wire.Duration(t.Span())}
	if t.Wire.Local.IsValid() {
		out.Ends = fmt.Sprintf("%v to %v", t.Wire.Local, t.Wire.Remote)
	} else if t.Wire.Remote.IsValid() {
		out.Ends = fmt.Sprintf("to %v", t.Wire.Remote)
	}
	var last time.Duration
	for i, e := range t.Wire.Events {
		if i >= l.events {
			out.Marks = append(out.Marks, mark{Dir: "none", Class: "gap", Label: plural(len(t.Wire.Events)-i, "further event") + " in the folder"})
			break
		}
		if pause := e.At - last; pause >= silence {
			out.Marks = append(out.Marks, mark{Dir: "none", Class: "gap", Label: wire.Duration(pause) + " of silence"})
		}
		last = e.At
		out.Marks = append(out.Marks, newMark(e, l.data))
	}
	return out
}

// marks are how each kind of event is shown.
var marks = map[wire.Kind]mark{
	wire.KindConnected:      {Dir: "none", Class: "good", Label: "connected"},
	wire.KindRefused:        {Dir: "in", Class: "bad", Label: "RST: refused"},
	wire.KindUnreachable:    {Dir: "none", Class: "bad", Label: "unreachable"},
	wire.KindConnectTimeout: {Dir: "none", Class: "late", Label: "time-out: no answer to the connect"},
	wire.KindReceived:       {Dir: "in", Class: "data", Label: "received"},
	wire.KindUrgent:         {Dir: "in", Class: "data", Label: "urgent"},
	wire.KindFIN:            {Dir: "in", Class: "end", Label: "FIN"},
	wire.KindReset:          {Dir: "in", Class: "bad", Label: "RST"},
	wire.KindSent:           {Dir: "out", Class: "data", Label: "sent"},
	wire.KindShutdown:       {Dir: "out", Class: "end", Label: "FIN (half-close)"},
	wire.KindAborted:        {Dir: "out", Class: "end", Label: "RST"},
	wire.KindClosed:         {Dir: "out", Class: "end", Label: "closed"},
	wire.KindTimeout:        {Dir: "none", Class: "late", Label: "time-out"},
	wire.KindOverflow:       {Dir: "in", Class: "bad", Label: "more than is kept"},
	wire.KindSendFailed:     {Dir: "out", Class: "bad", Label: "not sent"},
	wire.KindElided:         {Dir: "none", Class: "gap", Label: "left out"},
	wire.KindLocalError:     {Dir: "none", Class: "bad", Label: "our own system refused"},
}

func newMark(e wire.Event, most int) mark {
	m, known := marks[e.Kind]
	if !known {
		m = mark{Dir: "none", Class: "bad", Label: printable(string(e.Kind))}
	}
	m.At, m.Note = "+"+wire.Duration(e.At), printable(e.Note)
	if e.Size > 0 && m.Class == "data" {
		m.Label += " " + plural(e.Size, "byte")
	}
	data := e.Data[:min(len(e.Data), most)]
	m.Text, m.Hex = readable(data), hexLines(data)
	if len(data) < e.Size && len(data) > 0 {
		m.Text += ellipsis
		m.Hex += " " + ellipsis
	}
	return m
}

// readable is bytes as text, what is not printable as an escape, a line for each
// line that they are.
func readable(data []byte) string {
	var b strings.Builder
	for i, c := range data {
		switch {
		case c == '\\':
			b.WriteString(`\\`)
		case c >= 0x20 && c < 0x7f:
			b.WriteByte(c)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\n':
			b.WriteString(`\n`)
			if i < len(data)-1 {
				b.WriteByte('\n')
			}
		case c == '\t':
			b.WriteString(`\t`)
		case c == 0x1b:
			b.WriteString(`\e`)
		default:
			fmt.Fprintf(&b, `\x%02x`, c)
		}
	}
	return b.String()
}

func hexLines(data []byte) string {
	var lines []string
	for at := 0; at < len(data); at += hexBytes {
		lines = append(lines, fmt.Sprintf("% x", data[at:min(at+hexBytes, len(data))]))
	}
	return strings.Join(lines, "\n")
}

// size is about what the timeline takes on the page.
func (t timeline) size() int {
	n := 200
	for _, m := range t.Marks {
		n += 160 + len(template.HTMLEscapeString(m.Text)) + len(m.Hex) + len(template.HTMLEscapeString(m.Note))
	}
	return n
}
