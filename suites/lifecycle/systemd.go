package lifecycle

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"qmconformance/harness/agent"
	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/verdict"
	"qmconformance/harness/wire"
	"qmconformance/harness/xinetd"
)

var _ = judge.Section(area, "a system that systemd boots", func() {
	judge.On("LIFE-18", observe.Boot, servesAfterBoot)
	judge.On("LIFE-19", observe.Boot, restartsByUnit)
	judge.On("LIFE-20", observe.Boot, reloadsByUnit)
	judge.On("LIFE-21", observe.Boot, stopsByUnit)
	judge.On("LIFE-22", observe.Boot, sessionsOutliveUnit)
})

// made says what a unit is made of, for whoever has to change it.
func made(u observe.Unit) string {
	text := "the unit is " + u.Fragment
	if strings.Contains(u.Fragment, "/generator") {
		text = "the unit is made from the init script"
	}
	if u.DropIns != "" {
		text += ", with " + u.DropIns
	}
	return text
}

func servesAfterBoot(c judge.Case, f observe.Booted) verdict.Finding {
	const expected = "the unit is active, and a connection is served"
	switch v := f.Serves[c.Service]; {
	case !f.System.Up:
		return verdict.Violated(expected, fmt.Sprintf("systemd does not come up with the package, and does without it: %q after %s", f.System.State, wire.Duration(f.System.Took)), "")
	case f.Unit.Active != "active":
		return verdict.Violated(expected, fmt.Sprintf("%s after the boot the unit is %s (%s, %s); %s", wire.Duration(f.System.Took), f.Unit.Active, f.Unit.Sub, f.Unit.Result, made(f.Unit)), "")
	case !v.Served:
		return verdict.Violated(expected, fmt.Sprintf("the unit is active (%s), and a client got: %s; %s", f.Unit.Sub, v.Outcome, made(f.Unit)), "")
	}
	return verdict.Kept(expected, fmt.Sprintf("so it is; the system was %s after %s; %s", f.System.State, wire.Duration(f.System.Took), made(f.Unit)))
}

// atOnce is how long systemctl may take: 0.2 s, and on a busy machine ten times that;
// one that waits for connections to go waits for a minute.
const atOnce = 5 * time.Second

func restartsByUnit(c judge.Case, f observe.Booted) verdict.Finding {
	const expected = "another xinetd listens, bound without a failure, and serves"
	left := f.Left[c.Service]
	if left.Established == 0 || left.TimeWait == 0 {
		return verdict.Unmet("there was not both an open session and one in TIME_WAIT on the port: %v", left)
	}
	on := fmt.Sprintf("with %v on the port: ", left)
	after, result := f.Restart.After[c.Service], f.Restart.Result
	failures := xinetd.BindFailures(f.Log, string(c.Service))
	switch {
	case result.TimedOut:
		return verdict.Violated(expected, fmt.Sprintf("%ssystemctl had not ended after %s; %s", on, wire.Duration(result.Duration), made(f.Unit)), "")
	case len(failures) > 0:
		return verdict.Violated(expected, fmt.Sprintf("%slogged %d times: %s", on, len(failures), failures[0].Text), "")
	case !after.Served:
		return verdict.Violated(expected, fmt.Sprintf("%sa client got: %s; %s", on, after.Outcome, ended(result)), "")
	case slices.ContainsFunc(f.After, func(pid int) bool { return slices.Contains(f.Before, pid) }):
		return verdict.Violated(expected, fmt.Sprintf("%sthe same process listens as before (pid %d), and %s", on, f.After[0], ended(result)), "")
	case result.Duration > atOnce:
		return verdict.Violated(expected, fmt.Sprintf("%ssystemctl took %s; %s", on, wire.Duration(result.Duration), made(f.Unit)), "")
	}
	kept := fmt.Sprintf("%sthey do, after %s; not served for %s", on, wire.Duration(result.Duration), wire.Duration(f.Restart.Window[c.Service]))
	if f.Overtaken != "" {
		kept += "; at a first restart the start came before the end of the old xinetd: " + f.Overtaken
	}
	return verdict.Kept(expected, kept)
}

// ended is how systemctl ended, with what it said.
func ended(r agent.RunResult) string {
	text := fmt.Sprintf("systemctl ended with status %d", r.Exit)
	if said := strings.Fields(r.Output + r.StartError); len(said) > 0 {
		text += ": " + strings.Join(said, " ")
	}
	return text
}

func reloadsByUnit(c judge.Case, f observe.Booted) verdict.Finding {
	const expected = "systemctl succeeds, the changed umask holds for a new session, and the open one answers"
	if f.Reload.Exit != 0 {
		return verdict.Violated(expected, made(f.Unit)+"; "+ended(f.Reload), "")
	}
	if v := lives(f.Reloaded[c.Service], ""); v.Kind != verdict.Pass {
		return v
	}
	changed := f.Changed[c.Service]
	if !changed.Served {
		return verdict.Violated(expected, "a new connection got: "+changed.Outcome, "")
	}
	shown, ok := effects["umask"](*changed.Context)
	return verdict.That(ok, expected, fmt.Sprintf("umask %s; %s; %s", shown, ended(f.Reload), made(f.Unit)), "")
}

func stopsByUnit(c judge.Case, f observe.Booted) verdict.Finding {
	const expected = "the port is closed after the stop, and a connection is served after the start"
	if !f.Closed[c.Service] {
		return verdict.Violated(expected, fmt.Sprintf("the port is open after the stop, and %s; %s", ended(f.Stop), made(f.Unit)), "")
	}
	if v := f.Again[c.Service]; !v.Served {
		return verdict.Violated(expected, fmt.Sprintf("after the start a client got: %s; %s", v.Outcome, ended(f.Start)), "")
	}
	return verdict.Kept(expected, "so it is")
}

func sessionsOutliveUnit(c judge.Case, f observe.Booted) verdict.Finding {
	const expected = "the open session answers after the restart"
	session := f.Standing[c.Service]
	switch {
	case session == nil || !session.Opened:
		return verdict.Unmet("no session could be opened")
	case !session.Lives:
		return verdict.Violated(expected, fmt.Sprintf("the session got: %s; %s and has KillMode=%s", session.Said, made(f.Unit), f.Unit.Kill), "")
	}
	return verdict.Kept(expected, fmt.Sprintf("it does; the unit has KillMode=%s", f.Unit.Kill))
}
