package access

import (
	"testing"

	. "github.com/onsi/gomega"

	"qmconformance/harness/judge/judgetest"
	"qmconformance/harness/observe"
	"qmconformance/harness/verdict"
)

func times(one observe.Trial) observe.Ruled {
	f := facts(trial(observe.TimesOpen, "A"), trial(observe.TimesClosed, "A:time"))
	f.Trials[one.Name] = one
	return f
}

// paused is a rate that was tripped at the second connection, changed.
func paused(after string) observe.Trial {
	return trial(observe.RateOne, "A", "C 1:connections per second", "C 2:closed", after)
}

func ordered(one observe.Trial) observe.Ruled {
	f := facts(
		trial(observe.RateBeforeLoad, "C 1:load", "C 2:connections per second", "C 3:closed"), trial(observe.LoadBeforeTimes, "A:load"),
		trial(observe.TimesBeforePlaces, "A:time"), trial(observe.PlacesBeforeOwn, "A", "A again:service_limit"),
		trial(observe.PlacesBeforeLists, "A:service_limit"), trial(observe.ListsBeforeWraps, "A:address"))
	f.Load = "0.40"
	f.Trials[one.Name] = one
	return f
}

func idle(f observe.Ruled) observe.Ruled { return but(f, func(f *observe.Ruled) { f.Load = "0.00" }) }

var limitTable = judgetest.Table{
	"ACCESS-08": {
		{Name: "by the clock", Facts: times(observe.Trial{}), Kind: verdict.Pass},
		{Name: "closed at this hour", Facts: times(trial(observe.TimesOpen, "A:time")), Kind: verdict.Fail, Actual: "was to be served"},
		{Name: "open at any hour", Facts: times(trial(observe.TimesClosed, "A")), Kind: verdict.Fail, Actual: "was to be refused"},
	},
	"ACCESS-11": {
		{Name: "two places", Facts: facts(trial(observe.InstancesTwo, "A", "B", "C:service_limit", "C again")), Kind: verdict.Pass},
		{Name: "as many as there are", Facts: facts(trial(observe.InstancesTwo, "A", "B", "C", "C again")), Kind: verdict.Fail, Actual: "C (10.1.2.5) served"},
		{Name: "none again", Facts: facts(trial(observe.InstancesTwo, "A", "B", "C:service_limit", "C again:service_limit")), Kind: verdict.Fail, Actual: "C again"},
	},
	"ACCESS-12": {
		{Name: "one each", Facts: facts(trial(observe.PerSourceOne, "A", "A again:per_source_limit", "B")), Kind: verdict.Pass},
		{Name: "no limit", Facts: facts(trial(observe.PerSourceOne, "A", "A again", "B")), Kind: verdict.Fail, Actual: "A again"},
		{Name: "for all together", Facts: facts(trial(observe.PerSourceOne, "A", "A again:per_source_limit", "B:per_source_limit")), Kind: verdict.Fail, Actual: "B (10.1.2.4) refused"},
	},
	"ACCESS-13": {
		{Name: "a pause", Facts: facts(paused("C over")), Kind: verdict.Pass},
		{Name: "a pause, and no place after it", Facts: facts(paused("C over:service_limit")), Kind: verdict.Pass},
		{Name: "no end of it", Facts: facts(paused("C over:closed")), Kind: verdict.Fail, Actual: "C over"},
		{Name: "no limit", Facts: facts(trial(observe.RateOne, "A", "C 1:service_limit", "C 2:service_limit", "C over:service_limit")), Kind: verdict.Fail},
		{Name: "no pause", Facts: facts(trial(observe.RateOne, "A", "C 1:connections per second", "C 2:service_limit", "C over")), Kind: verdict.Fail},
		{Name: "closed without a reason", Facts: facts(trial(observe.RateOne, "A", "C 1:closed", "C over")), Kind: verdict.Fail},
		{Name: "not tried", Facts: facts(), Kind: verdict.Error, Actual: "not made"},
	},
	"ACCESS-14": {
		{Name: "it counts", Facts: facts(paused("C over:service_limit")), Kind: verdict.Pass},
		{Name: "it begins at nought", Facts: facts(paused("C over")), Kind: verdict.Fail, Actual: "C over"},
		{Name: "no pause", Facts: facts(trial(observe.RateOne, "A", "C 1", "C over")), Kind: verdict.NotTestable, BecauseOf: "ACCESS-13"},
	},
	"ACCESS-15": {
		{Name: "refused", Facts: facts(trial(observe.LoadNone, "A:load")), Kind: verdict.Pass},
		{Name: "served", Facts: facts(trial(observe.LoadNone, "A")), Kind: verdict.Fail},
		{Name: "an idle machine", Facts: idle(facts(trial(observe.LoadNone, "A"))), Kind: verdict.NotApplicable},
	},
	"ACCESS-20": {
		{Name: "as documented", Facts: ordered(observe.Trial{}), Kind: verdict.Pass},
		{Name: "times before the rate", Facts: ordered(trial(observe.RateBeforeLoad, "C 1:time", "C 2:time")), Kind: verdict.Fail, Actual: "cps is not applied before"},
		{Name: "wrappers before the lists", Facts: ordered(trial(observe.ListsBeforeWraps, "A:libwrap")), Kind: verdict.Fail, Actual: "FAIL libwrap"},
		{Name: "times before the load", Facts: ordered(trial(observe.LoadBeforeTimes, "A:time")), Kind: verdict.Fail},
		{Name: "an idle machine", Facts: idle(ordered(trial(observe.LoadBeforeTimes, "A:time"))), Kind: verdict.Pass},
	},
}

var wayTable = judgetest.Table{
	"ACCESS-09": {
		{Name: "they decide", Facts: facts(wrapped(), trial(observe.HostsAllow, "A", "B:libwrap")), Kind: verdict.Pass},
		{
			Name: "everybody is let in", Facts: facts(trial(observe.HostsDeny, "A", "B", "C", "D"), trial(observe.HostsAllow, "A", "B")),
			Kind: verdict.Fail, Actual: "A (10.1.2.3) served", Hint: "hosts.allow",
		},
		{Name: "no exceptions", Facts: facts(wrapped(), trial(observe.HostsAllow, "A:libwrap", "B:libwrap")), Kind: verdict.Fail},
	},
	"ACCESS-10": {
		{Name: "qm", Facts: facts(wrapped()), Kind: verdict.Pass},
		{
			Name: "another one", Kind: verdict.Fail, Hint: "qm-wrapper",
			Facts: but(facts(trial(observe.HostsDeny, "A:libwrap", "B:libwrap", "C", "D")), func(f *observe.Ruled) {
				for s := range f.Places {
					f.Places[s] = observe.Place{Daemon: "qm-wrapper"}
				}
			}),
		},
	},
	"ACCESS-16": {
		{Name: "closed", Facts: facts(trial(observe.Disabled+"qmserver", "A:closed"), trial(observe.Disabled+"qmclient", "A")), Kind: verdict.Pass},
		{Name: "still open", Facts: facts(trial(observe.Disabled+"qmserver", "A"), trial(observe.Disabled+"qmclient", "A")), Kind: verdict.Fail},
		{Name: "refused, not closed", Facts: facts(trial(observe.Disabled+"qmserver", "A:address"), trial(observe.Disabled+"qmclient", "A")), Kind: verdict.Fail, Actual: "to be closed"},
		{Name: "the sister too", Facts: facts(trial(observe.Disabled+"qmserver", "A:closed"), trial(observe.Disabled+"qmclient", "A:closed")), Kind: verdict.Fail},
	},
	"ACCESS-17": {
		{Name: "taken", Facts: facts(trial(observe.RulesChanged, "A", "B", "A again", "B again:address")), Kind: verdict.Pass},
		{Name: "not taken", Facts: facts(trial(observe.RulesChanged, "A", "B", "A again", "B again")), Kind: verdict.Fail, Actual: "B again"},
		{Name: "not even tried", Facts: facts(observe.Trial{Name: observe.RulesChanged, Down: "xinetd did not say so"}), Kind: verdict.Fail, Actual: "did not say"},
	},
	"ACCESS-18": {
		{Name: "in force", Facts: facts(limited("", "")), Kind: verdict.Pass, Actual: "nice 7"},
		{Name: "lifted", Facts: facts(limited("Max cpu time", "unlimited")), Kind: verdict.Fail, Actual: "Max cpu time unlimited, not 500"},
		{Name: "another nice value", Facts: facts(changed(limited("", ""), func(k *observe.Knock) { k.Nice = 0 })), Kind: verdict.Fail, Actual: "nice 0, not 7"},
		{Name: "not served", Facts: facts(trial(observe.Resources, "A:address")), Kind: verdict.Fail},
	},
	"ACCESS-19": {
		{Name: "both", Facts: facts(bound(), redirected("127.0.0.1:4")), Kind: verdict.Pass},
		{Name: "open for everybody", Facts: facts(trial(observe.BoundToOne, "A", "inside")), Kind: verdict.Fail},
		{Name: "not redirected", Facts: facts(bound(), redirected("10.1.2.3:4")), Kind: verdict.Fail, Actual: "10.1.2.3:4"},
		{Name: "redirected to nowhere", Facts: facts(bound(), trial(observe.Redirected+"qmserver", "A:address")), Kind: verdict.Fail},
	},
}

func wrapped() observe.Trial {
	return trial(observe.HostsDeny, "A:libwrap", "B:libwrap", "C", "D:libwrap")
}
func bound() observe.Trial { return trial(observe.BoundToOne, "A:closed", "inside") }

func redirected(peer string) observe.Trial {
	return changed(trial(observe.Redirected+"qmserver", "A"), func(k *observe.Knock) { k.Peer = peer })
}

// limited has the limits of its trial but for one.
func limited(name, value string) observe.Trial {
	return changed(trial(observe.Resources, "A"), func(k *observe.Knock) {
		k.Limits, k.Nice = observe.ResourceLimits(), observe.ResourceNice
		if name != "" {
			k.Limits[name] = value
		}
	})
}

func TestRules(t *testing.T) {
	judgetest.Run(t, area, addressTable, limitTable, wayTable, shippedTable, writtenTable, writtenTable)
}

func TestADueReadsAsASentence(t *testing.T) {
	NewWithT(t).Expect(due{"B": "address", "A": served, "C": closed}.String()).To(Equal("A served, B refused (FAIL address), the port closed to C"))
}
