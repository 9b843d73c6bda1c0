package lifecycle

import (
	"fmt"
	"slices"
	"strings"

	"qmconformance/fixtures/probe/report"
	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/verdict"
	"qmconformance/harness/xinetd"
)

var _ = judge.Section(area, "reload", func() {
	judge.On("LIFE-01", observe.Unchanged, leavesAlone)
	judge.On("LIFE-02", observe.Unchanged, saysThatItIsDone)
	judge.On("LIFE-03", observe.Changes, changesInForce)
	judge.On("LIFE-04", observe.Changes, livesThrough)
})

func livesThrough(c judge.Case, f observe.Reload) verdict.Finding {
	return lives(f.Standing[c.Service], dropped(c, f.Log))
}

// lives judges a session that was open while something was done.
func lives(session *observe.Standing, hint string) verdict.Finding {
	const expected = "the open session answers"
	switch {
	case session == nil:
		return verdict.Broken("no session was tried")
	case !session.Opened:
		return verdict.Unmet("no session could be opened: %s", session.Said)
	case !session.Lives:
		return verdict.Violated(expected, "the session got: "+session.Said, hint)
	}
	return verdict.Kept(expected, "it does")
}

// dropped is what the log says of a service whose sessions were ended.
func dropped(c judge.Case, log []xinetd.Record) string {
	for _, r := range xinetd.Messages(log) {
		if r.Severity.AtLeast(xinetd.Error) || strings.Contains(r.Text, "deactivated") || strings.HasPrefix(r.Text, "Sending signal") {
			if strings.Contains(r.Text, string(c.Service)) || r.File != "" {
				return "xinetd logged: " + r.Text
			}
		}
	}
	return ""
}

func leavesAlone(c judge.Case, f observe.Reload) verdict.Finding {
	return verdict.First(livesThrough(c, f), refusesNobody(c, f))
}

func refusesNobody(c judge.Case, f observe.Reload) verdict.Finding {
	const expected = "the open session answers, and others are served during the reload and after it, by the socket that listened before"
	before, after := f.Before[c.Service], f.After[c.Service]
	switch {
	case before == 0:
		return verdict.Unmet("nobody listened before")
	case !f.During[c.Service].Served:
		return verdict.Violated(expected, "during it a client got: "+f.During[c.Service].Outcome, dropped(c, f.Log))
	case !f.Later[c.Service].Served:
		return verdict.Violated(expected, "after it a client got: "+f.Later[c.Service].Outcome, dropped(c, f.Log))
	case before != after:
		return verdict.Violated(expected, fmt.Sprintf("served, but by another socket (%d, before %d): the port was closed for a moment", after, before), dropped(c, f.Log))
	}
	return verdict.Kept(expected, fmt.Sprintf("so it is, with %v on the port", f.Left[c.Service]))
}

func saysThatItIsDone(_ judge.Case, f observe.Reload) verdict.Finding {
	const expected = "a line that says how many services stayed and that none was dropped, and no complaint"
	if !f.Running {
		return verdict.Violated(expected, "xinetd does not run any more: "+lastOf(f.Log), "")
	}
	if !f.Finished {
		return verdict.Violated(expected, "no line says that the reload is done; the last one is: "+lastOf(f.Log), "")
	}
	said := ""
	for _, r := range xinetd.Messages(f.Log) {
		if r.Severity.AtLeast(xinetd.Warning) {
			return verdict.Violated(expected, "it complained: "+r.Text, "")
		}
		if strings.HasPrefix(r.Text, "Reconfigured:") {
			said = r.Text
		}
	}
	return verdict.That(strings.Contains(said, "dropped=0") && strings.Contains(said, "new=0"), expected, said, "")
}

func lastOf(log []xinetd.Record) string {
	messages := xinetd.Messages(log)
	if len(messages) == 0 {
		return "(nothing was logged)"
	}
	return messages[len(messages)-1].Text
}

// effects tell of each attribute that was changed what a new session must show.
var effects = map[string]func(report.Context) (shown string, ok bool){
	"umask": func(c report.Context) (string, bool) { return c.Umask, c.Umask == "0037" },
	"server_args": func(c report.Context) (string, bool) {
		return strings.Join(c.Argv, " "), slices.Contains(c.Argv, "-conformance")
	},
	"env": func(c report.Context) (string, bool) {
		return fmt.Sprintf("%d variables", len(c.Environ)), slices.Contains(c.Environ, "CONFORMANCE=reloaded")
	},
	"group":  func(c report.Context) (string, bool) { return fmt.Sprint(c.EGID), c.EGID == 5 },
	"groups": func(c report.Context) (string, bool) { return fmt.Sprint(c.Groups), len(c.Groups) == 0 },
	"rlimit_files": func(c report.Context) (string, bool) {
		limit := c.Limits["Max open files"]
		return limit.Hard, limit.Hard == "333"
	},
}

func changesInForce(c judge.Case, f observe.Reload) verdict.Finding {
	const expected = "a new session shows each change"
	later := f.Later[c.Service]
	if session := f.Standing[c.Service]; session == nil || !session.Opened {
		return verdict.Unmet("it was not served before the reload either")
	}
	if !later.Served {
		return verdict.Violated(expected, "after the reload a client got: "+later.Outcome, dropped(c, f.Log))
	}
	for _, one := range observe.Altered {
		effect, known := effects[one.Attribute]
		if !known {
			return verdict.Broken("nothing is known of the effect of %s", one.Attribute)
		}
		if shown, ok := effect(*later.Context); !ok {
			return verdict.Violated(expected, fmt.Sprintf("%s = %s was set, and the session shows: %s", one.Attribute, one.Value, shown), "")
		}
	}
	return verdict.Kept(expected, fmt.Sprintf("so it does, of %d attributes", len(observe.Altered)))
}
