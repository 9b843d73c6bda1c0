package stdio

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"qmconformance/fixtures/probe/report"
	"qmconformance/harness/judge/judgetest"
	"qmconformance/harness/observe"
	"qmconformance/harness/process"
	"qmconformance/harness/qmclient"
	"qmconformance/harness/requirement"
	"qmconformance/harness/telnet"
	"qmconformance/harness/verdict"
	"qmconformance/harness/wire"
	"qmconformance/harness/wire/symptom"
)

// socket is the inode of the connection, other that of another one.
const socket, other = 4711, 4712

func fd(n int, inode uint64) process.FD {
	return process.FD{Number: n, Kind: process.KindSocket, Inode: inode, Target: "socket:[" + map[uint64]string{socket: "4711", other: "4712"}[inode] + "]"}
}

// served is a conversation and its process as they should be, changed.
func served(change func(*observe.Contacted)) observe.Contacted {
	p := process.Process{
		PID: 100, PPID: 73, Session: 100, PGRP: 100, Comm: "qm", Exe: "/usr/qmsys/bin/qm", Args: []string{"qm", "-n"},
		Env: []string{"PATH=/bin", "REMOTE_HOST=::ffff:192.0.2.1"},
		FDs: []process.FD{fd(0, socket), fd(1, socket), fd(2, socket), {Number: 3, Target: "/usr/qmsys/MESSAGES/%0", Kind: process.KindFile}},
	}
	f := observe.Contacted{
		Service: requirement.QMServer, Connected: true, Ended: observe.Ended{Gone: true},
		Telnet: &telnet.Greeting{
			Opening: []byte{255}, Offers: slices.Clone(opening), FirstByteAt: time.Millisecond, Reached: telnet.PromptUsername, Text: "Username: ",
		},
		TelnetLeft: &telnet.Leaving{Outcome: wire.Outcome{Result: wire.EndedByFIN}},
		Served: observe.Served{
			Found: true, Server: p, Client: netip.MustParseAddrPort("192.0.2.1:50000"), Socket: process.Socket{Inode: socket},
			Holders: []process.Process{p}, Xinetd: process.Process{PID: 73, Comm: "xinetd"}, Parent: process.Process{PID: 73, Comm: "xinetd"},
		},
	}
	if change != nil {
		change(&f)
	}
	return f
}

func server(change func(*process.Process)) observe.Contacted {
	return served(func(f *observe.Contacted) { change(&f.Served.Server) })
}

func greeted(change func(*telnet.Greeting)) observe.Contacted {
	return served(func(f *observe.Contacted) { change(f.Telnet) })
}

// api is a conversation with the other service, changed.
func api(change func(*qmclient.Greeting, *qmclient.Leaving)) observe.Contacted {
	g := &qmclient.Greeting{Ack: true, Outcome: wire.Outcome{Result: wire.Enough}}
	left := &qmclient.Leaving{Exact: true, Result: qmclient.Result{Form: qmclient.FormReply, Reply: qmclient.NotLoggedIn()}, End: wire.Outcome{Result: wire.EndedByFIN}}
	if change != nil {
		change(g, left)
	}
	return observe.Contacted{Service: requirement.QMClient, Connected: true, API: g, APILeft: left}
}

// nobody is a conversation without a process that could be found.
var nobody = served(func(f *observe.Contacted) { f.Served = observe.Served{} })

var words = judgetest.Table{
	"STDIO-01": {
		{Name: "kept", Facts: served(nil), Kind: verdict.Pass, Expected: "negotiation (6 offers)"},
		{
			Name: "silence", Kind: verdict.Fail, Actual: "nothing for 5 s",
			Facts: greeted(func(g *telnet.Greeting) {
				*g = telnet.Greeting{Outcome: wire.Outcome{Result: wire.TimedOut, Limit: 5 * time.Second}}
			}),
		},
		{
			Name: "a text before it", Kind: verdict.Fail, Actual: `first came "error while loading`, Hint: "shared library",
			Facts: greeted(func(g *telnet.Greeting) {
				g.Before, g.Symptom = []byte("error while loading shared libraries"), symptom.Loader
			}),
		},
		{
			Name: "offers left out", Kind: verdict.Fail, Actual: `2 offers, then "hello"`,
			Facts: greeted(func(g *telnet.Greeting) { g.Offers, g.Text = g.Offers[:2], "hello" }),
		},
		{
			Name: "offers in another order", Kind: verdict.Fail, Actual: "offer 1 is WILL ECHO instead of DO SUPPRESS-LOCAL-ECHO",
			Facts: greeted(func(g *telnet.Greeting) { g.Offers[0], g.Offers[1] = g.Offers[1], g.Offers[0] }),
		},
		{Name: "more offers than known", Facts: greeted(func(g *telnet.Greeting) { g.Offers = append(g.Offers, "WILL SOMETHING") }), Kind: verdict.Pass},
		{Name: "kept by the API", Facts: api(nil), Kind: verdict.Pass, Expected: "06"},
		{
			Name: "another first byte", Kind: verdict.Fail, Actual: "in place of the ACK",
			Facts: api(func(g *qmclient.Greeting, _ *qmclient.Leaving) { g.Ack, g.Early = false, []byte{0xff, 0xfd} }),
		},
		{
			Name: "a text from the API", Kind: verdict.Fail, Actual: "has not been started", Hint: "qm -start",
			Facts: api(func(g *qmclient.Greeting, _ *qmclient.Leaving) {
				g.Ack, g.Text, g.Symptom = false, "ScarletDME has not been started", symptom.NotStarted
			}),
		},
	},
	"STDIO-02": {
		{Name: "kept", Facts: served(nil), Kind: verdict.Pass},
		{
			Name: "another prompt", Kind: verdict.Fail, Actual: `it said "System`,
			Facts: greeted(func(g *telnet.Greeting) { g.Reached, g.Text = telnet.PromptNone, "System is down\n" }),
		},
		{
			Name: "an end that is not one", Kind: verdict.Fail, Actual: "the prompt came; then RST",
			Facts: served(func(f *observe.Contacted) { f.TelnetLeft.Outcome.Result = wire.EndedByReset }),
		},
		{
			Name: "no login", Kind: verdict.Fail, Actual: "without a login", Hint: "-n",
			Facts: greeted(func(g *telnet.Greeting) { g.Reached = telnet.PromptConsole }),
		},
		{Name: "kept by the API", Facts: api(nil), Kind: verdict.Pass, Expected: "Not logged in"},
		{
			Name: "another answer", Kind: verdict.Fail, Actual: "welcome",
			Facts: api(func(_ *qmclient.Greeting, l *qmclient.Leaving) {
				l.Exact, l.Result.Reply.Data = false, []byte("welcome")
			}),
		},
		{
			Name: "an answer that nobody asked for", Kind: verdict.Fail, Actual: "before the quit request", Hint: "came unasked",
			Facts: api(func(_ *qmclient.Greeting, l *qmclient.Leaving) {
				l.Exact, l.Result = false, qmclient.Result{Form: qmclient.FormUnsolicited, Raw: []byte{1, 2}, Action: qmclient.ActionQuit}
			}),
		},
		{
			Name: "all places taken", Kind: verdict.Fail, Actual: "FIN after 1 byte", Hint: "NUMUSERS",
			Facts: api(func(_ *qmclient.Greeting, l *qmclient.Leaving) {
				l.Exact, l.Result = false, qmclient.Result{Form: qmclient.FormNothing, Outcome: wire.Outcome{Result: wire.EndedByFIN, Total: 1}}
			}),
		},
		{
			Name: "no end", Kind: verdict.Fail, Actual: "nothing for 5 s",
			Facts: api(func(_ *qmclient.Greeting, l *qmclient.Leaving) {
				l.End = wire.Outcome{Result: wire.TimedOut, Limit: 5 * time.Second}
			}),
		},
	},
}

// inherited is a program that has the three descriptors, and more.
func inherited(more ...report.File) observe.Started {
	files := []report.File{{FD: 0}, {FD: 1}, {FD: 2}}
	return observe.Started{Context: &report.Context{Files: append(files, more...)}}
}

var descriptors = judgetest.Table{
	"STDIO-03": {
		{Name: "kept", Facts: served(nil), Kind: verdict.Pass, Expected: "192.0.2.1:50000", Actual: "socket:[4711]"},
		{Name: "nobody", Facts: nobody, Kind: verdict.Fail, Actual: "no process", BecauseOf: "STDIO-02"},
		{
			Name: "standard error elsewhere", Kind: verdict.Fail, Actual: "descriptor 2 is /dev/null",
			Facts: server(func(p *process.Process) { p.FDs[2] = process.FD{Number: 2, Target: "/dev/null", Inode: 5} }),
		},
		{
			Name: "another socket", Kind: verdict.Fail, Actual: "descriptor 1 is socket:[4712]",
			Facts: server(func(p *process.Process) { p.FDs[1] = fd(1, other) }),
		},
		{
			Name: "a closed one", Kind: verdict.Fail, Actual: "descriptor 2 is closed",
			Facts: server(func(p *process.Process) { p.FDs = slices.Delete(p.FDs, 2, 3) }),
		},
		{
			Name: "not to be read", Kind: verdict.Error, Actual: "pid 100",
			Facts: server(func(p *process.Process) { p.Problems = []process.Problem{{Part: "fd", Text: "refused"}} }),
		},
	},
	"STDIO-04": {
		{Name: "kept", Facts: inherited(), Kind: verdict.Pass, Actual: "none"},
		{Name: "no answer", Facts: observe.Started{Outcome: "FIN after 0 bytes"}, Kind: verdict.NotTestable},
		{
			Name: "a log of xinetd's", Kind: verdict.Fail, Actual: "4 -> /var/log/xinetd.log, 5 -> socket:[4712]",
			Facts: inherited(report.File{FD: 4, Target: "/var/log/xinetd.log"}, report.File{FD: 5, Target: "socket:[4712]"}),
		},
		{Name: "a file of the tree", Kind: verdict.Fail, Actual: "3 -> /usr/qmsys/x", Facts: inherited(report.File{FD: 3, Target: "/usr/qmsys/x"})},
	},
	"STDIO-18": {
		{Name: "kept", Facts: served(nil), Kind: verdict.Pass, Actual: "none"},
		{Name: "nobody", Facts: nobody, Kind: verdict.NotTestable, BecauseOf: "STDIO-02"},
		{
			Name: "xinetd holds it too", Kind: verdict.Fail, Actual: "xinetd (pid 73: xinetd -dontfork)",
			Facts: served(func(f *observe.Contacted) {
				f.Served.Holders = append(f.Served.Holders, process.Process{PID: 73, Comm: "xinetd", Args: []string{"xinetd", "-dontfork"}})
			}),
		},
		{Name: "not everything could be seen", Facts: served(func(f *observe.Contacted) { f.Served.Blind = 2 }), Kind: verdict.Error, Actual: "2 processes"},
	},
	"STDIO-22": {
		{Name: "kept", Facts: served(nil), Kind: verdict.Pass, Actual: "/usr/qmsys/bin/qm"},
		{Name: "nobody", Facts: nobody, Kind: verdict.NotTestable, BecauseOf: "STDIO-02"},
		{
			Name: "a shell", Kind: verdict.Fail, Actual: "/bin/dash, called as sh /usr/local/bin/qm",
			Facts: server(func(p *process.Process) { p.Exe, p.Args = "/bin/dash", []string{"sh", "/usr/local/bin/qm"} }),
		},
		{
			Name: "a child of another", Kind: verdict.Fail, Actual: "/usr/qmsys/bin/qm, a child of sh (pid 90)",
			Facts: served(func(f *observe.Contacted) { f.Served.Parent = process.Process{PID: 90, Comm: "sh"} }),
		},
	},
}

// began is how a program in qm's place finds itself, changed.
func began(change func(*report.Context)) observe.Started {
	limit := func(v string) report.Limit { return report.Limit{Soft: v, Hard: v} }
	c := &report.Context{Cwd: "/", SigIgn: "0000000000000000", SigBlk: "0000000000000000", Limits: map[string]report.Limit{"Max open files": limit("1024")}}
	for _, name := range mustBeUnlimited {
		c.Limits[name] = limit("unlimited")
	}
	if change != nil {
		change(c)
	}
	return observe.Started{Context: c}
}

func limitOf(name, value string) observe.Started {
	return began(func(c *report.Context) { c.Limits[name] = report.Limit{Soft: value, Hard: "unlimited"} })
}

var mute = judgetest.Case{Name: "it did not speak", Facts: observe.Started{Outcome: "FIN after 0 bytes"}, Kind: verdict.NotTestable, Actual: "FIN after 0 bytes"}

func limitCases() []judgetest.Case {
	cases := []judgetest.Case{
		mute,
		{Name: "kept", Facts: began(nil), Kind: verdict.Pass, Expected: "256 descriptors", Actual: "Max open files is 1024"},
		{Name: "just enough", Facts: limitOf("Max open files", "256"), Kind: verdict.Pass},
		{Name: "one too few", Facts: limitOf("Max open files", "255"), Kind: verdict.Fail, Actual: "Max open files is 255"},
		{Name: "no end of them", Facts: limitOf("Max open files", "unlimited"), Kind: verdict.Pass},
		{Name: "descriptors not shown", Facts: began(func(c *report.Context) { delete(c.Limits, "Max open files") }), Kind: verdict.Error, Actual: "Max open files"},
		{Name: "a stack of 8 MiB", Facts: limitOf("Max stack size", "8388608"), Kind: verdict.Pass},
	}
	for _, name := range mustBeUnlimited {
		cases = append(cases,
			judgetest.Case{Name: name, Facts: limitOf(name, "1000"), Kind: verdict.Fail, Actual: name + " is 1000"},
			judgetest.Case{Name: name + " not shown", Facts: began(func(c *report.Context) { delete(c.Limits, name) }), Kind: verdict.Error, Actual: name})
	}
	return cases
}

var circumstances = judgetest.Table{
	"STDIO-11": {
		{Name: "kept", Facts: served(nil), Kind: verdict.Pass, Expected: "qm -n"},
		{Name: "by a path, as a wrapper does", Facts: server(func(p *process.Process) { p.Args = []string{"/usr/qmsys/bin/qm", "-n"} }), Kind: verdict.Pass, Actual: "/usr/qmsys/bin/qm -n"},
		{Name: "by another name", Facts: server(func(p *process.Process) { p.Args = []string{"/bin/qmx", "-n"} }), Kind: verdict.Fail, Actual: "/bin/qmx -n"},
		{Name: "without its argument", Facts: server(func(p *process.Process) { p.Args = []string{"qm"} }), Kind: verdict.Fail, Expected: "qm -n"},
		{Name: "for the other service", Service: requirement.QMClient, Facts: served(nil), Kind: verdict.Fail, Expected: "qm -n -q", Actual: "qm -n"},
		{Name: "nobody", Facts: nobody, Kind: verdict.NotTestable, BecauseOf: "STDIO-02"},
	},
	"STDIO-12": {
		{Name: "kept", Facts: served(nil), Kind: verdict.Pass, Expected: "REMOTE_HOST=192.0.2.1"},
		{Name: "kept, written as IPv4", Facts: server(func(p *process.Process) { p.Env = []string{"REMOTE_HOST=192.0.2.1"} }), Kind: verdict.Pass},
		{Name: "not set", Facts: server(func(p *process.Process) { p.Env = nil }), Kind: verdict.Fail, Actual: "REMOTE_HOST is not set"},
		{Name: "another's address", Facts: server(func(p *process.Process) { p.Env = []string{"REMOTE_HOST=192.0.2.9"} }), Kind: verdict.Fail, Actual: "192.0.2.9"},
		{Name: "a name", Facts: server(func(p *process.Process) { p.Env = []string{"REMOTE_HOST=client"} }), Kind: verdict.Fail, Actual: "REMOTE_HOST=client"},
		{Name: "a preloaded library", Facts: server(func(p *process.Process) { p.Env = append(p.Env, "LD_PRELOAD=/x.so") }), Kind: verdict.Fail, Actual: "LD_PRELOAD=/x.so"},
		{
			Name: "not to be read", Kind: verdict.Error, Actual: "environment of pid 100",
			Facts: server(func(p *process.Process) { p.Env, p.Problems = nil, []process.Problem{{Part: "environ"}} }),
		},
		{Name: "nobody", Facts: nobody, Kind: verdict.NotTestable, BecauseOf: "STDIO-02"},
	},
	"STDIO-13": {
		mute,
		{Name: "kept", Facts: began(nil), Kind: verdict.Pass},
		{Name: "elsewhere", Facts: began(func(c *report.Context) { c.Cwd = "/root" }), Kind: verdict.Fail, Expected: "/", Actual: "/root"},
	},
	"STDIO-14": {
		{Name: "kept", Facts: served(nil), Kind: verdict.Pass},
		{Name: "another's session", Facts: server(func(p *process.Process) { p.Session = 73 }), Kind: verdict.Fail, Actual: "session 73"},
		{Name: "another's group", Facts: server(func(p *process.Process) { p.PGRP = 73 }), Kind: verdict.Fail, Actual: "process group 73"},
		{Name: "with a terminal", Facts: server(func(p *process.Process) { p.TTY = 34816 }), Kind: verdict.Fail, Actual: "terminal 34816"},
		{Name: "nobody", Facts: nobody, Kind: verdict.NotTestable, BecauseOf: "STDIO-02"},
	},
	"STDIO-15": {
		mute,
		{Name: "kept", Facts: began(nil), Kind: verdict.Pass},
		{Name: "SIGPIPE ignored", Facts: began(func(c *report.Context) { c.SigIgn = "0000000000001000" }), Kind: verdict.Fail, Actual: "ignored: SIGPIPE; blocked: none"},
		{Name: "SIGTERM blocked", Facts: began(func(c *report.Context) { c.SigBlk = "0000000000004000" }), Kind: verdict.Fail, Actual: "blocked: SIGTERM"},
		{Name: "no mask", Facts: began(func(c *report.Context) { c.SigBlk = "" }), Kind: verdict.Error},
	},
	"STDIO-16": limitCases(),
}

func TestRules(t *testing.T) {
	judgetest.Run(t, area, words, descriptors, circumstances, bytesOnTheirWay, sideBySides)
}
