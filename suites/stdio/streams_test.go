package stdio

import (
	"time"

	"qmconformance/harness/judge/judgetest"
	"qmconformance/harness/observe"
	"qmconformance/harness/process"
	"qmconformance/harness/verdict"
)

// passages are the cases of streams, by where they stand.
func passages(put func(*observe.Streamed, []observe.Passage)) []judgetest.Case {
	facts := func(list ...observe.Passage) (f observe.Streamed) {
		put(&f, list)
		return f
	}
	good := observe.Passage{Name: "good", Size: 10, OK: true}
	bad := observe.Passage{Name: "odd pieces", Size: 70, Wrong: "byte 7 is 0a instead of 0d"}
	return []judgetest.Case{
		{Name: "kept", Facts: facts(good, good), Kind: verdict.Pass, Actual: "20 bytes in 2 streams"},
		{Name: "one is changed", Facts: facts(good, bad), Kind: verdict.Fail, Actual: "odd pieces, 70 bytes: byte 7 is 0a instead of 0d"},
		{Name: "several are", Facts: facts(bad, bad, bad), Kind: verdict.Fail, Actual: "and 2 more"},
		{Name: "the program never spoke", Facts: observe.Streamed{Mute: "nothing for 5 s"}, Kind: verdict.NotTestable, Actual: "nothing for 5 s"},
		{Name: "nothing was sent", Facts: facts(), Kind: verdict.Error, Actual: "nothing was sent"},
	}
}

var bytesOnTheirWay = judgetest.Table{
	"STDIO-05": passages(func(f *observe.Streamed, l []observe.Passage) { f.In = l }),
	"STDIO-06": passages(func(f *observe.Streamed, l []observe.Passage) { f.Out = l }),
	"STDIO-07": passages(func(f *observe.Streamed, l []observe.Passage) { f.Both = l }),
	"STDIO-08": passages(func(f *observe.Streamed, l []observe.Passage) { f.HalfWay = l }),
	"STDIO-09": passages(func(f *observe.Streamed, l []observe.Passage) { f.Urgent = l }),
	"STDIO-10": {
		{Name: "kept", Facts: observe.RoundTripped{LoggedIn: true, Records: []observe.Returned{{Name: "ONE", Same: true}}}, Kind: verdict.Pass, Actual: "1 records"},
		{
			Name: "one came back as another", Kind: verdict.Fail, Actual: "record ALL, 256 bytes: byte 13 is 0a",
			Facts: observe.RoundTripped{LoggedIn: true, Records: []observe.Returned{{Name: "ONE", Same: true}, {Name: "ALL", Size: 256, Where: "byte 13 is 0a"}}},
		},
		{Name: "none came back", Facts: observe.RoundTripped{LoggedIn: true, Said: "open: no", Created: " not created\n"}, Kind: verdict.Fail, Actual: "open: no", Hint: "not created"},
		{Name: "no session", Facts: observe.RoundTripped{Said: "refused"}, Kind: verdict.NotTestable, Actual: "refused"},
	},
}

// sideBySide is two sessions, changed.
func sideBySide(change func(*observe.Neighboured)) observe.Neighboured {
	f := observe.Neighboured{Stopped: true, Continued: true}
	for i, user := range []string{"hcarol", "hdave"} {
		inode := []uint64{socket, other}[i]
		f.Sessions = append(f.Sessions, observe.Neighbour{
			User: user, LoggedIn: true, Answer: "1 QMSYS\r\n",
			Served: observe.Served{Found: true, Socket: process.Socket{Inode: inode}, Server: process.Process{PID: 100 + i, FDs: []process.FD{fd(0, inode)}}},
		})
	}
	if change != nil {
		change(&f)
	}
	return f
}

var sideBySides = judgetest.Table{
	"STDIO-17": {
		{Name: "kept", Facts: sideBySide(nil), Kind: verdict.Pass, Actual: "2 processes, 2 sockets"},
		{Name: "one process", Facts: sideBySide(func(f *observe.Neighboured) { f.Sessions[1].Served.Server.PID = 100 }), Kind: verdict.Fail, Actual: "hcarol and hdave share process 100"},
		{Name: "one socket", Facts: sideBySide(func(f *observe.Neighboured) { f.Sessions[1].Served.Socket.Inode = socket }), Kind: verdict.Fail, Actual: "share socket 4711"},
		{
			Name: "another's connection", Kind: verdict.Fail, Actual: "the process of hdave holds the connection of hcarol as descriptor 9",
			Facts: sideBySide(func(f *observe.Neighboured) {
				f.Sessions[1].Served.Server.FDs = append(f.Sessions[1].Served.Server.FDs, fd(9, socket))
			}),
		},
		{Name: "one was not found", Facts: sideBySide(func(f *observe.Neighboured) { f.Sessions[1].Served.Found = false }), Kind: verdict.NotTestable, Actual: "hdave"},
		{Name: "nobody to compare with", Facts: sideBySide(func(f *observe.Neighboured) { f.Sessions = f.Sessions[:1] }), Kind: verdict.Error},
	},
	"STDIO-19": {
		{Name: "kept", Facts: sideBySide(nil), Kind: verdict.Pass, Actual: "2 sessions"},
		{Name: "one is silent", Facts: sideBySide(func(f *observe.Neighboured) { f.Sessions[1].Answer = " (nothing for 5 s)" }), Kind: verdict.Fail, Actual: `hdave answered "(nothing for 5 s)"`},
		{Name: "xinetd was not stopped", Facts: sideBySide(func(f *observe.Neighboured) { f.Stopped = false }), Kind: verdict.NotTestable},
		{Name: "xinetd did not go on", Facts: sideBySide(func(f *observe.Neighboured) { f.Continued = false }), Kind: verdict.Fail, Actual: "xinetd did not run on"},
		{Name: "no session", Facts: sideBySide(func(f *observe.Neighboured) { f.Sessions = nil }), Kind: verdict.Error},
	},
	"STDIO-20": {
		{Name: "kept", Facts: served(nil), Kind: verdict.Pass, Actual: "pid 100"},
		{Name: "it stays", Facts: served(func(f *observe.Contacted) { f.Ended = observe.Ended{After: 5 * time.Second} }), Kind: verdict.Fail, Actual: "pid 100, looked for 5s"},
		{Name: "nobody", Facts: nobody, Kind: verdict.NotTestable},
	},
	"STDIO-21": {
		{Name: "kept", Facts: slots(2, 2), Kind: verdict.Pass, Expected: "2 users"},
		{Name: "one more", Facts: slots(0, 1), Kind: verdict.Fail, Expected: "0 users", Actual: "1 users"},
		{Name: "one fewer, another's", Facts: slots(1, 0), Kind: verdict.Pass, Actual: "0 users"},
		{Name: "one fewer, and its own is left", Facts: keptPlace, Kind: verdict.Fail, Actual: "pid 108"},
		{Name: "not told before", Facts: slots(-1, 0), Kind: verdict.NotTestable, Actual: "does not tell"},
		{Name: "not told after", Facts: slots(0, -1), Kind: verdict.NotTestable},
	},
}

// keptPlace is a session whose place is left while another's was freed.
var keptPlace = observe.LoggedIn{
	Served: observe.Served{Server: process.Process{PID: 108}},
	Ended:  observe.Ended{SlotsBefore: 2, SlotsAfter: 1, UsersAfter: " Uid Pid Puid Origin Username\n   2  108  0 10.0.0.1  halice\n"},
}

func slots(before, after int) observe.LoggedIn {
	return observe.LoggedIn{Ended: observe.Ended{SlotsBefore: before, SlotsAfter: after, UsersAfter: "ScarletDME is not active."}}
}
