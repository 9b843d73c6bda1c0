package access

import (
	"qmconformance/harness/judge/judgetest"
	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
	"qmconformance/harness/wire"
)

func inBlock(one observe.Trial) observe.Ruled {
	f := facts(
		trial(observe.OnlyFromInBlock, "A", "B:address", "C:address"), trial(observe.NoAccessInBlock, "A:address", "B", "C"),
		trial(observe.BothInBlock, "A", "B:address", "C:address"), trial(observe.NobodyInBlock, "A:address"))
	f.Trials[one.Name] = one
	return f
}

func inDefaults(one observe.Trial) observe.Ruled {
	f := facts(trial(observe.OnlyFromInDefaults, "A", "B:address"), trial(observe.NoAccessInDefaults, "A:address", "B"))
	f.Trials[one.Name] = one
	return f
}

func forms(one observe.Trial) observe.Ruled {
	f := facts(
		trial(observe.FormCIDR, "A", "B:address"), trial(observe.FormZeros, "A", "B"), trial(observe.FormFactorised, "A", "B", "C:address"),
		trial(observe.FormIPv6, "A6", "B6:address", "C:address"), trial(observe.FormIPv6Host, "A6", "B6:address", "C"))
	f.Trials[one.Name] = one
	return f
}

// ipv4Only makes both services so.
func ipv4Only(f observe.Ruled) observe.Ruled {
	return but(f, func(f *observe.Ruled) {
		for s := range f.Places {
			f.Places[s] = observe.Place{ID: string(s), Daemon: "qm", IPv4Only: true}
		}
	})
}

// changed is a trial with something else in each of its knocks.
func changed(t observe.Trial, change func(*observe.Knock)) observe.Trial {
	for i := range t.Knocks {
		change(&t.Knocks[i])
	}
	return t
}

var addressTable = judgetest.Table{
	"ACCESS-01": {
		{Name: "as it is meant", Facts: inBlock(observe.Trial{}), Kind: verdict.Pass, Actual: "A (10.1.2.3) refused"},
		{Name: "everybody is served", Facts: inBlock(trial(observe.OnlyFromInBlock, "A", "B", "C")), Kind: verdict.Fail, Actual: "B (10.1.2.4) served, and was to be refused"},
		{Name: "nobody is served", Facts: inBlock(trial(observe.NoAccessInBlock, "A:address", "B:address", "C:address")), Kind: verdict.Fail, Actual: "B (10.1.2.4) refused"},
		{Name: "for another reason", Facts: inBlock(trial(observe.NobodyInBlock, "A:libwrap")), Kind: verdict.Fail, Actual: "was to be refused for the reason address"},
		{Name: "the port is closed", Facts: inBlock(trial(observe.NobodyInBlock, "A:closed")), Kind: verdict.Fail, Actual: "no orderly refusal"},
		{
			Name: "no trace", Facts: inBlock(changed(trial(observe.NobodyInBlock, "A:address"), func(k *observe.Knock) { k.Logged = false })),
			Kind: verdict.Fail, Actual: "no FAIL line", Hint: "log_type",
		},
		{
			Name: "the client waits", Facts: inBlock(changed(trial(observe.NobodyInBlock, "A:address"), func(k *observe.Knock) { k.Result = wire.TimedOut })),
			Kind: verdict.Fail, Actual: "no orderly refusal",
		},
		{
			Name: "the program ran for a refused client", Facts: inBlock(observe.Trial{Name: observe.NobodyInBlock, Knocks: knocks("A:address"), Executed: 1}),
			Kind: verdict.Fail, Actual: "1 programs more were executed",
		},
		{Name: "xinetd ended", Facts: inBlock(observe.Trial{Name: observe.NobodyInBlock, Down: "exit status 1"}), Kind: verdict.Fail, Actual: "exit status 1"},
		{Name: "nobody knocked", Facts: inBlock(observe.Trial{Name: observe.NobodyInBlock}), Kind: verdict.Error, Actual: "no client A"},
		{Name: "a trial was not made", Facts: facts(), Kind: verdict.Error, Actual: "was not made"},
		{
			Name: "no such service", Facts: but(inBlock(observe.Trial{}), func(f *observe.Ruled) { delete(f.Places, requirement.QMServer) }),
			Kind: verdict.NotTestable, Actual: "no such service", BecauseOf: "SERV-09",
		},
	},
	"ACCESS-02": {
		{Name: "inherited", Facts: inDefaults(observe.Trial{}), Kind: verdict.Pass},
		{Name: "overridden", Facts: inDefaults(trial(observe.OnlyFromInDefaults, "A", "B")), Kind: verdict.Fail, Hint: "read before it"},
		{Name: "emptied", Service: requirement.QMClient, Facts: inDefaults(trial(observe.NoAccessInDefaults, "A", "B")), Kind: verdict.Fail, Actual: "A (10.1.2.3) served"},
	},
	"ACCESS-03": {
		{Name: "all of them", Facts: forms(observe.Trial{}), Kind: verdict.Pass},
		{Name: "a list in braces", Facts: forms(trial(observe.FormFactorised, "A", "B", "C")), Kind: verdict.Fail, Actual: "C (10.1.2.5) served"},
		{Name: "an IPv6 network", Facts: forms(trial(observe.FormIPv6, "A6", "B6", "C:address")), Kind: verdict.Fail, Actual: "B6"},
		{Name: "IPv4 alone", Facts: ipv4Only(forms(trial(observe.FormIPv6))), Kind: verdict.Pass},
	},
	"ACCESS-04": {
		{Name: "as they read", Facts: facts(trial(observe.FormMask, "A", "B:address"), trial(observe.FormIPv6Single, "A6", "B6:address")), Kind: verdict.Pass},
		{Name: "nobody", Facts: facts(trial(observe.FormMask, "A:address", "B:address")), Kind: verdict.Fail, Actual: "A (10.1.2.3) refused"},
		{Name: "everybody", Facts: facts(trial(observe.FormMask, "A", "B")), Kind: verdict.Fail, Actual: "B (10.1.2.4) served"},
	},
	"ACCESS-05": {
		{Name: "it matches", Facts: facts(trial(observe.FormName, "A", "B:address")), Kind: verdict.Pass},
		{Name: "it matches nobody", Facts: facts(trial(observe.FormName, "A:address", "B:address")), Kind: verdict.Fail},
		{Name: "IPv4 alone", Facts: ipv4Only(facts()), Kind: verdict.NotApplicable},
	},
	"ACCESS-06": {
		{Name: "it decides", Facts: facts(trial(observe.MoreSpecific, "A", "B:address")), Kind: verdict.Pass},
		{Name: "it does not", Facts: facts(trial(observe.MoreSpecific, "A:address", "B:address")), Kind: verdict.Fail},
	},
}
