package lifecycle

import (
	"testing"

	"qmconformance/fixtures/probe/report"
	"qmconformance/harness/judge/judgetest"
	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
	"qmconformance/harness/xinetd"
)

const service = requirement.QMServer

// session is a session that was open, which lives or got what is said.
func session(said string) map[requirement.Service]*observe.Standing {
	return map[requirement.Service]*observe.Standing{service: {Opened: true, Lives: said == "", Said: said}}
}

func neverOpened() map[requirement.Service]*observe.Standing {
	return map[requirement.Service]*observe.Standing{service: {Said: "connection refused"}}
}

func visit(change func(*report.Context)) map[requirement.Service]observe.Visit {
	c := &report.Context{
		Umask: "0037", Argv: []string{"qm", "-n", "-conformance"}, Environ: []string{"CONFORMANCE=reloaded"}, EGID: 5,
		Limits: map[string]report.Limit{"Max open files": {Hard: "333"}},
	}
	if change != nil {
		change(c)
	}
	return map[requirement.Service]observe.Visit{service: {Connected: true, Served: true, Context: c}}
}

func refused() map[requirement.Service]observe.Visit {
	return map[requirement.Service]observe.Visit{service: {Outcome: "connection refused"}}
}

// reloaded is a reload as it should be, changed.
func reloaded(change func(*observe.Reload)) observe.Reload {
	f := observe.Reload{
		Standing: session(""),
		Before:   map[requirement.Service]uint64{service: 7}, After: map[requirement.Service]uint64{service: 7},
		During: visit(nil), Later: visit(nil), Finished: true, Running: true,
		Log: []xinetd.Record{{Text: "Reconfigured: new=0 old=2 dropped=0 (services)", Severity: xinetd.Notice}},
	}
	if change != nil {
		change(&f)
	}
	return f
}

var reloads = judgetest.Table{
	"LIFE-01": {
		{Name: "kept", Facts: reloaded(nil), Kind: verdict.Pass},
		{Name: "no session", Facts: reloaded(func(f *observe.Reload) { f.Standing = neverOpened() }), Kind: verdict.NotTestable, Actual: "connection refused"},
		{Name: "not tried", Facts: reloaded(func(f *observe.Reload) { f.Standing = nil }), Kind: verdict.Error},
		{
			Name: "it dies", Kind: verdict.Fail, Actual: "the session got: FIN", Hint: "Sending signal 9 to qmserver",
			Facts: reloaded(func(f *observe.Reload) {
				f.Standing = session("FIN")
				f.Log = append(f.Log, xinetd.Record{Text: "Sending signal 9 to qmserver server 30"})
			}),
		},
		{Name: "refused meanwhile", Facts: reloaded(func(f *observe.Reload) { f.During = refused() }), Kind: verdict.Fail, Actual: "during it"},
		{Name: "refused later", Facts: reloaded(func(f *observe.Reload) { f.Later = refused() }), Kind: verdict.Fail, Actual: "after it"},
		{Name: "another socket", Facts: reloaded(func(f *observe.Reload) { f.After = map[requirement.Service]uint64{service: 8} }), Kind: verdict.Fail, Actual: "another socket"},
		{Name: "nobody listened", Facts: reloaded(func(f *observe.Reload) { f.Before = nil }), Kind: verdict.NotTestable},
	},
	"LIFE-02": {
		{Name: "kept", Facts: reloaded(nil), Kind: verdict.Pass, Actual: "dropped=0"},
		{Name: "it has ended", Facts: reloaded(func(f *observe.Reload) { f.Running = false }), Kind: verdict.Fail, Actual: "does not run"},
		{Name: "silent", Facts: reloaded(func(f *observe.Reload) { f.Finished, f.Log = false, nil }), Kind: verdict.Fail, Actual: "nothing was logged"},
		{
			Name: "complaint", Kind: verdict.Fail, Actual: "it complained: no such file",
			Facts: reloaded(func(f *observe.Reload) {
				f.Log = append(f.Log, xinetd.Record{Text: "no such file", Severity: xinetd.Error})
			}),
		},
		{
			Name: "dropped", Kind: verdict.Fail, Actual: "dropped=1",
			Facts: reloaded(func(f *observe.Reload) { f.Log[0].Text = "Reconfigured: new=0 old=1 dropped=1 (services)" }),
		},
	},
	"LIFE-03": {
		{Name: "kept", Facts: reloaded(nil), Kind: verdict.Pass, Actual: "6 attributes"},
		{Name: "refused", Facts: reloaded(func(f *observe.Reload) { f.Later = refused() }), Kind: verdict.Fail, Actual: "connection refused"},
		{Name: "umask", Facts: reloaded(func(f *observe.Reload) { f.Later = visit(func(c *report.Context) { c.Umask = "0002" }) }), Kind: verdict.Fail, Actual: "umask = 0037 was set, and the session shows: 0002"},
		{Name: "groups", Facts: reloaded(func(f *observe.Reload) { f.Later = visit(func(c *report.Context) { c.Groups = []int{0} }) }), Kind: verdict.Fail, Actual: "[0]"},
	},
	"LIFE-04": {
		{Name: "kept", Facts: reloaded(nil), Kind: verdict.Pass},
		{Name: "it dies", Facts: reloaded(func(f *observe.Reload) { f.Standing = session("RST") }), Kind: verdict.Fail, Actual: "the session got: RST"},
	},
}

func scripted(change func(*observe.InitScripted)) observe.InitScripted {
	f := observe.InitScripted{
		Serves: visit(nil), Reloading: observe.Reloading{Reloaded: session(""), Changed: visit(nil)},
		Closed: map[requirement.Service]bool{service: true},
	}
	if change != nil {
		change(&f)
	}
	return f
}

func missing(f *observe.InitScripted) { f.Missing = true }

// restarted is xinetd killed and stopped as it should be, changed.
func restarted(change func(*observe.Rebound)) observe.Restarted {
	f := observe.Rebound{Standing: session(""), After: visit(nil), Closed: map[requirement.Service]bool{service: true}}
	if change != nil {
		change(&f)
	}
	return observe.Restarted{Killed: f, Established: f}
}

var stopsAndStarts = judgetest.Table{
	"LIFE-09": {
		{Name: "kept", Facts: restarted(nil), Kind: verdict.Pass, Actual: "no pid file"},
		{Name: "kept with a pid file", Facts: restarted(func(f *observe.Rebound) { f.PidFile = true }), Kind: verdict.Pass, Actual: "stale pid file"},
		{Name: "it dies", Facts: restarted(func(f *observe.Rebound) { f.Standing = session("FIN") }), Kind: verdict.Fail, Actual: "the session got: FIN"},
		{Name: "refused", Facts: restarted(func(f *observe.Rebound) { f.After = refused() }), Kind: verdict.Fail, Actual: "a new connection got"},
		{Name: "no session", Facts: restarted(func(f *observe.Rebound) { f.Standing = neverOpened() }), Kind: verdict.NotTestable},
	},
	"LIFE-10": {
		{Name: "kept", Facts: restarted(nil), Kind: verdict.Pass},
		{Name: "it dies", Facts: restarted(func(f *observe.Rebound) { f.Standing = session("FIN") }), Kind: verdict.Fail, Actual: "the session got: FIN"},
		{Name: "still open", Facts: restarted(func(f *observe.Rebound) { f.Closed = nil }), Kind: verdict.Fail, Actual: "still open"},
	},
	"LIFE-11": {
		{Name: "kept", Facts: scripted(nil), Kind: verdict.Pass, Actual: "umask 0037"},
		{Name: "no script", Facts: scripted(missing), Kind: verdict.NotApplicable},
		{Name: "it dies", Facts: scripted(func(f *observe.InitScripted) { f.Reloaded = session("FIN") }), Kind: verdict.Fail, Actual: "the session got: FIN"},
		{Name: "refused", Facts: scripted(func(f *observe.InitScripted) { f.Changed = refused() }), Kind: verdict.Fail, Actual: "connection refused"},
		{Name: "not reached", Facts: scripted(func(f *observe.InitScripted) { f.Changed = visit(func(c *report.Context) { c.Umask = "0002" }) }), Kind: verdict.Fail, Actual: "umask 0002; the script ended with status 0"},
	},
	"LIFE-12": {
		{Name: "kept", Facts: scripted(nil), Kind: verdict.Pass},
		{Name: "no script", Facts: scripted(missing), Kind: verdict.NotApplicable},
		{Name: "not started", Facts: scripted(func(f *observe.InitScripted) { f.Serves = refused() }), Kind: verdict.Fail, Actual: "after the start"},
		{Name: "not stopped", Facts: scripted(func(f *observe.InitScripted) { f.Closed = nil }), Kind: verdict.Fail, Actual: "open after the stop"},
	},
}

func TestRules(t *testing.T) {
	judgetest.Run(t, area, reloads, withdrawals, stopsAndStarts, databases, systems)
}
