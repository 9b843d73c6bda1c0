package logging

import (
	"net/netip"
	"testing"
	"time"

	"qmconformance/harness/judge/judgetest"
	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
	"qmconformance/harness/xinetd"
)

const failed = "FAIL: qmserver service_limit from=192.0.2.7"

func answer(manner string, from netip.Addr, texts ...string) observe.Answer {
	return observe.Answer{
		Manner: manner, Trail: trail(xinetd.ReasonInstances, from, append([]string{failed}, texts...)...),
		Asked: []string{"40000,4242"}, Query: "40000,4242",
	}
}

func identified(change func(*observe.Identified)) observe.Identified {
	forged := answer("a line feed", client, "USERID: qmserver UNIX : x")
	f := observe.Identified{
		Service: requirement.QMServer, Logging: told(usual, usualBlock),
		Well: []observe.Answer{
			answer("a user", client, "USERID: qmserver UNIX : "+observe.IdentUser),
			answer("a user", client6, "USERID: qmserver UNIX : "+observe.IdentUser),
		},
		Ill:    []observe.Answer{answer("an error", client, "Failed to contact identity server at 192.0.2.7: bad response"), answer("nobody listens", client)},
		Forged: []observe.Answer{forged}, ForgedInFile: []observe.Answer{forged},
	}
	if change != nil {
		change(&f)
	}
	return f
}

func forgedLine() []xinetd.Record {
	return append(lines(failed), xinetd.ParseLog("26/11/22@08:00:00: START: qmserver pid=1 from="+observe.ForgedClient.String(), xinetd.Zone{})...)
}

var identities = judgetest.Table{
	"LOG-08": {
		{Name: "kept", Facts: identified(nil), Kind: verdict.Pass, Actual: "2001:db8::7"},
		{Name: "not asked", Facts: identified(func(f *observe.Identified) { f.Well[0].Asked = nil }), Kind: verdict.Fail, Actual: "was asked nothing"},
		{Name: "asked for another connection", Facts: identified(func(f *observe.Identified) { f.Well[1].Asked = []string{"40001,4242"} }), Kind: verdict.Fail},
		{Name: "asked with a blank", Facts: identified(func(f *observe.Identified) { f.Well[1].Asked = []string{"40000, 4242"} }), Kind: verdict.Pass},
		{Name: "not logged", Facts: identified(func(f *observe.Identified) { f.Well[1].Logged = lines(failed) }), Kind: verdict.Fail, Actual: "nothing"},
		{Name: "another user", Facts: identified(func(f *observe.Identified) { f.Well[0].Logged = lines(failed, "USERID: qmserver UNIX : root") }), Kind: verdict.Fail},
		{Name: "no refusal", Facts: identified(func(f *observe.Identified) { f.Well[0].Refused = false }), Kind: verdict.NotTestable},
		{Name: "nothing was tried", Facts: observe.Identified{}, Kind: verdict.Error},
	},
	"LOG-09": {
		{Name: "kept", Facts: identified(nil), Kind: verdict.Pass, Actual: "2 answers"},
		{Name: "a delay", Facts: identified(func(f *observe.Identified) { f.Ill[1].Took = 2 * time.Second }), Kind: verdict.Fail, Actual: "nobody listens"},
		{Name: "a user", Facts: identified(func(f *observe.Identified) { f.Ill[0].Logged = lines(failed, "USERID: qmserver x") }), Kind: verdict.Fail, Actual: "an error"},
		{Name: "no line at all", Facts: identified(func(f *observe.Identified) { f.Ill[0].Logged = nil }), Kind: verdict.Fail},
		{Name: "nothing was tried", Facts: observe.Identified{}, Kind: verdict.Error},
	},
	"LOG-10": forgery(func(f *observe.Identified, list []observe.Answer) { f.Forged = list }),
	"LOG-11": forgery(func(f *observe.Identified, list []observe.Answer) { f.ForgedInFile = list }),
}

func forgery(put func(*observe.Identified, []observe.Answer)) []judgetest.Case {
	return []judgetest.Case{
		{Name: "kept", Facts: identified(nil), Kind: verdict.Pass},
		{
			Name: "forged", Kind: verdict.Fail, Actual: "203.0.113.9",
			Facts: identified(func(f *observe.Identified) {
				a := answer("a line feed", client)
				a.Logged = forgedLine()
				put(f, []observe.Answer{a})
			}),
		},
		{
			Name: "not asked", Kind: verdict.Error,
			Facts: identified(func(f *observe.Identified) {
				a := answer("a line feed", client)
				a.Asked = nil
				put(f, []observe.Answer{a})
			}),
		},
		{Name: "nothing was tried", Kind: verdict.Error, Facts: identified(func(f *observe.Identified) { put(f, nil) })},
	}
}

func TestIdentities(t *testing.T) { judgetest.Run(t, "", identities) }
