package services

import (
	"fmt"
	"strings"

	"qmconformance/harness/agent"
	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/target"
	"qmconformance/harness/verdict"
	"qmconformance/harness/xinetd"
)

var _ = judge.Section(area, "installation and start", func() {
	judge.On("SERV-01", observe.InstalledSubject, setupEndsWell)
	judge.On("SERV-02", observe.InstalledSubject, databaseStarts)
	judge.On("SERV-03", observe.InstalledSubject, superServerStays)
	judge.On("SERV-04", observe.InstalledSubject, noComplaint)
})

func setupEndsWell(_ judge.Case, f observe.Installed) verdict.Finding {
	const expected = "exit status 0"
	if f.Installation.Setup == nil {
		return verdict.Kept(expected, "the package has no setup.sh")
	}
	return endsWell("setup.sh", *f.Installation.Setup).At("setup.sh", 0)
}

func databaseStarts(_ judge.Case, f observe.Installed) verdict.Finding {
	return endsWell(f.Startup.Command, f.Startup.Start)
}

// endsWell judges how a script ended; its last line usually names the cause.
func endsWell(name string, r agent.RunResult) verdict.Finding {
	expected := fmt.Sprintf("%s ends with status 0 within %v", name, target.ScriptLimit)
	hint := ""
	if last := lastLine(r.Output); last != "" {
		hint = fmt.Sprintf("%s said last: %s", name, last)
	}
	switch {
	case r.StartError != "":
		return verdict.Violated(expected, "it could not be started: "+r.StartError, hint)
	case r.TimedOut:
		return verdict.Violated(expected, fmt.Sprintf("it still ran after %v and was ended", target.ScriptLimit), hint)
	case r.Signal != "":
		return verdict.Violated(expected, "ended by signal: "+r.Signal, hint)
	}
	return verdict.That(r.Exit == 0, expected, fmt.Sprintf("status %d", r.Exit), hint)
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

func superServerStays(_ judge.Case, f observe.Installed) verdict.Finding {
	const expected = "xinetd is up and running"
	hint, where := fatalHint(f.Log.Complaints)
	if last := lastLine(f.Startup.Xinetd.Daemon.Output); hint == "" && last != "" {
		hint = "it said last: " + last
	}
	switch {
	case !f.Running:
		return verdict.Violated(expected, "it has ended: "+f.Exit, hint).At(where.File, where.Line)
	case !f.Startup.Xinetd.Ready:
		return verdict.Violated(expected, fmt.Sprintf("it neither says that it is ready nor listens after %v", f.Startup.Xinetd.Waited.Round(1e6)), hint).At(where.File, where.Line)
	}
	return verdict.Kept(expected, fmt.Sprintf("ready after %v", f.Startup.Xinetd.Waited.Round(1e5)))
}

func fatalHint(list []xinetd.Complaint) (string, verdict.Place) {
	for _, c := range list {
		if c.Effect == xinetd.Fatal {
			return place(c) + c.Text + ": " + c.Hint, verdict.Place{File: c.File, Line: c.Line}
		}
	}
	return "", verdict.Place{}
}

func place(c xinetd.Complaint) string {
	if c.File == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d: ", c.File, c.Line)
}

func noComplaint(_ judge.Case, f observe.Installed) verdict.Finding {
	const expected = "no complaint in xinetd's log"
	var said []string
	hint := ""
	var where verdict.Place
	for _, c := range f.Log.Complaints {
		if c.Consequence {
			continue
		}
		said = append(said, c.String())
		if hint == "" {
			hint, where = place(c)+c.Meaning, verdict.Place{File: c.File, Line: c.Line}
			if c.Hint != "" {
				hint += ": " + c.Hint
			}
		}
	}
	return verdict.That(len(said) == 0, expected, orNone(said), hint).At(where.File, where.Line)
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, "; ")
}
