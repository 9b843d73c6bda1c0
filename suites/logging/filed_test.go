package logging

import (
	"testing"

	"qmconformance/harness/judge/judgetest"
	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
	"qmconformance/harness/xinetd"
)

// booted is a system that keeps the line on a refused client, changed.
func booted(change func(*observe.Filed)) observe.Booted {
	const line = "FAIL: qmserver service_limit from=::ffff:192.0.2.7"
	f := &observe.Filed{
		Trail: trail(xinetd.ReasonInstances, client, line),
		ID:    "qmserver", Route: "SYSLOG daemon info", File: "/var/log/syslog", Journal: lines(line),
	}
	if change != nil {
		change(f)
	}
	return observe.Booted{Refusals: map[requirement.Service]*observe.Filed{requirement.QMServer: f}}
}

func served(f *observe.Filed)  { f.Refused = false }
func missed(f *observe.Filed)  { f.Connected = false }
func unfiled(f *observe.Filed) { f.Logged, f.File = nil, "" }

var systems = judgetest.Table{
	"LOG-15": {
		{Name: "kept", Facts: booted(nil), Kind: verdict.Pass, Actual: "/var/log/syslog: FAIL: qmserver service_limit from=::ffff:192.0.2.7"},
		{Name: "nobody was refused", Facts: observe.Booted{}, Kind: verdict.NotTestable},
		{Name: "not connected", Facts: booted(missed), Kind: verdict.NotTestable},
		{Name: "served", Facts: booted(served), Kind: verdict.NotTestable},
		{Name: "dropped by the daemon", Facts: booted(unfiled), Kind: verdict.Fail, Actual: "while the journal has it"},
		{
			Name: "nowhere", Kind: verdict.Fail, Actual: "nor in the journal",
			Facts: booted(func(f *observe.Filed) { unfiled(f); f.Journal = nil }),
		},
		{
			Name: "without its address", Kind: verdict.Fail, Actual: "FAIL: qmserver service_limit",
			Facts: booted(func(f *observe.Filed) { f.Logged = lines("FAIL: qmserver service_limit") }),
		},
		{
			Name: "for another reason", Kind: verdict.Fail, Actual: "address from",
			Facts: booted(func(f *observe.Filed) { f.Logged = lines("FAIL: qmserver address from=192.0.2.7") }),
		},
		{
			Name: "another one's address", Kind: verdict.Fail,
			Facts: booted(func(f *observe.Filed) { f.Logged = lines("FAIL: qmserver service_limit from=192.0.2.8") }),
		},
		{
			Name: "another service's", Kind: verdict.Fail, Actual: "no file has it",
			Facts: booted(func(f *observe.Filed) { f.Logged = lines("FAIL: qmclient service_limit from=192.0.2.7") }),
		},
		{Name: "in a file of its own", Facts: booted(func(f *observe.Filed) { f.ToFile, f.Journal = true, nil }), Kind: verdict.Pass},
	},
	"LOG-16": {
		{Name: "kept", Facts: booted(nil), Kind: verdict.Pass},
		{Name: "served", Facts: booted(served), Kind: verdict.NotTestable},
		{Name: "not there", Facts: booted(func(f *observe.Filed) { f.Journal = nil }), Kind: verdict.Fail, Actual: "not there"},
		{Name: "to a file", Facts: booted(func(f *observe.Filed) { f.ToFile, f.Journal = true, nil }), Kind: verdict.NotApplicable},
	},
}

func TestSystems(t *testing.T) { judgetest.Run(t, "", systems) }
