package lifecycle

import (
	"qmconformance/harness/judge/judgetest"
	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
	"qmconformance/harness/xinetd"
)

const beside = requirement.QMClient

// breakage is a broken file of which xinetd complains and that costs no session,
// changed.
func breakage(change func(*observe.Breakage)) observe.Breakages {
	b := observe.Breakage{File: "/etc/xinetd.d/qmserver", Line: 9, Reload: reloaded(func(f *observe.Reload) {
		f.Log = []xinetd.Record{{
			Text: "Attribute umask needs a space before operator", Severity: xinetd.Error,
			File: "/etc/xinetd.d/qmserver", Line: 9,
		}}
	})}
	if change != nil {
		change(&b)
	}
	return observe.Breakages{Of: map[requirement.Service]observe.Breakage{service: b}}
}

// withdrawal is a service that goes and comes back as it should, changed.
func withdrawal(change func(*observe.Withdrawal)) observe.Withdrawals {
	served := observe.Visit{Connected: true, Served: true}
	w := observe.Withdrawal{
		Reload: observe.Reload{
			Standing: map[requirement.Service]*observe.Standing{service: {Opened: true, Said: "FIN"}, beside: {Opened: true, Lives: true}},
			Before:   map[requirement.Service]uint64{service: 7, beside: 8}, After: map[requirement.Service]uint64{beside: 8},
			During: map[requirement.Service]observe.Visit{beside: served}, Later: map[requirement.Service]observe.Visit{beside: served},
		},
		Back: map[requirement.Service]observe.Visit{service: served},
	}
	if change != nil {
		change(&w)
	}
	return observe.Withdrawals{Of: map[requirement.Service]observe.Withdrawal{service: w}}
}

var withdrawals = judgetest.Table{
	"LIFE-05": {
		{Name: "kept", Facts: breakage(nil), Kind: verdict.Pass},
		{Name: "not defined", Facts: observe.Breakages{}, Kind: verdict.NotTestable},
		{Name: "not broken", Facts: breakage(func(b *observe.Breakage) { b.Line = 0 }), Kind: verdict.Error},
		{Name: "not read", Facts: breakage(func(b *observe.Breakage) { b.Log = nil }), Kind: verdict.NotTestable, Actual: "did not complain of /etc/xinetd.d/qmserver:9"},
		{
			Name: "it dies", Facts: breakage(func(b *observe.Breakage) { b.Standing = session("FIN") }),
			Kind: verdict.Fail, Actual: "the session got: FIN", Hint: "needs a space",
		},
		{Name: "it dies without a word", Facts: breakage(func(b *observe.Breakage) { b.Standing, b.Log = session("FIN"), nil }), Kind: verdict.Fail},
	},
	"LIFE-06": {
		{Name: "kept", Facts: breakage(nil), Kind: verdict.Pass, Actual: "qmserver:9: Attribute umask"},
		{Name: "not defined", Facts: observe.Breakages{}, Kind: verdict.NotTestable},
		{Name: "silent", Facts: breakage(func(b *observe.Breakage) { b.Log = nil }), Kind: verdict.Fail, Actual: "nothing was logged"},
		{Name: "another line", Facts: breakage(func(b *observe.Breakage) { b.Log[0].Line = 3 }), Kind: verdict.Fail, Actual: "needs a space"},
		{Name: "another file", Facts: breakage(func(b *observe.Breakage) { b.Log[0].File = "/etc/xinetd.conf" }), Kind: verdict.Fail},
	},
	"LIFE-07": {
		{Name: "kept", Facts: withdrawal(nil), Kind: verdict.Pass},
		{Name: "not defined", Facts: observe.Withdrawals{}, Kind: verdict.NotTestable},
		{Name: "was not there", Facts: withdrawal(func(w *observe.Withdrawal) { w.Before[service] = 0 }), Kind: verdict.NotTestable},
		{
			Name: "still open", Kind: verdict.Fail, Actual: "open still; a client got: 9 bytes",
			Facts: withdrawal(func(w *observe.Withdrawal) {
				w.After[service] = 7
				w.Later[service] = observe.Visit{Connected: true, Served: true, Outcome: "9 bytes"}
			}),
		},
		{
			Name: "the other's session dies", Kind: verdict.Fail, Actual: "qmclient, beside it: the session got: FIN",
			Facts: withdrawal(func(w *observe.Withdrawal) {
				w.Standing[beside] = &observe.Standing{Opened: true, Said: "FIN"}
			}),
		},
		{Name: "the other gets a new socket", Facts: withdrawal(func(w *observe.Withdrawal) { w.After[beside] = 9 }), Kind: verdict.Fail, Actual: "by another socket"},
		{
			Name: "the other is refused", Kind: verdict.Fail, Actual: "after it a client got: connection refused",
			Facts: withdrawal(func(w *observe.Withdrawal) { w.Later[beside] = observe.Visit{Outcome: "connection refused"} }),
		},
		{Name: "no other", Facts: withdrawal(func(w *observe.Withdrawal) { w.Before[beside] = 0 }), Kind: verdict.NotTestable},
	},
	"LIFE-08": {
		{Name: "kept", Facts: withdrawal(nil), Kind: verdict.Pass},
		{Name: "not defined", Facts: observe.Withdrawals{}, Kind: verdict.NotTestable},
		{Name: "not gone", Facts: withdrawal(func(w *observe.Withdrawal) { w.After[service] = 7 }), Kind: verdict.NotTestable},
		{
			Name: "not back", Kind: verdict.Fail, Actual: "connection refused",
			Facts: withdrawal(func(w *observe.Withdrawal) {
				w.Back[service] = observe.Visit{Outcome: "connection refused"}
			}),
		},
	},
}
