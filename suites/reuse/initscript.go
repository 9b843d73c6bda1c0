package reuse

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/verdict"
	"qmconformance/harness/wire"
)

var _ = judge.Section(area, "restart by the init script", func() {
	judge.On("REUSE-04", observe.InitScript, restarts)
	judge.On("REUSE-05", observe.InitScript, sessionsSurvive)
	judge.On("REUSE-06", observe.InitScript, window)
})

func restarts(c judge.Case, f observe.InitScripted) verdict.Finding {
	const expected = "another xinetd listens, bound without a failure, and serves"
	if f.Missing {
		return verdict.Absent("there is no init script of xinetd's")
	}
	left := f.Left[c.Service]
	if left.Established == 0 || left.TimeWait == 0 {
		return verdict.Unmet("there was not both an open session and one in TIME_WAIT on the port: %v", left)
	}
	on := fmt.Sprintf("with %v on the port: ", left)
	after, result := f.Restart.After[c.Service], f.Restart.Result
	failed := bindFailures(f.Log, c)
	switch {
	case result.TimedOut:
		return verdict.Violated(expected, fmt.Sprintf("%sthe script had not ended after %v: %s", on, result.Duration.Round(time.Second), strings.TrimSpace(result.Output)), "")
	case failed != "":
		return verdict.Violated(expected, on+failed, "")
	case !after.Served:
		return verdict.Violated(expected, on+"a client got: "+after.Outcome, "")
	case slices.ContainsFunc(f.After, func(pid int) bool { return slices.Contains(f.Before, pid) }):
		return verdict.Violated(expected, fmt.Sprintf("%sthe same process listens as before (pid %d), and the script ended with status %d", on, f.After[0], result.Exit), "")
	case result.Duration > atOnce:
		return verdict.Violated(expected, fmt.Sprintf("%sthe script took %v: %s", on, result.Duration.Round(time.Millisecond), strings.TrimSpace(result.Output)), "")
	}
	return verdict.Kept(expected, on+"they do, after "+wire.Duration(result.Duration)+overtaken(f.Overtaken))
}

// overtaken tells of a restart before the one that was judged.
func overtaken(told string) string {
	if told == "" {
		return ""
	}
	return "; at a first restart the start came before the end of the old xinetd, as it can with a script that does not wait for it: " + told
}

// atOnce is how long the script may take: it ends in 0.1 s, and on a busy machine in
// ten times that; one that waits for connections to go waits for a minute.
const atOnce = 5 * time.Second

func sessionsSurvive(c judge.Case, f observe.InitScripted) verdict.Finding {
	const expected = "the session answers after the restart"
	session := f.Standing[c.Service]
	switch {
	case f.Missing:
		return verdict.Absent("there is no init script of xinetd's")
	case session == nil || !session.Opened:
		return verdict.Unmet("no session could be opened: %s", said(session))
	case !session.Lives:
		return verdict.Violated(expected, "the session got: "+session.Said, "")
	}
	return verdict.Kept(expected, "it does")
}

func window(c judge.Case, f observe.InitScripted) verdict.Finding {
	const most = time.Second
	const expected = "refused for less than 1 s"
	if f.Missing {
		return verdict.Absent("there is no init script of xinetd's")
	}
	if !f.Restart.After[c.Service].Served {
		return verdict.Unmet("nobody was served after the restart: %s", f.Restart.After[c.Service].Outcome)
	}
	w := f.Restart.Window[c.Service]
	if f.Restart.Refused[c.Service] == 0 {
		return verdict.Kept(expected, "no connection that was tried met the closed port")
	}
	return verdict.That(w < most, expected, fmt.Sprintf("not served for %s (%d connections tried meanwhile)", wire.Duration(w), f.Restart.Refused[c.Service]), "")
}
