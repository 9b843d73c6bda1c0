package logging

import (
	"time"

	"qmconformance/harness/judge/judgetest"
	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

// silenced is a silent identity server that does no harm, changed.
func silenced(change func(*observe.Silenced)) observe.Silenced {
	both := func() map[requirement.Service]observe.Visit {
		return map[requirement.Service]observe.Visit{requirement.QMServer: {Served: true}, requirement.QMClient: {Served: true}}
	}
	f := observe.Silenced{
		Kept: map[requirement.Service]observe.Kept{
			requirement.QMServer: {Connected: true, Asked: true, Refused: true, Outcome: "FIN after 0 bytes, 30 s", Took: 30 * time.Second},
		},
		Others: both(), Pending: true, Restarted: both(),
	}
	if change != nil {
		change(&f)
	}
	return f
}

func kept(k observe.Kept) func(*observe.Silenced) {
	return func(f *observe.Silenced) { f.Kept[requirement.QMServer] = k }
}

var silences = judgetest.Table{
	"LOG-13": {
		{Name: "kept", Facts: silenced(nil), Kind: verdict.Pass, Actual: "30 s"},
		{Name: "not tried", Facts: silenced(func(f *observe.Silenced) { f.Kept = nil }), Kind: verdict.Error},
		{Name: "not asked", Facts: silenced(kept(observe.Kept{Connected: true, Outcome: "FIN"})), Kind: verdict.NotTestable},
		{Name: "for ever", Facts: silenced(kept(observe.Kept{Connected: true, Asked: true, Outcome: "nothing for 40 s"})), Kind: verdict.Fail, Actual: "nothing for 40 s"},
		{Name: "late", Facts: silenced(kept(observe.Kept{Connected: true, Asked: true, Refused: true, Took: 39 * time.Second, Outcome: "39 s"})), Kind: verdict.Fail, Actual: "39 s"},
		{
			Name: "others wait, too", Kind: verdict.Fail, Actual: "another client got: nothing for 5 s",
			Facts: silenced(func(f *observe.Silenced) { f.Others[requirement.QMServer] = observe.Visit{Outcome: "nothing for 5 s"} }),
		},
		{
			Name: "others wait for the other's question", Kind: verdict.Fail, Actual: "another client got: nothing for 5 s",
			Facts: silenced(func(f *observe.Silenced) {
				f.Kept = map[requirement.Service]observe.Kept{
					requirement.QMServer: {Connected: true, Outcome: "RST"}, requirement.QMClient: {Connected: true, Asked: true},
				}
				f.Others[requirement.QMServer] = observe.Visit{Outcome: "nothing for 5 s"}
			}),
		},
	},
	"LOG-14": {
		{Name: "kept", Facts: silenced(nil), Kind: verdict.Pass},
		{Name: "nothing pending", Facts: silenced(func(f *observe.Silenced) { f.Pending = false }), Kind: verdict.NotTestable},
		{
			Name: "dead", Kind: verdict.Fail, Actual: "qmclient: nothing for 5 s",
			Facts: silenced(func(f *observe.Silenced) {
				f.Restarted[requirement.QMClient] = observe.Visit{Outcome: "nothing for 5 s"}
			}),
		},
	},
}
