package lifecycle

import (
	"qmconformance/harness/judge/judgetest"
	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
	"qmconformance/harness/wire/symptom"
)

func met(t observe.Told) map[requirement.Service]observe.Told {
	return map[requirement.Service]observe.Told{service: t}
}

// sent is a client that was turned away, in words; let one that was served.
func sent(s symptom.Symptom, said string) observe.Told {
	return observe.Told{Connected: true, Ended: true, Symptom: s, Said: said}
}

var let = observe.Told{Connected: true, Served: true, Ended: true}

// stoppage is a database that was stopped and suspended as it should be, changed.
func stoppage(change func(*observe.Stoppage)) observe.Stoppage {
	f := observe.Stoppage{
		Stopped: met(sent(symptom.NotStarted, "ScarletDME has not been started")), Started: met(let),
		Suspended: met(sent(symptom.Suspended, "ScarletDME is suspended")), Resumed: met(let), Same: true,
	}
	if change != nil {
		change(&f)
	}
	return f
}

func parted(p observe.Parted) observe.Partings {
	return observe.Partings{Live: map[requirement.Service]observe.Parted{service: p}}
}

// crowded is a full database as it should be, changed.
func crowded(change func(*observe.Crowded)) observe.Crowded {
	f := observe.Crowded{
		Inside: map[requirement.Service]observe.Parted{service: {LoggedIn: true}},
		Over:   met(sent(symptom.UserLimit, "User limit reached")), Freed: met(let),
	}
	if change != nil {
		change(&f)
	}
	return f
}

var (
	closed  = observe.Told{Said: "connection refused"}
	waiting = observe.Told{Connected: true, Said: "nothing for 5 s"}
	mute    = sent(symptom.None, "(FIN after 18 bytes)")
	broken  = func(f *observe.Stoppage) { f.Failed = "qm -stop ended with status 1" }
)

var databases = judgetest.Table{
	"LIFE-13": {
		{Name: "kept", Facts: stoppage(nil), Kind: verdict.Pass, Actual: "has not been started"},
		{Name: "cannot be stopped", Facts: stoppage(broken), Kind: verdict.NotTestable, Actual: "status 1"},
		{Name: "nobody came", Facts: stoppage(func(f *observe.Stoppage) { f.Stopped = nil }), Kind: verdict.Error},
		{Name: "closed", Facts: stoppage(func(f *observe.Stoppage) { f.Stopped = met(closed) }), Kind: verdict.Fail, Actual: "no connection"},
		{Name: "let in", Facts: stoppage(func(f *observe.Stoppage) { f.Stopped = met(let) }), Kind: verdict.Fail, Actual: "let in"},
		{Name: "left to wait", Facts: stoppage(func(f *observe.Stoppage) { f.Stopped = met(waiting) }), Kind: verdict.Fail, Actual: "left to wait: nothing for 5 s", Hint: "waits for the database"},
		{Name: "without a word", Facts: stoppage(func(f *observe.Stoppage) { f.Stopped = met(mute) }), Kind: verdict.Fail, Actual: "FIN after 18 bytes"},
		{Name: "another word", Facts: stoppage(func(f *observe.Stoppage) { f.Stopped = f.Suspended }), Kind: verdict.Fail, Actual: "is suspended", Hint: "qm -resume"},
	},
	"LIFE-14": {
		{Name: "kept", Facts: stoppage(nil), Kind: verdict.Pass},
		{Name: "cannot be stopped", Facts: stoppage(broken), Kind: verdict.NotTestable},
		{Name: "still down", Facts: stoppage(func(f *observe.Stoppage) { f.Started = f.Stopped }), Kind: verdict.Fail, Actual: "has not been started", Hint: "qm -start"},
		{Name: "another xinetd", Facts: stoppage(func(f *observe.Stoppage) { f.Same = false }), Kind: verdict.Fail, Actual: "restarted"},
	},
	"LIFE-15": {
		{Name: "kept", Facts: stoppage(nil), Kind: verdict.Pass},
		{Name: "let in", Facts: stoppage(func(f *observe.Stoppage) { f.Suspended = met(let) }), Kind: verdict.Fail, Actual: "let in"},
		{Name: "left to wait", Facts: stoppage(func(f *observe.Stoppage) { f.Suspended = met(waiting) }), Kind: verdict.Fail, Actual: "left to wait"},
		{Name: "for ever", Facts: stoppage(func(f *observe.Stoppage) { f.Resumed = f.Suspended }), Kind: verdict.Fail, Actual: "is suspended"},
	},
	"LIFE-16": {
		{Name: "kept", Facts: crowded(nil), Kind: verdict.Pass},
		{Name: "places not taken", Facts: crowded(func(f *observe.Crowded) { f.Inside[service] = observe.Parted{Said: "RST"} }), Kind: verdict.NotTestable, Actual: "RST"},
		{Name: "no word for a terminal", Facts: crowded(func(f *observe.Crowded) { f.Over = met(mute) }), Kind: verdict.Fail, Actual: "FIN after 18 bytes"},
		{Name: "left to wait", Facts: crowded(func(f *observe.Crowded) { f.Over = met(waiting) }), Kind: verdict.Fail, Actual: "left to wait"},
		{Name: "let in", Facts: crowded(func(f *observe.Crowded) { f.Over = met(let) }), Kind: verdict.Fail, Actual: "let in"},
		{Name: "full for ever", Facts: crowded(func(f *observe.Crowded) { f.Freed = f.Over }), Kind: verdict.Fail, Actual: "User limit"},
		{
			Name: "no word for a program", Service: requirement.QMClient, Kind: verdict.Pass,
			Facts: crowded(func(f *observe.Crowded) {
				f.Over = map[requirement.Service]observe.Told{requirement.QMClient: mute}
				f.Freed = map[requirement.Service]observe.Told{requirement.QMClient: let}
			}),
		},
	},
	"LIFE-17": {
		{Name: "kept", Facts: parted(observe.Parted{LoggedIn: true, Ended: true, Said: "FIN"}), Kind: verdict.Pass, Actual: "FIN"},
		{Name: "it stands still", Facts: parted(observe.Parted{LoggedIn: true, Said: "nothing for 10 s"}), Kind: verdict.Fail, Actual: "nothing for 10 s"},
		{Name: "no session", Facts: parted(observe.Parted{Said: "refused"}), Kind: verdict.NotTestable, Actual: "refused"},
	},
}
