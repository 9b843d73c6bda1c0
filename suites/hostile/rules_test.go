package hostile

import (
	"testing"
	"time"

	"qmconformance/harness/judge"
	"qmconformance/harness/judge/judgetest"
	"qmconformance/harness/observe"
	"qmconformance/harness/process"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

// survived is a service that nothing of anybody stays on, changed.
func survived(change func(*observe.Survived)) observe.Survived {
	fds := make([]process.FD, 8)
	f := observe.Survived{
		Service: requirement.QMServer, Serves: true, XinetdThere: true,
		Resident:     observe.Residence{LoggedIn: true, Before: "1 QMSYS", After: "1 QMSYS", Same: true},
		XinetdBefore: process.Process{PID: 73, RSS: 3 << 20, FDs: fds},
		XinetdAfter:  process.Process{PID: 73, RSS: 3<<20 + 16<<10, FDs: fds},
	}
	for _, m := range observe.Manners {
		f.Manners = append(f.Manners, observe.Aftermath{
			Manner: m, PlacesBefore: 1, PlacesAfter: 1, Took: 3 * time.Millisecond,
			Misdeeds: []observe.Misdeed{{What: "close", Reached: true}, {What: "reset", Reached: true}},
		})
	}
	if change != nil {
		change(&f)
	}
	return f
}

// after is survived with one manner's aftermath changed.
func after(m observe.Manner, change func(*observe.Aftermath)) observe.Survived {
	return survived(func(f *observe.Survived) {
		for i := range f.Manners {
			if f.Manners[i].Manner == m {
				change(&f.Manners[i])
			}
		}
	})
}

var spinner = observe.Leftover{PID: 99, Comm: "qm", Args: "qm -n", State: "R", Busy: 0.97, RSS: 2 << 20}

func unarrived(a *observe.Aftermath) {
	for i := range a.Misdeeds {
		a.Misdeeds[i].Reached, a.Misdeeds[i].Said = false, "connection refused"
	}
}

// manner are the cases of what the clients of one manner leave; what the others
// leave is none of its business.
func manner(m, other observe.Manner) []judgetest.Case {
	return []judgetest.Case{
		{Name: "kept", Facts: survived(nil), Kind: verdict.Pass, Actual: "nothing of 2 clients after 3ms"},
		{
			Name: "left by others", Kind: verdict.Pass,
			Facts: after(other, func(a *observe.Aftermath) { a.Left = []observe.Leftover{spinner} }),
		},
		{
			Name: "not tried", Kind: verdict.NotTestable, Actual: "does not serve since clients came to send what is not the protocol", BecauseOf: portServes,
			Facts: survived(func(f *observe.Survived) {
				f.Manners, f.Stopped, f.Serves = f.Manners[:0], observe.SpeakSomethingElse, false
			}),
		},
		{
			Name: "a process", Kind: verdict.Fail, Actual: "qm -n (pid 99, state R, 97 % of a processor, 2048 KiB)",
			Facts: after(m, func(a *observe.Aftermath) { a.Left = []observe.Leftover{spinner} }),
		},
		{
			Name: "a place", Kind: verdict.Fail, Actual: "2 places in the database",
			Facts: after(m, func(a *observe.Aftermath) { a.PlacesAfter = 3 }),
		},
		{
			Name: "fewer places than before", Kind: verdict.Pass,
			Facts: after(m, func(a *observe.Aftermath) { a.PlacesAfter = 0 }),
		},
		{
			Name: "a lock", Kind: verdict.Fail, Actual: "1 locked records",
			Facts: after(m, func(a *observe.Aftermath) { a.Locked, a.StillLocked = []string{"A", "B"}, []string{"A"} }),
		},
		{
			Name: "half a connection", Kind: verdict.Fail, Actual: "1 that closed their direction were not let go",
			Facts: after(m, func(a *observe.Aftermath) { a.Misdeeds[1].Held = true }),
		},
		{
			Name: "one did not get there", Kind: verdict.Pass, Actual: "nothing of 1 clients",
			Facts: after(m, func(a *observe.Aftermath) { a.Misdeeds[0].Reached = false }),
		},
		{Name: "nobody got there", Facts: after(m, unarrived), Kind: verdict.NotTestable, Actual: "connection refused"},
		{
			Name: "nobody gets anywhere", Kind: verdict.NotTestable, BecauseOf: "HOSTILE-08",
			Facts: func() observe.Survived {
				f := after(m, unarrived)
				f.Serves = false
				return f
			}(),
		},
		{
			Name: "the database does not tell", Kind: verdict.NotTestable, Actual: "is not active",
			Facts: after(m, func(a *observe.Aftermath) { a.PlacesBefore, a.PlacesAfter, a.Users = -1, -1, "is not active" }),
		},
		{Name: "nobody came", Facts: after(m, func(a *observe.Aftermath) { a.Misdeeds = nil }), Kind: verdict.Error},
		{Name: "not tried", Facts: survived(func(f *observe.Survived) { f.Manners = nil }), Kind: verdict.Error},
	}
}

var leaving = judgetest.Table{
	"HOSTILE-01": manner(observe.LeaveAtOnce, observe.LeaveBeforeLogin),
	"HOSTILE-02": manner(observe.LeaveBeforeLogin, observe.LeaveAtOnce),
	"HOSTILE-03": manner(observe.LeaveLoggedIn, observe.LeaveAtOnce),
	"HOSTILE-04": manner(observe.LeaveUnanswered, observe.LeaveAtOnce),
	"HOSTILE-05": manner(observe.LeaveUnfinished, observe.LeaveAtOnce),
	"HOSTILE-06": manner(observe.SpeakSomethingElse, observe.LeaveAtOnce),
}

func burst(change func(*observe.Burst)) observe.Burst {
	f := observe.Burst{
		AtOnce:     []observe.Arrival{{Served: true}, {TurnedAway: true, Outcome: "FIN after 0 bytes"}},
		Afterwards: observe.Attempt{Served: true},
	}
	if change != nil {
		change(&f)
	}
	return f
}

func slow(change func(*observe.Slowed)) observe.Slowed {
	f := observe.Slowed{Greeted: true, Sent: 6, Answered: true, Said: "FIN after 24 bytes", Others: []observe.Attempt{{Served: true}}}
	if change != nil {
		change(&f)
	}
	return f
}

func resident(change func(*observe.Residence)) observe.Survived {
	return survived(func(f *observe.Survived) { change(&f.Resident) })
}

var others = judgetest.Table{
	"HOSTILE-07": {
		{Name: "kept", Facts: survived(nil), Kind: verdict.Pass},
		{Name: "another answer", Facts: resident(func(r *observe.Residence) { r.After = "FIN" }), Kind: verdict.Fail, Actual: `and then "FIN"`},
		{Name: "another process", Facts: resident(func(r *observe.Residence) { r.Same = false }), Kind: verdict.Fail},
		{Name: "none from before", Facts: resident(func(r *observe.Residence) { r.LoggedIn, r.Said = false, "refused" }), Kind: verdict.NotTestable, Actual: "refused"},
		{Name: "no answer before", Facts: resident(func(r *observe.Residence) { r.Before, r.After = "?", "?" }), Kind: verdict.NotTestable},
	},
	"HOSTILE-08": {
		{Name: "kept", Facts: survived(nil), Kind: verdict.Pass},
		{Name: "does not serve", Facts: survived(func(f *observe.Survived) { f.Serves, f.Said = false, "FIN" }), Kind: verdict.Fail, Actual: "FIN"},
		{Name: "stopped serving", Facts: survived(func(f *observe.Survived) { f.Serves, f.Stopped = false, observe.LeaveAtOnce }), Kind: verdict.Fail, Actual: "since clients came to leave right after the connect"},
		{Name: "another xinetd", Facts: survived(func(f *observe.Survived) { f.XinetdThere = false }), Kind: verdict.Fail, Actual: "pid 73"},
		{Name: "not tried", Facts: survived(func(f *observe.Survived) { f.Manners = nil }), Kind: verdict.Error},
	},
	"HOSTILE-09": {
		{Name: "kept", Facts: survived(nil), Kind: verdict.Pass, Actual: "8 descriptors, 3088 KiB"},
		{Name: "a descriptor", Facts: survived(func(f *observe.Survived) { f.XinetdAfter.FDs = make([]process.FD, 9) }), Kind: verdict.Fail, Actual: "9 descriptors"},
		{Name: "memory", Facts: survived(func(f *observe.Survived) { f.XinetdAfter.RSS = 5 << 20 }), Kind: verdict.Fail, Actual: "5120 KiB"},
		{Name: "another xinetd", Facts: survived(func(f *observe.Survived) { f.XinetdThere = false }), Kind: verdict.NotTestable, BecauseOf: "HOSTILE-08"},
		{Name: "not seen", Facts: survived(func(f *observe.Survived) { f.XinetdBefore = process.Process{} }), Kind: verdict.Error},
		{Name: "unreadable", Facts: survived(func(f *observe.Survived) { f.XinetdAfter.FDs = nil }), Kind: verdict.Error},
	},
	"HOSTILE-10": {
		{Name: "kept", Facts: observe.Idled{Idle: []observe.Attempt{{Served: true}}, LoggedIn: true, Said: ":"}, Kind: verdict.Pass},
		{Name: "locked out", Facts: observe.Idled{Idle: []observe.Attempt{{Served: true}}, Said: "FIN"}, Kind: verdict.Fail, Actual: "FIN"},
		{Name: "the idle are", Facts: observe.Idled{Idle: []observe.Attempt{{Served: true}, {Outcome: "FIN"}}, LoggedIn: true}, Kind: verdict.Fail, Actual: "idle client 2: FIN"},
		{Name: "nobody", Facts: observe.Idled{LoggedIn: true}, Kind: verdict.Error},
	},
	"HOSTILE-11": {
		{Name: "kept", Facts: burst(nil), Kind: verdict.Pass, Actual: "1 served, 1 turned away"},
		{Name: "forgotten", Facts: burst(func(f *observe.Burst) { f.AtOnce[1] = observe.Arrival{Outcome: "nothing for 10 s"} }), Kind: verdict.Fail, Actual: "number 2: nothing for 10 s"},
		{Name: "none afterwards", Facts: burst(func(f *observe.Burst) { f.Afterwards = observe.Attempt{Outcome: "refused"} }), Kind: verdict.Fail, Actual: "the next: refused"},
		{Name: "no burst", Facts: observe.Burst{}, Kind: verdict.Error},
	},
	"HOSTILE-12": {
		{Name: "kept", Facts: slow(nil), Kind: verdict.Pass},
		{Name: "ended", Facts: slow(func(f *observe.Slowed) { f.Answered, f.Said = false, "FIN after 1 byte" }), Kind: verdict.Fail, Actual: "after 6 bytes: FIN after 1 byte"},
		{Name: "others wait", Facts: slow(func(f *observe.Slowed) { f.Others[0] = observe.Attempt{Outcome: "nothing for 5 s"} }), Kind: verdict.Fail, Actual: "nothing for 5 s"},
		{Name: "not greeted", Facts: slow(func(f *observe.Slowed) { f.Greeted = false }), Kind: verdict.NotTestable},
		{Name: "no others", Facts: slow(func(f *observe.Slowed) { f.Others = nil }), Kind: verdict.Error},
	},
}

func TestRules(t *testing.T) { judgetest.Run(t, area, leaving, others) }

// The known failures of ScarletDME excuse what its own program leaves, and nothing
// that a package has put before it or beside it.
func TestTheSymptomTellsWhoseProcessStays(t *testing.T) {
	for name, c := range map[string]struct {
		left    []string
		places  int
		symptom string
	}{
		"qm":                      {[]string{"/usr/qmsys/bin/qm"}, 1, leftByQM},
		"a place alone":           {nil, 2, leftByQM},
		"a wrapper":               {[]string{"/usr/bin/perl"}, 1, ""},
		"qm and a wrapper":        {[]string{"/usr/qmsys/bin/qm", "/usr/bin/dash"}, 1, ""},
		"one that nobody reaps":   {[]string{""}, 1, ""},
		"qm, by another name":     {[]string{"/usr/qmsys/bin/qm.real"}, 1, leftByQM},
		"another tree's namesake": {[]string{"/opt/bin/qm"}, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			facts := after(observe.LeaveAtOnce, func(a *observe.Aftermath) {
				a.PlacesAfter = c.places
				for _, program := range c.left {
					a.Left = append(a.Left, observe.Leftover{Program: program})
				}
			})
			facts.Program = "/usr/qmsys/bin/qm"
			found := nothingLeft(observe.LeaveAtOnce)(judge.Case{}, facts)
			if found.Kind != verdict.Fail || found.Symptom != c.symptom {
				t.Errorf("%s with symptom %q", found.Kind, found.Symptom)
			}
		})
	}
}
