package lifecycle

import (
	"fmt"

	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
	"qmconformance/harness/xinetd"
)

var _ = judge.Section(area, "reload without a service", func() {
	judge.On("LIFE-05", observe.Breaks, livesThroughABreak)
	judge.On("LIFE-06", observe.Breaks, namesTheLine)
	judge.On("LIFE-07", observe.Withdraws, withdrawsOnlyOne)
	judge.On("LIFE-08", observe.Withdraws, putsBack)
})

// brokenAt is the break of a service's file, and what xinetd said of the very line.
func brokenAt(c judge.Case, f observe.Breakages) (b observe.Breakage, complaint string, unmet verdict.Finding, ok bool) {
	b, tried := f.Of[c.Service]
	if !tried {
		return b, "", verdict.Unmet("the service is not defined"), false
	}
	if b.Line == 0 {
		return b, "", verdict.Broken("the broken line is in none of the files"), false
	}
	for _, one := range xinetd.Complaints(b.Log, nil) {
		if one.File == b.File && one.Line == b.Line {
			return b, one.String(), verdict.Finding{}, true
		}
	}
	return b, "", verdict.Finding{}, true
}

func livesThroughABreak(c judge.Case, f observe.Breakages) verdict.Finding {
	b, complaint, unmet, ok := brokenAt(c, f)
	if !ok {
		return unmet
	}
	v := lives(b.Standing[c.Service], complaint)
	// A session that lives because xinetd has not read the file shows nothing.
	if v.Kind == verdict.Pass && complaint == "" {
		return verdict.Unmet("xinetd did not complain of %s:%d", b.File, b.Line)
	}
	return v
}

func namesTheLine(c judge.Case, f observe.Breakages) verdict.Finding {
	b, complaint, unmet, ok := brokenAt(c, f)
	if !ok {
		return unmet
	}
	expected := fmt.Sprintf("a message about %s:%d", b.File, b.Line)
	if complaint == "" {
		return verdict.Violated(expected, "there is none; the last one is: "+lastOf(b.Log), "")
	}
	return verdict.Kept(expected, complaint)
}

// other is the service beside the one under judgement.
func other(c judge.Case) judge.Case {
	for _, service := range requirement.NetworkServices {
		if service != c.Service {
			c.Service = service
			break
		}
	}
	return c
}

func withdrawsOnlyOne(c judge.Case, f observe.Withdrawals) verdict.Finding {
	const expected = "the port closed by the end of the reload"
	w, tried := f.Of[c.Service]
	switch {
	case !tried || w.Before[c.Service] == 0:
		return verdict.Unmet("the service was not there before")
	case w.After[c.Service] != 0:
		return verdict.Violated(expected, "it is open still; a client got: "+w.Later[c.Service].Outcome, "")
	}
	v := leavesAlone(other(c), w.Reload)
	if v.Kind != verdict.Pass {
		v.Actual = fmt.Sprintf("%s, beside it: %s", other(c).Service, v.Actual)
		return v
	}
	return verdict.Kept(expected+", and the other service as if nothing had been", "so it is")
}

func putsBack(c judge.Case, f observe.Withdrawals) verdict.Finding {
	const expected = "served after the next reload"
	w, tried := f.Of[c.Service]
	switch {
	case !tried || w.Before[c.Service] == 0:
		return verdict.Unmet("the service was not there before")
	case w.After[c.Service] != 0:
		return verdict.Unmet("the service was not taken away")
	}
	back := w.Back[c.Service]
	return verdict.That(back.Served, expected, "a client got: "+back.Outcome, "")
}
