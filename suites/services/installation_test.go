package services

import (
	"testing"
	"time"

	"qmconformance/harness/agent"
	"qmconformance/harness/judge/judgetest"
	"qmconformance/harness/observe"
	"qmconformance/harness/target"
	"qmconformance/harness/verdict"
	"qmconformance/harness/xinetd"
)

// ended are the cases of a script that must end well; facts puts its result in
// its place.
func ended(name string, facts func(agent.RunResult) observe.Installed) []judgetest.Case {
	return []judgetest.Case{
		{Name: "well", Facts: facts(agent.RunResult{Output: "done\n"}), Kind: verdict.Pass, Expected: name, Actual: "status 0"},
		{
			Name: "with a status", Facts: facts(agent.RunResult{Exit: 3, Output: "first\nlast words\n\n"}), Kind: verdict.Fail,
			Expected: name + " ends with status 0", Actual: "status 3", Hint: name + " said last: last words",
		},
		{Name: "by a signal", Facts: facts(agent.RunResult{Exit: -1, Signal: "killed"}), Kind: verdict.Fail, Actual: "ended by signal: killed", NoHint: true},
		{
			Name: "not within its time", Facts: facts(agent.RunResult{Exit: -1, Signal: "killed", TimedOut: true, Output: "waiting"}), Kind: verdict.Fail,
			Expected: "within 1m0s", Actual: "still ran after 1m0s", Hint: "waiting",
		},
		{Name: "not even begun", Facts: facts(agent.RunResult{Exit: -1, StartError: "no such file"}), Kind: verdict.Fail, Actual: "could not be started: no such file"},
	}
}

// up is a subject that came up, changed.
func up(change func(*observe.Installed)) observe.Installed {
	f := observe.Installed{Running: true}
	f.Startup.Xinetd = agent.Readiness{Ready: true, Waited: 15 * time.Millisecond}
	if change != nil {
		change(&f)
	}
	return f
}

var fatal = xinetd.Complaint{Effect: xinetd.Fatal, Text: "no services", Hint: "have one", File: "/etc/xinetd.conf", Line: 7}

var installation = judgetest.Table{
	"SERV-01": append(ended("setup.sh", func(r agent.RunResult) observe.Installed {
		return observe.Installed{Installation: target.Installation{Setup: &r}}
	}), judgetest.Case{Name: "none", Facts: observe.Installed{}, Kind: verdict.Pass, Actual: "no setup.sh"}),
	"SERV-02": ended("/usr/qmsys/bin/qm -start", func(r agent.RunResult) observe.Installed {
		return observe.Installed{Startup: target.Startup{Command: "/usr/qmsys/bin/qm -start", Start: r}}
	}),
	"SERV-03": {
		{Name: "up", Facts: up(nil), Kind: verdict.Pass, Actual: "15ms"},
		{
			Name: "ended", Kind: verdict.Fail, Actual: "it has ended: exit status 1", Hint: "said last: cannot do it",
			Facts: up(func(f *observe.Installed) {
				f.Running, f.Exit, f.Startup.Xinetd.Daemon.Output = false, "exit status 1", "hm\ncannot do it\n"
			}),
		},
		{
			Name: "ended, and its log says why", Kind: verdict.Fail, Hint: "/etc/xinetd.conf:7: no services: have one",
			Facts: up(func(f *observe.Installed) {
				f.Running, f.Startup.Xinetd.Daemon.Output = false, "no word of it"
				f.Log.Complaints = []xinetd.Complaint{{Effect: xinetd.Weakened, Text: "another"}, fatal}
			}),
		},
		{
			Name: "not ready in time", Kind: verdict.Fail, Actual: "neither says that it is ready nor listens after 15s",
			Facts: up(func(f *observe.Installed) { f.Startup.Xinetd = agent.Readiness{Waited: 15 * time.Second} }),
		},
	},
	"SERV-04": {
		{Name: "kept", Facts: up(nil), Kind: verdict.Pass, Actual: "none"},
		{
			Name: "a complaint with its place", Kind: verdict.Fail, Actual: "/etc/xinetd.d/qmserver:5: bad umask",
			Hint: "/etc/xinetd.d/qmserver:5: it means that: do this",
			Facts: up(func(f *observe.Installed) {
				f.Log.Complaints = []xinetd.Complaint{{File: "/etc/xinetd.d/qmserver", Line: 5, Text: "bad umask", Meaning: "it means that", Hint: "do this"}}
			}),
		},
		{
			Name: "two: the first leads", Kind: verdict.Fail, Actual: "one; two", Hint: "meant first",
			Facts: up(func(f *observe.Installed) {
				f.Log.Complaints = []xinetd.Complaint{{Text: "one", Meaning: "meant first"}, {Text: "two", Meaning: "meant second"}}
			}),
		},
		{
			Name: "a consequence alone is none", Kind: verdict.Pass,
			Facts: up(func(f *observe.Installed) { f.Log.Complaints = []xinetd.Complaint{{Text: "one", Consequence: true}} }),
		},
	},
}

func TestInstallation(t *testing.T) { judgetest.Run(t, "", installation) }
