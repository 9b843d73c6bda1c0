package lifecycle

import (
	"time"

	"qmconformance/harness/agent"
	"qmconformance/harness/judge/judgetest"
	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/target"
	"qmconformance/harness/verdict"
	"qmconformance/harness/xinetd"
)

// booted is a system that does with xinetd what it should, changed.
func booted(change func(*observe.Booted)) observe.Booted {
	f := observe.Booted{
		System: target.System{Up: true, State: "running", Took: time.Second},
		Unit:   observe.Unit{Active: "active", Sub: "running", Result: "success", Kill: "process", Fragment: "/run/systemd/generator.late/xinetd.service"},
		Serves: visit(nil), Again: visit(nil),
		Reloading: observe.Reloading{Reloaded: session(""), Changed: visit(nil)},
		Restarting: observe.Restarting{
			Standing: session(""),
			Left:     map[requirement.Service]observe.Onlookers{service: {Established: 1, TimeWait: 2}},
			Restart: observe.Interrupted{
				After: visit(nil), Window: map[requirement.Service]time.Duration{service: 100 * time.Millisecond},
				Result: agent.RunResult{Duration: 200 * time.Millisecond},
			},
			Before: []int{10}, After: []int{20},
		},
		Closed: map[requirement.Service]bool{service: true},
	}
	if change != nil {
		change(&f)
	}
	return f
}

var failed = agent.RunResult{Exit: 1, Output: "Job for xinetd.service failed.\n"}

var systems = judgetest.Table{
	"LIFE-18": {
		{Name: "kept", Facts: booted(nil), Kind: verdict.Pass, Actual: "running after 1 s; the unit is made from the init script"},
		{Name: "does not come up", Facts: booted(func(f *observe.Booted) { f.System = target.System{State: "offline"} }), Kind: verdict.Fail, Actual: "does without it"},
		{
			Name: "never active", Kind: verdict.Fail, Actual: "the unit is activating (start, success)",
			Facts: booted(func(f *observe.Booted) { f.Unit.Active, f.Unit.Sub = "activating", "start" }),
		},
		{
			Name: "not served", Kind: verdict.Fail, Actual: "connection refused; the unit is /etc/systemd/system/xinetd.service, with /etc/x.conf",
			Facts: booted(func(f *observe.Booted) {
				f.Serves, f.Unit.Fragment, f.Unit.DropIns = refused(), "/etc/systemd/system/xinetd.service", "/etc/x.conf"
			}),
		},
	},
	"LIFE-19": {
		{Name: "kept", Facts: booted(nil), Kind: verdict.Pass, Actual: "not served for 100 ms"},
		{Name: "not both on the port", Facts: booted(func(f *observe.Booted) { f.Left = nil }), Kind: verdict.NotTestable},
		{
			Name: "hangs", Kind: verdict.Fail, Actual: "had not ended after 15 s",
			Facts: booted(func(f *observe.Booted) {
				f.Restart.Result = agent.RunResult{TimedOut: true, Exit: -1, Duration: 15 * time.Second}
			}),
		},
		{Name: "slow", Facts: booted(func(f *observe.Booted) { f.Restart.Result.Duration = 6 * time.Second }), Kind: verdict.Fail, Actual: "took 6 s"},
		{
			Name: "not bound", Kind: verdict.Fail, Actual: "bind failed",
			Facts: booted(func(f *observe.Booted) { f.Log = []xinetd.Record{{Text: "bind failed. service = qmserver"}} }),
		},
		{
			Name: "nobody serves", Kind: verdict.Fail, Actual: "connection refused; systemctl ended with status 1: Job",
			Facts: booted(func(f *observe.Booted) { f.Restart.After, f.Restart.Result = refused(), failed }),
		},
		{Name: "the old one", Facts: booted(func(f *observe.Booted) { f.After = []int{10} }), Kind: verdict.Fail, Actual: "pid 10"},
	},
	"LIFE-20": {
		{Name: "kept", Facts: booted(nil), Kind: verdict.Pass, Actual: "umask 0037"},
		{Name: "fails", Facts: booted(func(f *observe.Booted) { f.Reload = failed }), Kind: verdict.Fail, Actual: "status 1: Job for"},
		{Name: "it dies", Facts: booted(func(f *observe.Booted) { f.Reloaded = session("FIN") }), Kind: verdict.Fail, Actual: "the session got: FIN"},
		{Name: "not served", Facts: booted(func(f *observe.Booted) { f.Changed = refused() }), Kind: verdict.Fail, Actual: "connection refused"},
		{Name: "no session", Facts: booted(func(f *observe.Booted) { f.Reloaded = neverOpened() }), Kind: verdict.NotTestable},
		{Name: "without effect", Facts: booted(func(f *observe.Booted) { f.Changed[service].Context.Umask = "0002" }), Kind: verdict.Fail, Actual: "umask 0002"},
	},
	"LIFE-21": {
		{Name: "kept", Facts: booted(nil), Kind: verdict.Pass},
		{Name: "open still", Facts: booted(func(f *observe.Booted) { f.Closed = nil }), Kind: verdict.Fail, Actual: "open after the stop, and systemctl ended with status 0"},
		{Name: "not served", Facts: booted(func(f *observe.Booted) { f.Again, f.Start = refused(), failed }), Kind: verdict.Fail, Actual: "after the start a client got: connection refused"},
	},
	"LIFE-22": {
		{Name: "kept", Facts: booted(nil), Kind: verdict.Pass, Actual: "KillMode=process"},
		{Name: "no session", Facts: booted(func(f *observe.Booted) { f.Standing = nil }), Kind: verdict.NotTestable},
		{
			Name: "it dies", Kind: verdict.Fail, Actual: "the session got: FIN; the unit is made from the init script and has KillMode=control-group",
			Facts: booted(func(f *observe.Booted) { f.Standing, f.Unit.Kill = session("FIN"), "control-group" }),
		},
	},
}
