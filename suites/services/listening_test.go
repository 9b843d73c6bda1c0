package services

import (
	"io/fs"
	"strings"
	"testing"

	"qmconformance/harness/judge/judgetest"
	"qmconformance/harness/netdb"
	"qmconformance/harness/observe"
	"qmconformance/harness/process"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
	"qmconformance/harness/xinetd"
)

// noBlock is a service that no file defines, changed.
func noBlock(change func(*observe.Configured)) observe.Configured {
	f := gone("# nothing\n")
	f.Remarks = nil
	if change != nil {
		change(&f)
	}
	return f
}

var listening = judgetest.Table{
	"SERV-09": {
		{Name: "kept", Facts: configured(nil), Kind: verdict.Pass, Expected: "listening socket", Actual: "1 listening sockets on port 4242"},
		{
			Name: "xinetd complained", Kind: verdict.Fail, Actual: "no such service", Hint: "/etc/xinetd.d/qmserver:8: bad wait: write no",
			Facts: gone(block, xinetd.Complaint{Text: "follows", Consequence: true},
				xinetd.Complaint{Text: "bad wait", Hint: "write no", File: "/etc/xinetd.d/qmserver", Line: 8}),
		},
		{
			Name: "written on another system", Kind: verdict.Fail, Hint: "/etc/xinetd.d/qmserver:",
			Facts: gone(strings.ReplaceAll(block, "\n", "\r\n"), xinetd.Complaint{Text: "of one line of many"}),
		},
		{
			Name: "disabled", Kind: verdict.Fail, Hint: "/etc/xinetd.d/qmserver:5 says \"disable = yes\": write",
			Facts: gone(with("\tprotocol        = tcp\n", "\tdisable = yes\n")),
		},
		{
			Name: "dropped", Kind: verdict.Fail, Hint: "/etc/xinetd.d/qmserver:3: xinetd drops the block",
			Facts: gone("#\n\nservice qmserver\nflags = REUSE\n}\n"),
		},
		{
			Name: "in a file that is not read", Kind: verdict.Fail, Hint: "/etc/xinetd.d/qm.conf holds the service and is not read: a dot",
			Facts: noBlock(func(f *observe.Configured) {
				f.Config.Skipped = []xinetd.SkippedFile{{File: "/etc/xinetd.d/other"}, {File: "/etc/xinetd.d/qm.conf", Why: "a dot", Services: []string{"qmserver"}}}
			}),
		},
		{
			Name: "in a line that is no service", Kind: verdict.Fail, Hint: "/etc/xinetd.d/qmserver:2: a stray line",
			Facts: noBlock(func(f *observe.Configured) {
				f.Remarks = []xinetd.Remark{{File: "/etc/xinetd.d/qmserver", Line: 2, Text: "a stray line"}}
			}),
		},
		{Name: "nowhere", Facts: noBlock(nil), Kind: verdict.Fail, Hint: "no file that xinetd reads (/etc/xinetd.conf, /etc/xinetd.d/qmserver) has a block for qmserver"},
		{
			Name: "no state dump", Kind: verdict.Fail, Actual: "no dump within 5s",
			Facts: configured(func(f *observe.Configured) { f.Effective, f.NoDump = nil, "no dump within 5s" }),
		},
		{
			Name: "suspended", Kind: verdict.Fail, Actual: "its state is Suspended",
			Facts: configured(func(f *observe.Configured) { f.Effective[0].State = "Suspended" }),
		},
		{
			Name: "active without a socket", Kind: verdict.Fail, Actual: "0 listening sockets on port 4242",
			Facts: configured(func(f *observe.Configured) { f.Listeners = nil }),
		},
	},
	"SERV-18": {
		{Name: "no file names one", Facts: noBlock(nil), Kind: verdict.NotTestable, BecauseOf: "SERV-09"},
		{Name: "kept", Facts: configured(nil), Kind: verdict.Pass, Actual: "/usr/qmsys/bin/qm"},
		{
			Name: "missing", Kind: verdict.Fail, Actual: "/usr/qmsys/bin/qm: file does not exist", Hint: "/etc/xinetd.d/qmserver:13",
			Facts: configured(func(f *observe.Configured) { f.ProgramErr = "file does not exist" }),
		},
		{
			Name: "a directory", Kind: verdict.Fail, Actual: "is a directory", Hint: "/etc/xinetd.d/qmserver:13",
			Facts: configured(func(f *observe.Configured) { f.Program.Mode = fs.ModeDir | 0o755 }),
		},
		{
			Name: "not executable", Kind: verdict.Fail, Actual: "/usr/qmsys/bin/qm has mode 0664", Hint: "chmod 755 /usr/qmsys/bin/qm",
			Facts: configured(func(f *observe.Configured) { f.Program.Mode = 0o664 }),
		},
		{
			Name: "a device", Kind: verdict.Fail, Hint: "/etc/xinetd.d/qmserver:13",
			Facts: configured(func(f *observe.Configured) { f.Program.Mode = fs.ModeDevice | 0o755 }),
		},
	},
	"SERV-25": {
		{Name: "kept", Facts: configured(nil), Kind: verdict.Pass, Actual: "xinetd listens"},
		{Name: "nobody", Facts: configured(func(f *observe.Configured) { f.Listeners = nil }), Kind: verdict.NotTestable, BecauseOf: "SERV-09"},
		{
			Name: "another program", Kind: verdict.Fail, Actual: "held by nc (pid 99: nc -l 4242)",
			Facts: configured(func(f *observe.Configured) {
				f.Listeners[0].Holders = []process.Process{{PID: 99, Comm: "nc", Args: []string{"nc", "-l", "4242"}}}
			}),
		},
		{
			Name: "another beside xinetd", Kind: verdict.Fail, Actual: "held by nc",
			Facts: configured(func(f *observe.Configured) {
				f.Listeners = append(f.Listeners, observe.Listener{Holders: []process.Process{{PID: 99, Comm: "nc"}}})
			}),
		},
		{
			Name: "one that could not be found", Kind: verdict.Fail, Actual: "could not be found",
			Facts: configured(func(f *observe.Configured) { f.Listeners[0].Holders = nil }),
		},
	},
}

func near(f *observe.Configured, kind netdb.NearKind, line int, text string) {
	f.Near = []netdb.Near{{Kind: kind, Line: line, Text: text}, {Line: 99, Text: "a later one"}}
}

var names = judgetest.Table{
	"SERV-05": {
		{Name: "kept", Facts: configured(nil), Kind: verdict.Pass, Expected: `getservbyname("qmserver", "tcp")`, Actual: "4242/tcp by the services database"},
		{
			Name: "a block of its own port", Kind: verdict.Pass, Actual: "by the service block itself",
			Facts: configured(func(f *observe.Configured) { f.NamedOK = false }),
		},
		{
			Name: "missing", Kind: verdict.Fail, Actual: "no entry", Hint: `"qmserver\t4242/tcp" to /etc/services`,
			Facts: configured(func(f *observe.Configured) { f.NamedOK, f.Effective = false, nil }),
		},
		{
			Name: "a near miss", Kind: verdict.Fail, Hint: "/etc/services:12: qmserver is commented out",
			Facts: configured(func(f *observe.Configured) {
				f.NamedOK, f.Effective = false, nil
				near(f, netdb.CommentedOut, 12, "qmserver is commented out")
			}),
		},
	},
	"SERV-06": {
		{Name: "kept", Facts: configured(nil), Kind: verdict.Pass, Expected: "neither 4243 nor the one of qmclient", Actual: "4242/tcp"},
		{Name: "kept, an unusual one", Facts: configured(func(f *observe.Configured) { f.Named.Port = 5000 }), Kind: verdict.Pass, Actual: "5000/tcp"},
		{
			Name: "the sister's usual one", Kind: verdict.Fail, Actual: "4243/tcp by the services database, the usual one of qmclient", Hint: "/etc/services:12 gives qmserver the port 4243",
			Facts: configured(func(f *observe.Configured) {
				f.Named.Port, f.SisterSet.Port = 4243, 4242
				near(f, netdb.OtherPort, 12, "")
			}),
		},
		{
			Name: "both have one", Kind: verdict.Fail, Actual: "5000/tcp by the services database, which qmclient has too", Hint: "/etc/services gives",
			Facts: configured(func(f *observe.Configured) { f.Named.Port, f.SisterSet.Port = 5000, 5000 }),
		},
		{
			Name: "the client's side", Service: requirement.QMClient, Kind: verdict.Fail, Expected: "neither 4242 nor the one of qmserver", Actual: "4242/tcp",
			Facts: configured(nil),
		},
	},
	"SERV-07": {
		{Name: "kept", Facts: configured(nil), Kind: verdict.Pass, Expected: "4242/tcp"},
		{Name: "another", Facts: configured(func(f *observe.Configured) { f.Named.Port = 5000 }), Kind: verdict.Fail, Expected: "4242/tcp", Actual: "5000/tcp"},
		{Name: "the client's", Service: requirement.QMClient, Facts: configured(nil), Kind: verdict.Fail, Expected: "4243/tcp"},
	},
	"SERV-08": {
		{Name: "kept", Facts: configured(nil), Kind: verdict.Pass, Actual: "1: /etc/xinetd.d/qmserver:3"},
		{Name: "none at all is judged elsewhere", Facts: gone(""), Kind: verdict.Pass, Actual: "0: none"},
		{
			Name: "twice", Facts: gone(block + block), Kind: verdict.Fail, Expected: "one block",
			Actual: "2: /etc/xinetd.d/qmserver:3; /etc/xinetd.d/qmserver:19", Hint: "fails to bind for /etc/xinetd.d/qmserver:19",
		},
		{
			Name: "twice, one of them disabled", Kind: verdict.Pass, Actual: "1: ",
			Facts: gone(block + "\nservice qmserver\n{\n\tdisable = yes\n}\n"),
		},
	},
}

func TestListening(t *testing.T) { judgetest.Run(t, "", listening) }

func TestNames(t *testing.T) { judgetest.Run(t, "", names) }
