package identity

import (
	"io/fs"
	"testing"

	"qmconformance/harness/agent"
	"qmconformance/harness/judge/judgetest"
	"qmconformance/harness/netdb"
	"qmconformance/harness/observe"
	"qmconformance/harness/process"
	"qmconformance/harness/verdict"
)

func accounts(group, passwd string) observe.Accounts {
	return observe.Accounts{Groups: netdb.ParseGroups(group), Users: netdb.ParseUsers(passwd)}
}

// tree is one of 100 files, changed.
func tree(change func(*observe.Tree)) observe.Tree {
	t := observe.Tree{Root: "/usr/qmsys", Qmusers: 995, Files: 100}
	if change != nil {
		change(&t)
	}
	return t
}

var file = []agent.Entry{{Path: "/usr/qmsys/ACCOUNTS/%0", Mode: 0o644, UID: 7, GID: 8}, {Path: "/usr/qmsys/VOC"}}

// fileCases are those of a rule about all files of the tree.
func fileCases(wrong func(*observe.Tree)) []judgetest.Case {
	return []judgetest.Case{
		{Name: "kept", Facts: tree(nil), Kind: verdict.Pass, Expected: "all 100 files of /usr/qmsys"},
		{Name: "two are wrong", Facts: tree(wrong), Kind: verdict.Fail, Actual: "/usr/qmsys/ACCOUNTS/%0 among them (-rw-r--r--, owner 7:8)"},
		{Name: "their number", Facts: tree(wrong), Kind: verdict.Fail, Actual: "2 "},
		{Name: "no file", Facts: observe.Tree{Root: "/usr/qmsys"}, Kind: verdict.Error, Actual: "/usr/qmsys"},
	}
}

var installed = judgetest.Table{
	"IDENT-01": {
		{Name: "kept", Facts: accounts("qmusers:x:995:\n", ""), Kind: verdict.Pass, Actual: "qmusers is 995"},
		{Name: "number 0", Facts: accounts("qmusers:x:0:\n", ""), Kind: verdict.Pass, Actual: "qmusers is 0"},
		{Name: "missing", Facts: accounts("root:x:0:\n", ""), Kind: verdict.Fail, Expected: "qmusers", Actual: "no line for qmusers"},
	},
	"IDENT-02": {
		{Name: "kept", Facts: accounts("qmusers:x:995:qmsys,root\n", "root:x:0:0:::\n"), Kind: verdict.Pass, Actual: "qmsys, root"},
		{Name: "kept, as its primary group", Facts: accounts("qmusers:x:995:\n", "root:x:0:995:::\n"), Kind: verdict.Pass},
		{Name: "not a member", Facts: accounts("a:x:1:\nqmusers:x:995:\n", "root:x:0:0:::\n"), Kind: verdict.Fail, Actual: "none", Hint: "/etc/group:2: run usermod -aG qmusers root"},
		{Name: "one whose name begins so", Facts: accounts("qmusers:x:995:rooty\n", "root:x:0:0:::\n"), Kind: verdict.Fail, Actual: "rooty"},
	},
	"IDENT-03": {
		{Name: "kept", Facts: accounts("qmusers:x:995:\n", "qmsys:x:994:995:::\n"), Kind: verdict.Pass, Actual: "uid 994, gid 995"},
		{Name: "missing", Facts: accounts("qmusers:x:995:\n", ""), Kind: verdict.Fail, Actual: "no line for qmsys"},
		{Name: "of another group", Facts: accounts("qmusers:x:995:\n", "qmsys:x:994:50:::\n"), Kind: verdict.Fail, Actual: "primary group is 50, and qmusers is 995"},
		{Name: "without the group", Facts: accounts("", "qmsys:x:994:995:::\n"), Kind: verdict.Fail, Actual: "qmusers is -1"},
	},
	"IDENT-04": fileCases(func(t *observe.Tree) { t.ForeignGroups, t.ForeignGroup = 2, file }),
	"IDENT-05": fileCases(func(t *observe.Tree) { t.ClosedCount, t.Closed = 2, file }),
	"IDENT-06": fileCases(func(t *observe.Tree) { t.OpenCount, t.Open = 2, file }),
}

// asRoot is the process at its prompt, changed.
func asRoot(change func(*process.Process)) observe.Contacted {
	p := process.Process{GIDs: [4]int{995, 995, 995, 995}, Groups: []int{0, 995}, Umask: 0o002}
	if change != nil {
		change(&p)
	}
	return observe.Contacted{Qmusers: 995, Served: observe.Served{Found: true, Server: p}}
}

var unseen = judgetest.Case{Name: "nobody", Facts: observe.Contacted{Qmusers: 995}, Kind: verdict.NotTestable, Actual: "no process", BecauseOf: "STDIO-02"}

var beforeLogin = judgetest.Table{
	"IDENT-10": {
		unseen,
		{Name: "kept", Facts: asRoot(nil), Kind: verdict.Pass},
		{Name: "another user", Facts: asRoot(func(p *process.Process) { p.UIDs = [4]int{994, 994, 994, 994} }), Kind: verdict.Fail, Actual: "[994 994 994 994]"},
		{Name: "the saved one alone", Facts: asRoot(func(p *process.Process) { p.UIDs[2] = 994 }), Kind: verdict.Fail, Actual: "[0 0 994 0]"},
	},
	"IDENT-11": {
		unseen,
		{Name: "kept", Facts: asRoot(nil), Kind: verdict.Pass, Expected: "group 995"},
		{Name: "root's", Facts: asRoot(func(p *process.Process) { p.GIDs[1] = 0 }), Kind: verdict.Fail, Actual: "group 0"},
	},
	"IDENT-12": {
		unseen,
		{Name: "kept", Facts: asRoot(nil), Kind: verdict.Pass, Expected: "995", Actual: "[0 995]"},
		{Name: "not among them", Facts: asRoot(func(p *process.Process) { p.Groups = []int{0} }), Kind: verdict.Fail, Actual: "[0]"},
		{
			Name: "there is no such group", Kind: verdict.Fail,
			Facts: observe.Contacted{Qmusers: -1, Served: observe.Served{Found: true, Server: process.Process{Groups: []int{-1}}}},
		},
	},
	"IDENT-13": {
		unseen,
		{Name: "kept", Facts: asRoot(nil), Kind: verdict.Pass, Expected: "0002"},
		{Name: "022", Facts: asRoot(func(p *process.Process) { p.Umask = 0o022 }), Kind: verdict.Fail, Expected: "0002", Actual: "0022"},
		{Name: "0", Facts: asRoot(func(p *process.Process) { p.Umask = 0 }), Kind: verdict.Fail, Actual: "0000"},
	},
}

// loggedIn is a session of halice, changed.
func loggedIn(change func(*observe.LoggedIn)) observe.LoggedIn {
	f := observe.LoggedIn{
		User: "halice", OK: true, UID: 1000, GID: 1001, Qmusers: 995, Said: "welcome",
		Served: observe.Served{Found: true, Server: process.Process{
			UIDs: [4]int{1000, 1000, 1000, 1000}, GIDs: [4]int{1001, 1001, 1001, 1001}, Groups: []int{0, 995}, Umask: 0o002,
		}},
	}
	if change != nil {
		change(&f)
	}
	return f
}

var unseenUser = judgetest.Case{Name: "nobody", Facts: observe.LoggedIn{}, Kind: verdict.NotTestable, Actual: "no process"}

var afterLogin = judgetest.Table{
	"IDENT-14": {
		{Name: "kept", Facts: loggedIn(nil), Kind: verdict.Pass, Expected: "halice is logged in to account QMSYS"},
		{
			Name: "refused", Kind: verdict.Fail, Expected: "halice", Actual: "Invalid username or password", Hint: "the hash must be",
			Facts: loggedIn(func(f *observe.LoggedIn) { f.OK, f.Said = false, "\r\nInvalid username or password\r\n" }),
		},
		{Name: "for a reason unknown", Facts: loggedIn(func(f *observe.LoggedIn) { f.OK, f.Said = false, "no" }), Kind: verdict.Fail, Actual: "no", NoHint: true},
	},
	"IDENT-15": {
		unseenUser,
		{Name: "kept", Facts: loggedIn(nil), Kind: verdict.Pass, Expected: "user ids 1000 and group ids 1001"},
		{Name: "root still", Facts: loggedIn(func(f *observe.LoggedIn) { f.Served.Server.UIDs = [4]int{} }), Kind: verdict.Fail, Actual: "user ids [0 0 0 0]"},
		{Name: "root in reserve", Facts: loggedIn(func(f *observe.LoggedIn) { f.Served.Server.UIDs[2] = 0 }), Kind: verdict.Fail},
		{Name: "another's group", Facts: loggedIn(func(f *observe.LoggedIn) { f.Served.Server.GIDs[1] = 995 }), Kind: verdict.Fail, Actual: "[1001 995 1001 1001]"},
	},
	"IDENT-16": {
		unseenUser,
		{Name: "kept", Facts: loggedIn(nil), Kind: verdict.Pass, Expected: "995"},
		{Name: "lost", Facts: loggedIn(func(f *observe.LoggedIn) { f.Served.Server.Groups = []int{0} }), Kind: verdict.Fail, Actual: "[0]"},
	},
	"IDENT-17": {
		unseenUser,
		{Name: "kept", Facts: loggedIn(nil), Kind: verdict.Pass},
		{Name: "077", Facts: loggedIn(func(f *observe.LoggedIn) { f.Served.Server.Umask = 0o077 }), Kind: verdict.Fail, Actual: "0077"},
	},
	"IDENT-18": {
		unseenUser,
		{Name: "kept", Facts: loggedIn(nil), Kind: verdict.Pass},
		{Name: "root in reserve", Facts: loggedIn(func(f *observe.LoggedIn) { f.Served.Server.UIDs[2] = 0 }), Kind: verdict.Fail, Actual: "saved uid 0"},
		{Name: "a capability", Facts: loggedIn(func(f *observe.LoggedIn) { f.Served.Server.CapEff = 0x80 }), Kind: verdict.Fail, Actual: "effective capabilities 80"},
	},
}

func step(user, did, said string) observe.Step {
	return observe.Step{User: user, Did: did, Said: said, LoggedIn: true}
}

func stored(name string, mode fs.FileMode, gid uint32, text string) observe.Stored {
	return observe.Stored{Exists: true, Entry: agent.Entry{Path: "/usr/qmsys/H/" + name, Mode: mode, UID: 1000, GID: gid}, Text: text}
}

// recorded is what users made of records where all is well, changed.
func recorded(change func(*observe.Recorded)) observe.Recorded {
	f := observe.Recorded{
		Qmusers: 995,
		Created: step("hcarol", "CREATE.FILE H", "ok"), Directory: stored("", fs.ModeDir|0o775, 995, ""),
		Wrote: step("hcarol", "COPY R1", "1 record"), Record: stored("R1", 0o664, 995, "first"),
		Changed: step("hdave", "COPY R1 OVERWRITING", "1 record"), ChangedRecord: stored("R1", 0o664, 995, "second"),
		OwnCreated: step("halice", "CREATE.FILE O", "ok"), OwnDirectory: stored("", fs.ModeDir|0o775, 1001, ""),
		SharedWrote: step("halice", "COPY R2", "1 record"), SharedRecord: stored("R2", 0o664, 995, "first"),
		SharedChanged: step("hbob", "COPY R2 OVERWRITING", "1 record"), SharedAfter: stored("R2", 0o664, 995, "second"),
	}
	if change != nil {
		change(&f)
	}
	return f
}

var records = judgetest.Table{
	"IDENT-23": {
		{Name: "kept", Facts: recorded(nil), Kind: verdict.Pass, Expected: `"CREATE.FILE H" of a user whose primary group is qmusers`},
		{
			Name: "nothing is there", Kind: verdict.Fail, Actual: `hcarol tried to CREATE.FILE H; the server said "Error -30 creating H"`, Hint: "not writable",
			Facts: recorded(func(f *observe.Recorded) {
				f.Directory, f.Created.Said = observe.Stored{}, "Error -30\r\n  creating H\n"
			}),
		},
		{Name: "a file is there", Facts: recorded(func(f *observe.Recorded) { f.Directory.Entry.Mode = 0o664 }), Kind: verdict.Fail},
		{
			Name: "not even in", Kind: verdict.Fail, Actual: "hcarol tried to log in",
			Facts: recorded(func(f *observe.Recorded) {
				f.Created, f.Directory = observe.Step{User: "hcarol", Did: "log in", Said: "no"}, observe.Stored{}
			}),
		},
	},
	"IDENT-24": {
		{Name: "kept", Facts: recorded(nil), Kind: verdict.Pass, Expected: "a primary group of its own"},
		{Name: "nothing is there", Facts: recorded(func(f *observe.Recorded) { f.OwnDirectory = observe.Stored{} }), Kind: verdict.Fail, Actual: "halice tried to CREATE.FILE O"},
	},
	"IDENT-19": {
		{Name: "kept", Facts: recorded(nil), Kind: verdict.Pass, Expected: "group 995"},
		{Name: "closed to the group", Facts: recorded(func(f *observe.Recorded) { f.Record.Entry.Mode = 0o644 }), Kind: verdict.Fail, Actual: "/usr/qmsys/H/R1 has mode -rw-r--r-- and group 995"},
		{Name: "of another group", Facts: recorded(func(f *observe.Recorded) { f.Record.Entry.GID = 0 }), Kind: verdict.Fail, Actual: "group 0"},
		{Name: "no record", Facts: recorded(func(f *observe.Recorded) { f.Record = observe.Stored{} }), Kind: verdict.Fail, Expected: "a record", Actual: "hcarol tried to COPY R1"},
	},
	"IDENT-20": {
		{Name: "kept", Facts: recorded(nil), Kind: verdict.Pass, Expected: "group 995"},
		{Name: "closed to the group", Facts: recorded(func(f *observe.Recorded) { f.Directory.Entry.Mode = fs.ModeDir | 0o755 }), Kind: verdict.Fail, Actual: "mode drwxr-xr-x"},
		{Name: "not to be entered", Facts: recorded(func(f *observe.Recorded) { f.Directory.Entry.Mode = fs.ModeDir | 0o765 }), Kind: verdict.Fail},
		{Name: "of another group", Facts: recorded(func(f *observe.Recorded) { f.Directory.Entry.GID = 1000 }), Kind: verdict.Fail, Actual: "group 1000"},
	},
	"IDENT-21": {
		{Name: "kept", Facts: recorded(nil), Kind: verdict.Pass, Expected: "the record that hcarol wrote is another after hdave"},
		{
			Name: "it is as it was, whatever the server says", Kind: verdict.Fail, Actual: "hdave tried to COPY R1 OVERWRITING",
			Facts: recorded(func(f *observe.Recorded) { f.ChangedRecord.Text = "first" }),
		},
		{Name: "it is gone", Facts: recorded(func(f *observe.Recorded) { f.ChangedRecord = observe.Stored{} }), Kind: verdict.Fail},
		{Name: "it never was", Facts: recorded(func(f *observe.Recorded) { f.Record = observe.Stored{} }), Kind: verdict.Fail},
	},
	"IDENT-22": {
		{Name: "kept", Facts: recorded(nil), Kind: verdict.Pass, Expected: "the record that halice wrote is another after hbob"},
		{Name: "no record", Facts: recorded(func(f *observe.Recorded) { f.SharedRecord = observe.Stored{} }), Kind: verdict.Fail, Expected: "set-gid", Actual: "halice tried to COPY R2"},
		{
			Name: "it is as it was", Kind: verdict.Fail, Actual: "mode -rw-r--r--, owner 1000:995",
			Facts: recorded(func(f *observe.Recorded) { f.SharedAfter.Text, f.SharedAfter.Entry.Mode = "first", 0o644 }),
		},
	},
}

func TestRules(t *testing.T) { judgetest.Run(t, area, installed, beforeLogin, afterLogin, records) }
