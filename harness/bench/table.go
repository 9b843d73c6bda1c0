package bench

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"qmconformance/harness/bench/stats"
	"qmconformance/harness/report"
)

// Table prints a document for a person at a terminal. dir is where its files
// are, empty where they could not be written.
func Table(w io.Writer, d *Document, dir string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", d.Outcome, subjectLine(d))
	if d.Message != "" {
		fmt.Fprintf(&b, "%s\n", d.Message)
	}
	if len(d.Lines) > 0 {
		lines(&b, d)
	}
	loads(&b, d)
	growths(&b, d)
	for _, sentence := range Paragraphs(d) {
		fmt.Fprintf(&b, "\n%s\n", sentence)
	}
	comparison(&b, d)
	if d.Outcome != UsageError && dir != "" {
		fmt.Fprintf(&b, "\n%s/%s has every connection, %s/%s the pictures.\n", dir, report.BenchFile, dir, report.BenchPage)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// subjectLine says what was measured; which qm it was comes first.
func subjectLine(d *Document) string {
	qm := "the stand-in for qm"
	switch {
	case d.Subject.QM.Kind == "scarletdme":
		qm = "ScarletDME " + d.Subject.QM.Version
	case d.Subject.QM.Kind == "":
		qm = "nothing was measured"
	}
	return fmt.Sprintf("%s, package %s on %s, xinetd %s; %d cores (%s), Linux %s, load %.1f",
		qm, d.Subject.Package, d.Subject.Base, d.Subject.Xinetd, d.Machine.Cores, d.Machine.Processor, d.Machine.Kernel, d.Machine.LoadBefore)
}

// ms writes microseconds as milliseconds with three figures; empty for none.
func ms(us float64) string {
	switch {
	case us == 0:
		return "-"
	case us < 10_000:
		return fmt.Sprintf("%.2f", us/1e3)
	case us < 100_000:
		return fmt.Sprintf("%.1f", us/1e3)
	}
	return fmt.Sprintf("%.0f", us/1e3)
}

func times(x float64) string {
	if x == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", x)
}

func lines(b *strings.Builder, d *Document) {
	fmt.Fprintf(b, "\nOne connection at a time; medians in ms, the set-up's p90, p99 and maximum too.\n")
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "server\t connect\t first byte\t ready\t login\t request\t close\t gone\t set-up\t p90\t p99\t max\t to floor\t to ideal\t n\t\n")
	for _, l := range d.Lines {
		fmt.Fprint(t, l.Title, "\t")
		for _, p := range Phases {
			fmt.Fprint(t, ms(l.Phases[p].P50), "\t")
		}
		s := l.Phases[Setup]
		fmt.Fprint(t, ms(s.P50), "\t", ms(s.P90), "\t", ms(s.P99), "\t", ms(s.Max), "\t", times(l.ToFloor), "\t", times(l.ToIdeal), "\t", l.Phases[Connect].N, "\t\n")
	}
	_ = t.Flush() // to memory
	for _, l := range d.Lines {
		if l.Failed > 0 {
			fmt.Fprintf(b, "%s: %d failed: %s\n", l.Title, l.Failed, strings.Join(l.Errors, "; "))
		}
	}
}

func loads(b *strings.Builder, d *Document) {
	if len(d.Concurrency)+len(d.Rates)+len(d.Highest) == 0 {
		return
	}
	fmt.Fprintf(b, "\nUnder load; the set-up in ms, from when it was intended.\n")
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "service\t load\t per second\t p50\t p90\t p99\t max\t failed\t\n")
	row := func(l Load, what string) {
		fmt.Fprintf(t, "%s\t %s\t %.0f\t %s\t %s\t %s\t %s\t %d\t\n", l.Service, what, l.PerSecond, ms(l.Setup.P50), ms(l.Setup.P90), ms(l.Setup.P99), ms(l.Setup.Max), l.Failed)
	}
	for _, l := range d.Concurrency {
		row(l, fmt.Sprintf("%d at once", l.AtOnce))
	}
	for _, l := range d.Rates {
		row(l, fmt.Sprintf("%.0f a second", l.Rate))
	}
	_ = t.Flush() // to memory
	for _, h := range d.Highest {
		fmt.Fprintf(b, "%s: the highest rate with p99 within %.0f ms is %.0f a second.\n", h.Service, h.LimitMS, h.PerSecond)
	}
}

func growths(b *strings.Builder, d *Document) {
	if len(d.Growth) == 0 {
		return
	}
	fmt.Fprintf(b, "\nHow the cost grows; the set-up without the client's pause in ms, p50 (95 %% interval).\n")
	for _, g := range d.Growth {
		var points []string
		for _, p := range g.Points {
			text := fmt.Sprintf("%s: %s (%s-%s)", p.Size, ms(p.Setup.P50), ms(p.Setup.Median.Low), ms(p.Setup.Median.High))
			if p.Note != "" {
				text = p.Size + ": " + p.Note
			}
			points = append(points, text)
		}
		fmt.Fprintf(b, "  %s, %s: %s\n", g.Service, g.With, strings.Join(points, "; "))
	}
}

func comparison(b *strings.Builder, d *Document) {
	if len(d.Gate) == 0 && d.Baseline.Why == "" {
		return
	}
	fmt.Fprintf(b, "\nB, the subject, against A, %s %s", d.Baseline.Kind, d.Baseline.Name)
	if d.Baseline.Why != "" {
		fmt.Fprintf(b, ": %s", d.Baseline.Why)
	}
	fmt.Fprintln(b)
	for _, g := range d.Gate {
		fmt.Fprintf(b, "  %s: %s: %s\n", g.Service, g.Decision.Verdict, g.Decision.Reason)
	}
}

// Paragraphs say where the time goes, from what was measured.
func Paragraphs(d *Document) (list []string) {
	for _, service := range []string{"qmclient", "qmserver"} {
		l, ideal := lineNamed(d, service), lineNamed(d, "ideal-"+service)
		trivial, idealTrivial := lineNamed(d, lineTrivial), lineNamed(d, lineIdealTrivial)
		if l == nil || ideal == nil || trivial == nil || idealTrivial == nil || l.Phases[Setup].P50 == 0 {
			continue
		}
		list = append(list, whereItGoes(d, l, ideal, trivial, idealTrivial))
	}
	for _, r := range d.Capture.Lines {
		verb := "agrees with"
		if !r.Agrees {
			verb = "DISAGREES with"
		}
		list = append(list, fmt.Sprintf("The time of %s's first byte %s the kernel's packets: %s ms here, %s ms in the target, a median difference of %.0f us over %d connections, beside %.0f us that the client waited for a processor.", r.Line, verb, ms(r.Client), ms(r.Kernel), r.Differs, r.N, r.Queued))
	}
	if h := d.Health; len(d.Lines) > 0 && h.Whole {
		list = append(list, fmt.Sprintf("Nothing was left behind: %d places taken before and %d after, no session running.", h.UsersBefore, h.UsersAfter))
	}
	return list
}

func whereItGoes(d *Document, l, ideal, trivial, idealTrivial *Line) string {
	p := func(l *Line, phase Phase) float64 { return l.Phases[phase].P50 }
	name, until := "4243", "the first reply"
	if l.Service == "qmserver" {
		name, until = "4242", "the prompt"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Where the time goes on %s (%s): of %s ms until %s, %s are the handshake, %s go by until the first byte, and %s from there",
		l.Service, name, ms(p(l, Setup)), until, ms(p(l, Connect)), ms(p(l, FirstByte)), ms(p(l, Ready)))
	if l.Service == "qmserver" {
		b.WriteString(" (10 of them the client's own pause)")
	}
	b.WriteString(".")
	fmt.Fprintf(&b, " The ideal server comes to the first byte of the same program in %s: xinetd's own share is %s. Of a trivial program it is %s under xinetd and %s under the ideal server, so that loading qm costs %s more than loading a trivial program.",
		ms(p(ideal, FirstByte)), signed(p(l, FirstByte)-p(ideal, FirstByte)), ms(p(trivial, FirstByte)), ms(p(idealTrivial, FirstByte)), signed(p(ideal, FirstByte)-p(idealTrivial, FirstByte)))
	i := slices.IndexFunc(d.Trace.Services, func(t Traced) bool { return t.Service == l.Service })
	switch {
	case i >= 0 && d.Trace.Services[i].N > 0:
		t := d.Trace.Services[i]
		fmt.Fprintf(&b, " Followed inside (%d connections, made %.2f times as long by it): %s from the handshake to xinetd's accept, %s to its fork, %s to the exec, in which the child drops descriptors and looks up groups and access rules, and %s from there to the first byte, which is the loader and qm's start. The process is gone %s after the end of the stream.",
			t.N, t.Inflation, ms(t.Accept), ms(t.Fork), ms(t.Exec), ms(t.First), ms(t.Exit))
	case d.Trace.Why != "":
		fmt.Fprintf(&b, " It could not be followed inside: %s.", d.Trace.Why)
	}
	return b.String()
}

// signed is a difference in ms.
func signed(us float64) string {
	if us < 0 {
		return "-" + ms(-us)
	}
	return ms(us)
}

// cumulative is a distribution function's points from a histogram: time in ms, and
// the share that was over by then.
func cumulative(s stats.Summary) (x, y []float64) {
	sum := int64(0)
	for _, b := range s.Buckets {
		sum += b.Count
		x, y = append(x, b.UpTo/1e3), append(y, 100*float64(sum)/float64(s.N))
	}
	return x, y
}
