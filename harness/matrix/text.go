package matrix

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"qmconformance/harness/fault"
	"qmconformance/harness/subject"
)

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// publish writes the files and the text, and returns the exit code.
func (m *matrix) publish(w io.Writer) int {
	r := &m.results
	r.finish(m)
	err := r.write(m.settings.Results)
	if err == nil {
		err = r.writePage(m.settings.Results)
	}
	fmt.Fprint(w, r.text(m.one))
	if err != nil {
		fmt.Fprintln(os.Stderr, "HARNESS ERROR: the results could not be written:", err)
		return exitHarness
	}
	fmt.Fprintf(w, "\nPage: %s\n", filepath.Join(m.settings.Results, pageFile))
	return r.exitCode()
}

// text is what is read on the terminal: what is wrong first, then the matrix.
func (r *results) text(one bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", r.headline())
	for _, s := range fault.States {
		if s.Good() || r.Counts[s] == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%s\n", strings.ToUpper(string(s)))
		for _, e := range r.Faults {
			if e.State == s {
				fmt.Fprintf(&b, "  %s: %s\n", e.Name, e.Explanation)
			}
		}
	}
	if len(r.Unkilled) > 0 {
		fmt.Fprintf(&b, "\nMUST THAT NO FAULT KILLS\n  %s\n", strings.Join(r.Unkilled, ", "))
	}
	if len(r.Unproven) > 0 {
		fmt.Fprintf(&b, "\nNOT SHOWN HERE: what turns these MUST red is not run with this qm, base or profile\n  %s\n", strings.Join(r.Unproven, ", "))
	}
	if one {
		r.single(&b)
		return b.String()
	}
	r.rows(&b)
	var skipped []string
	for _, e := range r.Faults {
		if e.State == fault.Skipped {
			skipped = append(skipped, fmt.Sprintf("%s (%s)", e.Name, oneLine(e.Explanation)))
		}
	}
	if len(skipped) > 0 {
		fmt.Fprintf(&b, "\nNot run: %s\n", strings.Join(skipped, ", "))
	}
	return b.String()
}

func (r *results) headline() string {
	faults, variants := 0, 0
	for _, e := range r.Faults {
		switch {
		case e.State == fault.Skipped:
		case e.Kind == fault.Variant:
			variants++
		default:
			faults++
		}
	}
	took := time.Duration(r.DurationMS) * time.Millisecond
	text := fmt.Sprintf("%s: %d of %d faults killed by the right requirement, %d of %d variants conformant, in %v (%.1f s a package) with %s",
		strings.ToUpper(r.Outcome), r.Counts[fault.Killed], faults, r.Counts[fault.Conformant], variants,
		took.Round(100*time.Millisecond), took.Seconds()/float64(max(1, faults+variants)), r.qm())
	if r.Message != "" {
		text += "; cut short: " + r.Message
	}
	return text
}

// qm names what was judged; the stand-in must not pass for the real one.
func (r *results) qm() string {
	if r.Subject.QM.Kind == subject.KindStandIn {
		return "the stand-in qm (not ScarletDME)"
	}
	return strings.TrimSpace("ScarletDME " + r.Subject.QM.Version)
}

// rows are the matrix, a line for each requirement: the faults that it found,
// and how many others it was red in besides.
func (r *results) rows(b *strings.Builder) {
	fmt.Fprintf(b, "\nREQUIREMENT  FAULTS THAT IT LEADS (and in how many others it was red)\n")
	for _, w := range r.Requirements {
		led := strings.Join(w.KilledBy, " ")
		if led == "" {
			led = "-"
		}
		fmt.Fprintf(b, "%-10s  %s (%d)\n", w.ID, led, len(w.Beside))
	}
}

// single tells everything of the one fault that was run.
func (r *results) single(b *strings.Builder) {
	for _, e := range r.Faults {
		fmt.Fprintf(b, "\n%s %s: %s\n  %s\n  %s\n", e.Kind, e.Name, e.State, e.Mistake, e.Explanation)
		for _, red := range e.Reds {
			fmt.Fprintf(b, "  red: %s: %s\n", red, red.Actual)
		}
		if len(e.Separate) > 0 {
			fmt.Fprintf(b, "  shown as causes of their own: %s\n", strings.Join(e.Separate, ", "))
		}
		if len(e.Unseen) > 0 {
			fmt.Fprintf(b, "  may be red beside it, and are not: %s\n", strings.Join(e.Unseen, ", "))
		}
	}
}
