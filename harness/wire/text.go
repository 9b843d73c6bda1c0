package wire

import (
	"fmt"
	"strings"
	"time"
)

const (
	// rowBytes is the number of bytes on one line of the rendering.
	rowBytes = 16
	// headRows and tailRows of a long block are printed; what lies between is counted.
	headRows, tailRows = 12, 4
)

// Text renders the transcript for a reader, one line for an event or for 16 bytes of it:
//
//	+1.53 ms   <-  06                                               .
func (t Transcript) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s -> %s\n", t.Started.UTC().Format("2006-01-02T15:04:05.000Z"), address(t.Local), address(t.Remote))
	for _, event := range t.Events {
		event.render(&b)
	}
	if t.Truncated {
		b.WriteString("(some bytes were counted and not kept)\n")
	}
	return b.String()
}

func address(a interface {
	IsValid() bool
	String() string
},
) string {
	if !a.IsValid() {
		return "(none)"
	}
	return a.String()
}

func (e Event) render(b *strings.Builder) {
	stamp := fmt.Sprintf("%-11s", "+"+Duration(e.At))
	if len(e.Data) == 0 {
		fmt.Fprintf(b, "%s %s\n", stamp, e.mark())
		return
	}
	arrow := "<- "
	switch e.Kind {
	case KindSent:
		arrow = "-> "
	case KindUrgent:
		arrow = "<! "
	}
	rows := (len(e.Data) + rowBytes - 1) / rowBytes
	for row := 0; row < rows; row++ {
		if rows > headRows+tailRows && row == headRows {
			skipped := rows - headRows - tailRows
			fmt.Fprintf(b, "%11s %s ... %d bytes ...\n", "", arrow, skipped*rowBytes)
			row += skipped
		}
		data := e.Data[row*rowBytes : min((row+1)*rowBytes, len(e.Data))]
		fmt.Fprintf(b, "%-11s %s %-*s  %s", stamp, arrow, rowBytes*3-1, fmt.Sprintf("% x", data), Printable(data))
		if row == rows-1 && e.Note != "" {
			fmt.Fprintf(b, "   (%s)", e.Note)
		}
		b.WriteByte('\n')
		stamp = ""
	}
}

// mark is the line of an event without data.
func (e Event) mark() string {
	word := map[Kind]string{
		KindConnected: "==  connected", KindRefused: "xx  connection refused", KindUnreachable: "xx  unreachable",
		KindConnectTimeout: "xx  no answer to the connect", KindReceived: "<- ", KindUrgent: "<! ",
		KindFIN: "<-  FIN", KindReset: "<-  RST", KindSent: "-> ", KindShutdown: "->  FIN (half-close)",
		KindAborted: "->  RST", KindClosed: "==  closed by us", KindTimeout: "..  wait ran out",
		KindOverflow: "xx  receive cap reached", KindSendFailed: "xx  not sent", KindLocalError: "xx  local error",
		KindElided: "--  left out",
	}[e.Kind]
	if word == "" {
		word = "??  " + string(e.Kind)
	}
	if e.Note != "" {
		word += ": " + e.Note
	}
	return word
}

// Printable shows bytes one for one: printable ASCII as itself, all else as a dot.
func Printable(data []byte) string {
	out := make([]byte, len(data))
	for i, c := range data {
		if c < 0x20 || c > 0x7e {
			c = '.'
		}
		out[i] = c
	}
	return string(out)
}

// Duration prints a time for a reader: "0.15 ms", "47.3 ms", "2 s", "11.2 s".
func Duration(d time.Duration) string {
	value, unit := float64(d)/float64(time.Millisecond), "ms"
	if d >= time.Second {
		value, unit = d.Seconds(), "s"
	}
	digits := 2
	if value >= 10 {
		digits = 1
	}
	text := fmt.Sprintf("%.*f", digits, value)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + " " + unit
}
