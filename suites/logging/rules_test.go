package logging

import (
	"net/netip"
	"testing"
	"testing/fstest"
	"time"

	"qmconformance/harness/judge/judgetest"
	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
	"qmconformance/harness/xinetd"
)

var (
	client  = netip.MustParseAddr("192.0.2.7")
	client6 = netip.MustParseAddr("2001:db8::7")
	other   = netip.MustParseAddr("192.0.2.8")
)

// lines are records of xinetd's log as a syslog has them.
func lines(texts ...string) (list []xinetd.Record) {
	for _, t := range texts {
		list = append(list, xinetd.ParseLog("<30>Nov 22 08:06:01 xinetd[73]: "+t, xinetd.Zone{})...)
	}
	return list
}

// config is what a package has written: a defaults block and one of a service.
func config(defaults, block string) xinetd.Config {
	text := "defaults\n{\n" + defaults + "\n}\nservice qmserver\n{\n" + block + "\n}\n"
	fsys := fstest.MapFS{"etc/xinetd.conf": {Data: []byte(text)}}
	c, _ := xinetd.Parse(fsys, "/etc/xinetd.conf")
	return c
}

// told is how a service is told to log; the reference's way where nothing is said.
func told(defaults, block string) observe.Logging {
	return observe.Logging{ID: "qmserver", Config: config(defaults, block)}
}

const (
	usual      = "log_type = SYSLOG daemon info\nlog_on_success = PID HOST EXIT DURATION\nlog_on_failure = HOST"
	usualBlock = "log_on_failure += USERID"
)

func trail(rule string, from netip.Addr, texts ...string) observe.Trail {
	return observe.Trail{Rule: rule, Line: "rule = 1", From: from, Connected: true, Refused: true, Outcome: "FIN after 0 bytes", Logged: lines(texts...)}
}

// traces are those of a package that keeps everything, changed by a case.
func traces(change func(*observe.Traces)) observe.Traces {
	f := observe.Traces{
		Service: requirement.QMServer, Logging: told(usual, usualBlock),
		Limits: []observe.Trail{
			trail(xinetd.ReasonInstances, client, "FAIL: qmserver service_limit from=::ffff:192.0.2.7"),
			trail(xinetd.ReasonTime, client, "FAIL: qmserver time from=192.0.2.7"),
		},
		IPv6:     trail(xinetd.ReasonInstances, client6, "FAIL: qmserver service_limit from=2001:db8::7"),
		Children: []observe.Trail{trail(xinetd.ReasonAddress, client, "START: qmserver pid=7 from=192.0.2.7", "FAIL: qmserver address from=192.0.2.7")},
		Rate: trail(xinetd.ReasonConnection, client, "FAIL: qmserver connections per second from=192.0.2.7",
			"Deactivating service qmserver due to excessive incoming connections.  Restarting in 30 seconds."),
		Unexecutable: trail(observe.Execution, client, "execv( /run/x ) failed: No such file or directory (errno = 2)"),
		Other:        trail(xinetd.ReasonInstances, client, "FAIL: qmserver service_limit from=192.0.2.7"),
	}
	f.Unexecutable.Line = "server = /run/x"
	if change != nil {
		change(&f)
	}
	return f
}

// mute is a package whose log has nothing, told to log in a way.
func mute(l observe.Logging) observe.Traces {
	return traces(func(f *observe.Traces) {
		f.Logging = l
		for i := range f.Limits {
			f.Limits[i].Logged = nil
		}
	})
}

var refusals = judgetest.Table{
	"LOG-01": {
		{Name: "kept", Facts: traces(nil), Kind: verdict.Pass, Actual: "FAIL: qmserver time"},
		{Name: "no log_type", Facts: mute(told("log_on_failure = HOST", usualBlock)), Kind: verdict.Fail, Hint: `/etc/xinetd.conf:1: the defaults block lacks "log_type = SYSLOG daemon info"`},
		{Name: "no defaults block", Facts: mute(observe.Logging{ID: "qmserver", Config: xinetd.Config{Files: []string{"/etc/xinetd.conf"}}}), Kind: verdict.Fail, Hint: "has no defaults block"},
		{Name: "no log_on_failure", Facts: mute(told("log_type = SYSLOG daemon info", "")), Kind: verdict.Fail, Hint: `lacks "log_on_failure = HOST"`},
		{Name: "an empty log_on_failure", Facts: mute(told(usual, "log_on_failure =")), Kind: verdict.Fail, Hint: "/etc/xinetd.conf:9 says"},
		{
			Name: "no log file", Kind: verdict.Fail, Hint: "there is no such file",
			Facts: mute(func() observe.Logging {
				l := told("log_type = FILE /var/log/x\nlog_on_failure = HOST", usualBlock)
				l.Files = []observe.LogFile{{Path: "/var/log/x", Missing: true}}
				return l
			}()),
		},
		{
			Name: "a log file that is full", Kind: verdict.Fail, Hint: "size limits",
			Facts: mute(func() observe.Logging {
				l := told("log_type = FILE /var/log/x 64 128\nlog_on_failure = HOST", usualBlock)
				l.Files = []observe.LogFile{{Path: "/var/log/other"}, {Path: "/var/log/x", Size: 128}}
				return l
			}()),
		},
		{Name: "to syslog, without a trace", Facts: mute(told(usual, usualBlock)), Kind: verdict.Fail, Hint: "nothing of that kind arrived"},
		{
			Name: "for another reason", Kind: verdict.Fail, Actual: "FAIL: qmserver load",
			Facts: traces(func(f *observe.Traces) { f.Limits[1].Logged = lines("FAIL: qmserver load from=192.0.2.7") }),
		},
		{
			Name: "another service's line", Kind: verdict.Fail, Actual: "no line of the service's",
			Facts: traces(func(f *observe.Traces) { f.Limits[0].Logged = lines("FAIL: qmclient service_limit from=192.0.2.7") }),
		},
		{Name: "the server was executed", Kind: verdict.Fail, Actual: "executed 1 times", Facts: traces(func(f *observe.Traces) { f.Limits[1].Executed = 1 })},
		{Name: "not refused", Kind: verdict.NotTestable, Facts: traces(func(f *observe.Traces) { f.Limits[0].Refused = false })},
		{Name: "no connection", Kind: verdict.NotTestable, Facts: traces(func(f *observe.Traces) { f.Limits[0].Connected = false })},
		{Name: "nothing was tried", Kind: verdict.Error, Facts: observe.Traces{}},
	},
	"LOG-02": {
		{Name: "kept", Facts: traces(nil), Kind: verdict.Pass, Actual: "2001:db8::7"},
		{Name: "not open on IPv6", Facts: traces(func(f *observe.Traces) { f.IPv6 = observe.Trail{From: client6} }), Kind: verdict.Pass},
		{
			Name: "without HOST in the defaults", Kind: verdict.Fail, Hint: "/etc/xinetd.conf:4 says \"log_on_failure = ATTEMPT\": add HOST",
			Facts: traces(func(f *observe.Traces) {
				f.Logging = told("log_type = SYSLOG daemon info\nlog_on_failure = ATTEMPT", usualBlock)
				f.Limits[0].Logged = lines("FAIL: qmserver service_limit")
			}),
		},
		{
			Name: "replaced in the block", Kind: verdict.Fail, Hint: "write += in place of =",
			Facts: traces(func(f *observe.Traces) {
				f.Logging = told(usual, "log_on_failure = USERID")
				f.Limits[1].Logged = lines("FAIL: qmserver time")
			}),
		},
		{Name: "another's address", Kind: verdict.Fail, Hint: "stands between", Facts: traces(func(f *observe.Traces) { f.Limits[0].From = other })},
		{Name: "an IPv6 client's", Kind: verdict.Fail, Facts: traces(func(f *observe.Traces) { f.IPv6.Logged = lines("FAIL: qmserver service_limit") })},
		{Name: "nothing was tried", Kind: verdict.Error, Facts: observe.Traces{}},
	},
	"LOG-03": {
		{Name: "kept", Facts: traces(nil), Kind: verdict.Pass},
		{Name: "START alone", Kind: verdict.Fail, Facts: traces(func(f *observe.Traces) { f.Children[0].Logged = lines("START: qmserver pid=7 from=192.0.2.7") })},
		{Name: "without the address", Kind: verdict.Fail, Facts: traces(func(f *observe.Traces) { f.Children[0].Logged = lines("FAIL: qmserver address") })},
		{Name: "nothing was tried", Kind: verdict.Error, Facts: observe.Traces{}},
	},
	"LOG-04": {
		{Name: "kept", Facts: traces(nil), Kind: verdict.Pass, Actual: "Restarting in 30"},
		{Name: "without the message", Kind: verdict.Fail, Actual: "no such message", Facts: traces(func(f *observe.Traces) { f.Rate.Logged = f.Rate.Logged[:1] })},
		{Name: "without the client", Kind: verdict.Fail, Facts: traces(func(f *observe.Traces) { f.Rate.Logged = f.Rate.Logged[1:] })},
		{Name: "never closed", Kind: verdict.NotTestable, Facts: traces(func(f *observe.Traces) { f.Rate.Refused = false })},
	},
	"LOG-05": {
		{Name: "kept", Facts: traces(nil), Kind: verdict.Pass, Actual: "execv( /run/x )"},
		{Name: "no error", Kind: verdict.Fail, Facts: traces(func(f *observe.Traces) { f.Unexecutable.Logged = nil })},
		{Name: "an error of another program", Kind: verdict.Fail, Facts: traces(func(f *observe.Traces) { f.Unexecutable.Line = "server = /run/y" })},
		{Name: "it was executed", Kind: verdict.Fail, Facts: traces(func(f *observe.Traces) { f.Unexecutable.Refused = false })},
		{Name: "no connection", Kind: verdict.NotTestable, Facts: traces(func(f *observe.Traces) { f.Unexecutable.Connected = false })},
	},
	"LOG-12": {
		{Name: "kept", Facts: traces(nil), Kind: verdict.Pass},
		{Name: "nothing there", Kind: verdict.Fail, NoHint: true, Facts: traces(func(f *observe.Traces) { f.Other.Logged = nil })},
		{Name: "closed", Kind: verdict.Fail, Actual: "closed", Facts: traces(func(f *observe.Traces) { f.Other.Connected = false })},
		{Name: "not tried", Kind: verdict.Error, Facts: observe.Traces{}},
	},
}

func session(defaults, block string, texts ...string) observe.SessionTrails {
	return observe.SessionTrails{Sessions: map[requirement.Service]*observe.SessionTrail{requirement.QMServer: {
		Logging: told(defaults, block), From: client, PID: 40, PPID: 9, Served: 1100 * time.Millisecond, Held: 1120 * time.Millisecond, Status: 3, Logged: lines(texts...),
	}}}
}

func changed(f observe.SessionTrails, change func(*observe.SessionTrail)) observe.SessionTrails {
	change(f.Sessions[requirement.QMServer])
	return f
}

var sessions = judgetest.Table{
	"LOG-06": {
		{Name: "kept", Facts: session(usual, "", "START: qmserver pid=40 from=192.0.2.7", "EXIT: qmserver status=3 pid=40 duration=1(sec)"), Kind: verdict.Pass},
		{Name: "a wrapper's process", Facts: session(usual, "", "START: qmserver pid=9 from=192.0.2.7", "EXIT: qmserver status=3 pid=9"), Kind: verdict.Pass},
		{Name: "nothing", Facts: session("log_type = SYSLOG daemon info", ""), Kind: verdict.Fail, Hint: `lacks "log_on_success = HOST"`},
		{Name: "nothing, with no log at all", Facts: session("", ""), Kind: verdict.Fail, Hint: "log_type"},
		{Name: "emptied", Facts: session(usual, "log_on_success ="), Kind: verdict.Fail, Hint: "takes the place"},
		{Name: "no address", Facts: session("log_on_success = PID", "", "START: qmserver pid=40"), Kind: verdict.Fail, Hint: "add HOST"},
		{Name: "no PID", Facts: session("log_on_success = HOST", "", "START: qmserver from=192.0.2.7"), Kind: verdict.Fail, Hint: "add PID"},
		{Name: "another PID", Facts: session(usual, "", "START: qmserver pid=41 from=192.0.2.7"), Kind: verdict.Fail, Actual: "pid=41"},
		{Name: "another client", Facts: session(usual, "", "START: qmserver pid=40 from=192.0.2.8"), Kind: verdict.Fail, Hint: "another one's"},
		{Name: "no EXIT", Facts: session("log_on_success = PID HOST", "", "START: qmserver pid=40 from=192.0.2.7", "EXIT: qmserver status=0 pid=39"), Kind: verdict.Fail, Hint: "add EXIT"},
		{Name: "another service's", Facts: session(usual, "", "START: qmclient pid=40 from=192.0.2.7"), Kind: verdict.Fail, Actual: "no START"},
		{
			Name: "the server is silent", Kind: verdict.NotTestable,
			Facts: observe.SessionTrails{Sessions: map[requirement.Service]*observe.SessionTrail{requirement.QMServer: {Outcome: "FIN"}}},
		},
		{Name: "nothing was tried", Facts: observe.SessionTrails{}, Kind: verdict.Error},
	},
	"LOG-07": {
		{Name: "kept", Facts: session(usual, "", "EXIT: qmserver status=3 pid=40 duration=1(sec)"), Kind: verdict.Pass},
		{Name: "a wrapper's own status", Facts: session(usual, "", "EXIT: qmserver status=0 pid=9 duration=2(sec)"), Kind: verdict.Pass},
		{Name: "no duration", Facts: session("log_on_success = EXIT", "", "EXIT: qmserver status=3 pid=40"), Kind: verdict.Fail, Hint: "add DURATION"},
		{Name: "no status", Facts: session("log_on_success = DURATION", "", "EXIT: qmserver pid=40 duration=1(sec)"), Kind: verdict.Fail, Hint: "add EXIT"},
		{Name: "another status", Facts: session(usual, "", "EXIT: qmserver status=0 pid=40 duration=1(sec)"), Kind: verdict.Fail},
		{Name: "a busy machine's", Kind: verdict.Pass, Facts: changed(session(usual, "", "EXIT: qmserver status=3 pid=40 duration=2(sec)"), func(s *observe.SessionTrail) { s.Held = 4 * time.Second })},
		{
			Name: "the clock was set meanwhile", Kind: verdict.Error, Actual: "the clock was set by 1h0m0s",
			Facts: changed(session(usual, "", "EXIT: qmserver status=3 pid=40 duration=3601(sec)"), func(s *observe.SessionTrail) { s.Jump = time.Hour }),
		},
		{Name: "too short", Kind: verdict.Fail, Facts: changed(session(usual, "", "EXIT: qmserver status=3 pid=40 duration=1(sec)"), func(s *observe.SessionTrail) { s.Served, s.Held = 3*time.Second, 4*time.Second })},
		{Name: "far too long", Facts: session(usual, "", "EXIT: qmserver status=3 pid=40 duration=9(sec)"), Kind: verdict.Fail},
		{Name: "nothing", Facts: session(usual, ""), Kind: verdict.Fail},
		{Name: "nothing was tried", Facts: observe.SessionTrails{}, Kind: verdict.Error},
	},
}

func TestRefusals(t *testing.T) { judgetest.Run(t, "", refusals) }
func TestSessions(t *testing.T) { judgetest.Run(t, "", sessions) }

func TestEveryRuleOfTheAreaHasCases(t *testing.T) {
	judgetest.Run(t, area, refusals, sessions, identities, silences, systems)
}
