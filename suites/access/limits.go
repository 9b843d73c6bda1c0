package access

import (
	"fmt"
	"strings"

	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/verdict"
	"qmconformance/harness/xinetd"
)

var _ = judge.Section(area, "limits", func() {
	judge.On("ACCESS-08", observe.LimitRules, accessTimes)
	judge.On("ACCESS-11", observe.LimitRules, instances)
	judge.On("ACCESS-12", observe.LimitRules, perSource)
	judge.On("ACCESS-13", observe.LimitRules, rate)
	judge.On("ACCESS-14", observe.LimitRules, placesAfterThePause)
	judge.On("ACCESS-15", observe.LimitRules, load)
	judge.On("ACCESS-20", observe.LimitRules, order)
})

const (
	hour    = xinetd.ReasonTime
	places  = xinetd.ReasonInstances
	ofOne   = xinetd.ReasonPerSource
	perRate = xinetd.ReasonConnection
)

func accessTimes(c judge.Case, f observe.Ruled) verdict.Finding {
	return verdict.First(
		ruled(f, c.Service, observe.TimesOpen, due{"A": served}),
		ruled(f, c.Service, observe.TimesClosed, due{"A": hour}),
	)
}

func instances(c judge.Case, f observe.Ruled) verdict.Finding {
	v := ruled(f, c.Service, observe.InstancesTwo, due{"A": served, "B": served, "C": places, "C again": served})
	return withOwn(v, c, f, "instances")
}

func perSource(c judge.Case, f observe.Ruled) verdict.Finding {
	return withOwn(ruled(f, c.Service, observe.PerSourceOne, due{"A": served, "A again": ofOne, "B": served}), c, f, "per_source")
}

// rate judges the three parts of a limit on the rate: that it is tripped, with
// its reason in the log, that the port is closed then, and that it opens again.
// Whether there is a place after the pause is another limit's matter.
func rate(c judge.Case, f observe.Ruled) verdict.Finding {
	const expected = "of many connections in a second one is refused (FAIL connections per second), then the port is closed, and open again after the pause"
	t, made := f.Trials[observe.RateOne]
	if v := ruled(f, c.Service, observe.RateOne, due{"A": served}); v.Kind != verdict.Pass || !made {
		return v
	}
	tripped, closes := overTheRate(t, c)
	opens := false
	var said []string
	for _, k := range t.Of(c.Service) {
		opens = opens || k.Who == "C over" && (k.Served || k.Refused() && k.Logged && k.Reason == places)
		said = append(said, k.String())
	}
	return verdict.That(tripped && closes && opens, expected, strings.Join(said, "; "), own(c, f, "cps"))
}

// overTheRate says whether a connection tripped the rate, and one was met by a
// closed port after it.
func overTheRate(t observe.Trial, c judge.Case) (tripped, closes bool) {
	for _, k := range t.Of(c.Service) {
		tripped = tripped || k.Logged && k.Reason == perRate && k.Refused()
		closes = closes || tripped && k.Closed()
	}
	return tripped, closes
}

func placesAfterThePause(c judge.Case, f observe.Ruled) verdict.Finding {
	if t, made := f.Trials[observe.RateOne]; made && t.Down == "" {
		if tripped, closes := overTheRate(t, c); !tripped || !closes {
			u := verdict.Unmet("there was no pause")
			u.BecauseOf = "ACCESS-13"
			return u
		}
	}
	return ruled(f, c.Service, observe.RateOne, due{"A": served, "C over": places})
}

func load(c judge.Case, f observe.Ruled) verdict.Finding {
	if f.Load == "0.00" {
		return verdict.Absent("the machine is idle: no load is above a limit")
	}
	return ruled(f, c.Service, observe.LoadNone, due{"A": xinetd.ReasonLoad})
}

// order judges pairs of rules that would both refuse: the reason in the log tells
// which one was applied first.
func order(c judge.Case, f observe.Ruled) verdict.Finding {
	const expected = "cps, max_load, access_times, instances, per_source, then only_from and no_access, then TCP wrappers"
	if t, made := f.Trials[observe.RateBeforeLoad]; made && t.Down == "" && len(t.Of(c.Service)) > 0 {
		if tripped, _ := overTheRate(t, c); !tripped {
			return verdict.Violated(expected, "cps is not applied before max_load and access_times: "+fmt.Sprint(t.Of(c.Service)), "")
		}
	}
	findings := []verdict.Finding{
		ruled(f, c.Service, observe.TimesBeforePlaces, due{"A": hour}),
		ruled(f, c.Service, observe.PlacesBeforeOwn, due{"A": served, "A again": places}),
		ruled(f, c.Service, observe.PlacesBeforeLists, due{"A": places}),
		ruled(f, c.Service, observe.ListsBeforeWraps, due{"A": address}),
	}
	if f.Load != "0.00" {
		findings = append(findings, ruled(f, c.Service, observe.LoadBeforeTimes, due{"A": xinetd.ReasonLoad}))
	}
	v := verdict.First(findings...)
	if v.Kind == verdict.Pass {
		v.Actual = "the reason that was logged is each time that of the earlier rule"
		v.Expected = expected
	}
	return v
}
