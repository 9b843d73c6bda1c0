package reuse

import (
	"testing"
	"time"

	"qmconformance/fixtures/probe/report"
	"qmconformance/harness/agent"
	"qmconformance/harness/judge/judgetest"
	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
	"qmconformance/harness/xinetd"
)

const service = requirement.QMServer

func started(socket report.Socket) observe.Started {
	return observe.Started{Context: &report.Context{Socket: socket}}
}

// rebound is a restart as it should be, changed.
func rebound(change func(*observe.Rebound)) observe.Rebound {
	f := observe.Rebound{
		Signal:   "SIGTERM",
		Standing: map[requirement.Service]*observe.Standing{service: {Opened: true, Lives: true}},
		Left:     map[requirement.Service]observe.Onlookers{service: {Established: 1, TimeWait: 2}},
		Closed:   map[requirement.Service]bool{service: true},
		Ready:    agent.Readiness{Ready: true},
		After:    map[requirement.Service]observe.Visit{service: {Connected: true, Served: true}},
		Window:   map[requirement.Service]time.Duration{service: 40 * time.Millisecond},
	}
	if change != nil {
		change(&f)
	}
	return f
}

func refused(f *observe.Rebound) {
	f.After = map[requirement.Service]observe.Visit{service: {Outcome: "connection refused"}}
}

func bindFailed(f *observe.Rebound) {
	refused(f)
	f.Log = []xinetd.Record{
		{Text: "bind failed (Address already in use (errno = 98)). service = qmclient"},
		{Text: "bind failed (Address already in use (errno = 98)). service = qmserver"},
	}
}

// rebounds are the cases of a stop and start, by where they stand.
func rebounds(put func(observe.Rebound) observe.Restarted) []judgetest.Case {
	return []judgetest.Case{
		{Name: "kept", Facts: put(rebound(nil)), Kind: verdict.Pass, Actual: "1 established, 2 in TIME_WAIT on the port: served 40 ms after SIGTERM"},
		{Name: "not bound", Facts: put(rebound(bindFailed)), Kind: verdict.Fail, Actual: "logged 1 times: bind failed"},
		{Name: "refused", Facts: put(rebound(refused)), Kind: verdict.Fail, Actual: "a client got: connection refused"},
		{
			Name: "never ready", Kind: verdict.Fail, Actual: "not ready within 4s",
			Facts: put(rebound(func(f *observe.Rebound) {
				refused(f)
				f.Ready = agent.Readiness{Waited: 4 * time.Second}
			})),
		},
		{Name: "still open", Facts: put(rebound(func(f *observe.Rebound) { f.Closed = nil })), Kind: verdict.Fail, Actual: "still open"},
		{Name: "nothing on the port", Facts: put(rebound(func(f *observe.Rebound) { f.Left = nil })), Kind: verdict.NotTestable},
	}
}

// scripted is an init script that does what it should, changed.
func scripted(change func(*observe.InitScripted)) observe.InitScripted {
	f := observe.InitScripted{Restarting: observe.Restarting{
		Left:     map[requirement.Service]observe.Onlookers{service: {Established: 1, TimeWait: 2}},
		Standing: map[requirement.Service]*observe.Standing{service: {Opened: true, Lives: true}},
		Restart: observe.Interrupted{
			After:   map[requirement.Service]observe.Visit{service: {Served: true}},
			Window:  map[requirement.Service]time.Duration{service: 30 * time.Millisecond},
			Refused: map[requirement.Service]int{service: 12},
		},
		Before: []int{10}, After: []int{20},
	}}
	if change != nil {
		change(&f)
	}
	return f
}

func missing(f *observe.InitScripted) { f.Missing = true }

func unserved(f *observe.InitScripted) {
	f.Restart.After = map[requirement.Service]observe.Visit{service: {Outcome: "connection refused"}}
}

var table = judgetest.Table{
	"REUSE-01": {
		{Name: "kept", Facts: started(report.Socket{Family: "inet", ReuseAddr: true}), Kind: verdict.Pass, Actual: "the flag REUSE makes no difference"},
		{Name: "not set", Facts: started(report.Socket{Family: "inet6"}), Kind: verdict.Fail, Actual: "it is not set"},
		{Name: "a pipe", Facts: started(report.Socket{}), Kind: verdict.NotTestable},
		{Name: "silent", Facts: observe.Started{Outcome: "FIN"}, Kind: verdict.NotTestable, Actual: "FIN"},
	},
	"REUSE-02": rebounds(func(r observe.Rebound) observe.Restarted { return observe.Restarted{TimeWait: r} }),
	"REUSE-03": append(rebounds(func(r observe.Rebound) observe.Restarted { return observe.Restarted{Established: r} }),
		judgetest.Case{Name: "no session", Facts: observe.Restarted{}, Kind: verdict.NotTestable, Actual: "not tried"}),
	"REUSE-04": {
		{Name: "kept", Facts: scripted(nil), Kind: verdict.Pass},
		{
			Name: "overtaken once", Kind: verdict.Pass, Actual: "Starting internet superserver: xinetd failed!",
			Facts: scripted(func(f *observe.InitScripted) {
				f.Overtaken = "Starting internet superserver: xinetd failed!"
			}),
		},
		{
			Name: "overtaken twice", Kind: verdict.Fail, Actual: "connection refused",
			Facts: scripted(func(f *observe.InitScripted) {
				f.Overtaken = "Starting internet superserver: xinetd failed!"
				unserved(f)
			}),
		},
		{Name: "no script", Facts: scripted(missing), Kind: verdict.NotApplicable},
		{Name: "not both on the port", Facts: scripted(func(f *observe.InitScripted) { f.Left = nil }), Kind: verdict.NotTestable},
		{Name: "hangs", Facts: scripted(func(f *observe.InitScripted) {
			f.Restart.Result = agent.RunResult{TimedOut: true, Duration: 10 * time.Second}
		}), Kind: verdict.Fail, Actual: "had not ended after 10s"},
		{Name: "slow", Facts: scripted(func(f *observe.InitScripted) { f.Restart.Result.Duration = 6 * time.Second }), Kind: verdict.Fail, Actual: "took 6s"},
		{Name: "nobody serves", Facts: scripted(unserved), Kind: verdict.Fail, Actual: "connection refused"},
		{Name: "the old one", Facts: scripted(func(f *observe.InitScripted) { f.After = []int{10} }), Kind: verdict.Fail, Actual: "pid 10"},
		{
			Name: "not bound", Kind: verdict.Fail, Actual: "bind failed",
			Facts: scripted(func(f *observe.InitScripted) { f.Log = []xinetd.Record{{Text: "bind failed. service = qmserver"}} }),
		},
	},
	"REUSE-05": {
		{Name: "kept", Facts: scripted(nil), Kind: verdict.Pass},
		{Name: "no script", Facts: scripted(missing), Kind: verdict.NotApplicable},
		{Name: "no session", Facts: scripted(func(f *observe.InitScripted) { f.Standing = nil }), Kind: verdict.NotTestable},
		{
			Name: "it dies", Kind: verdict.Fail, Actual: "the session got: FIN",
			Facts: scripted(func(f *observe.InitScripted) {
				f.Standing = map[requirement.Service]*observe.Standing{service: {Opened: true, Said: "FIN"}}
			}),
		},
	},
	"REUSE-06": {
		{Name: "kept", Facts: scripted(nil), Kind: verdict.Pass, Actual: "not served for 30 ms (12 connections"},
		{Name: "never refused", Facts: scripted(func(f *observe.InitScripted) { f.Restart.Refused = nil }), Kind: verdict.Pass},
		{Name: "no script", Facts: scripted(missing), Kind: verdict.NotApplicable},
		{Name: "never again", Facts: scripted(unserved), Kind: verdict.NotTestable},
		{
			Name: "long", Kind: verdict.Fail, Actual: "2 s",
			Facts: scripted(func(f *observe.InitScripted) {
				f.Restart.Window = map[requirement.Service]time.Duration{service: 2 * time.Second}
			}),
		},
	},
}

func TestRules(t *testing.T) { judgetest.Run(t, area, table) }
