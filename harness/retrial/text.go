package retrial

import (
	"fmt"
	"io"
	"strings"

	"qmconformance/harness/observation"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

// Exit codes of the command, beside 2 for a user's mistake.
const (
	ExitSame      = 0 // every verdict is the one that was recorded
	ExitChanged   = 1 // at least one is another
	ExitNotJudged = 3 // a record could not be judged again, and no other verdict changed
)

// ExitCode is what the command ends with.
func ExitCode(cases []Case) int {
	code := ExitSame
	for _, c := range cases {
		switch {
		case c.Changed():
			return ExitChanged
		case c.Err != nil:
			code = ExitNotJudged
		}
	}
	return code
}

// Text prints what became of every record: a line each, and what is said of
// those that changed.
func Text(w io.Writer, cases []Case) error {
	var b strings.Builder
	changed, unjudged := 0, 0
	for _, c := range cases {
		switch {
		case c.Err != nil:
			unjudged++
			fmt.Fprintf(&b, "not judged  %s: %s\n", c.Path, strings.Join(strings.Fields(c.Err.Error()), " "))
		case c.Changed():
			changed++
			fmt.Fprintf(&b, "changed     %s %s: %s, now %s\n", c.Old.ID, c.Old.Service, c.Old.Kind, c.New.Kind)
			tell(&b, "was", c.Old)
			tell(&b, "now", c.New)
		case c.Reworded():
			fmt.Fprintf(&b, "same        %s %s: %s, in other words\n", c.New.ID, c.New.Service, c.New.Kind)
			tell(&b, "was", c.Old)
			tell(&b, "now", c.New)
		default:
			fmt.Fprintf(&b, "same        %s %s: %s\n", c.New.ID, c.New.Service, c.New.Kind)
		}
	}
	fmt.Fprintf(&b, "\n%d judged again, %d changed, %d could not be judged\n", len(cases)-unjudged, changed, unjudged)
	for _, line := range notes(cases) {
		b.WriteString(line + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func tell(b *strings.Builder, when string, v verdict.Verdict) {
	for _, part := range []struct{ name, text string }{
		{"expected", v.Expected}, {"actual", v.Actual}, {"because of", v.BecauseOf}, {"hint", v.Hint},
	} {
		if part.text != "" {
			fmt.Fprintf(b, "  %s  %-10s  %s\n", when, part.name, strings.Join(strings.Fields(part.text), " "))
		}
	}
}

// notes tell what was judged, and where this program's catalogue is another one.
func notes(cases []Case) (lines []string) {
	seen := map[string]bool{}
	add := func(line string) {
		if !seen[line] {
			seen[line] = true
			lines = append(lines, line)
		}
	}
	for _, c := range cases {
		if c.Err != nil {
			continue
		}
		add("Recorded of " + subject(c.Seen))
		if c.Seen.Catalogue != requirement.Version {
			add(fmt.Sprintf("Recorded with catalogue %s; this program has %s", c.Seen.Catalogue, requirement.Version))
		}
	}
	return lines
}

func subject(r observation.Observation) string {
	s := r.Subject
	return fmt.Sprintf("package %s; qm %s %s; base %s; xinetd %s; kernel %s", s.Package, s.QM.Kind, s.QM.Version, s.Base, s.Xinetd, s.Kernel)
}
