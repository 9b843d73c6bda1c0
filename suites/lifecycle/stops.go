package lifecycle

import (
	"fmt"
	"strings"

	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/verdict"
	"qmconformance/harness/wire"
)

var _ = judge.Section(area, "stop and start", func() {
	judge.On("LIFE-09", observe.Restarts, killed)
	judge.On("LIFE-10", observe.Restarts, stopped)
	judge.On("LIFE-11", observe.InitScript, reloadsByScript)
	judge.On("LIFE-12", observe.InitScript, startsAndStops)
})

func killed(c judge.Case, f observe.Restarted) verdict.Finding {
	const expected = "the session answers, and a new connection is served"
	if v := lives(f.Killed.Standing[c.Service], ""); v.Kind != verdict.Pass {
		return v
	}
	after := f.Killed.After[c.Service]
	if !after.Served {
		return verdict.Violated(expected, "the session does; a new connection got: "+after.Outcome, "")
	}
	left := "no pid file was left"
	if f.Killed.PidFile {
		left = "in spite of a stale pid file"
	}
	return verdict.Kept(expected, fmt.Sprintf("so it is, %s after the kill; %s", wire.Duration(f.Killed.Window[c.Service]), left))
}

func stopped(c judge.Case, f observe.Restarted) verdict.Finding {
	const expected = "the port is closed, and the open session answers"
	if !f.Established.Closed[c.Service] {
		return verdict.Violated(expected, "the port was still open when xinetd had gone", "")
	}
	if v := lives(f.Established.Standing[c.Service], ""); v.Kind != verdict.Pass {
		return v
	}
	return verdict.Kept(expected, fmt.Sprintf("so it is (%s, %s)", f.Established.Stopped.Exit, wire.Duration(f.Established.Took)))
}

func reloadsByScript(c judge.Case, f observe.InitScripted) verdict.Finding {
	const expected = "the changed umask holds for a new session, and the open one answers"
	if f.Missing {
		return verdict.Absent("there is no init script of xinetd's")
	}
	if v := lives(f.Reloaded[c.Service], ""); v.Kind != verdict.Pass {
		return v
	}
	changed := f.Changed[c.Service]
	if !changed.Served {
		return verdict.Violated(expected, "a new connection got: "+changed.Outcome, "")
	}
	shown, ok := effects["umask"](*changed.Context)
	return verdict.That(ok, expected, fmt.Sprintf("umask %s; the script ended with status %d", shown, f.Reload.Exit), "")
}

func startsAndStops(c judge.Case, f observe.InitScripted) verdict.Finding {
	const expected = "a connection is served after the start, and the port is closed after the stop"
	if f.Missing {
		return verdict.Absent("there is no init script of xinetd's")
	}
	if v := f.Serves[c.Service]; !v.Served {
		return verdict.Violated(expected, fmt.Sprintf("after the start a client got: %s; the script ended with status %d: %s", v.Outcome, f.Start.Exit, strings.TrimSpace(f.Start.Output)), "")
	}
	if !f.Closed[c.Service] {
		return verdict.Violated(expected, fmt.Sprintf("the port is open after the stop, and the script ended with status %d", f.Stop.Exit), "")
	}
	return verdict.Kept(expected, "so it is")
}
