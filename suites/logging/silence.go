package logging

import (
	"fmt"
	"time"

	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

var _ = judge.Section(area, "an identity server that is silent", func() {
	judge.On("LOG-13", observe.Silences, silenceEnds)
	judge.On("LOG-14", observe.Silences, restartsInSilence)
})

// patience is how long the question may keep the refused client: xinetd gives up
// after 30 s.
const patience = 35 * time.Second

func silenceEnds(c judge.Case, f observe.Silenced) verdict.Finding {
	expected := fmt.Sprintf("the end within %v, and others served meanwhile", patience)
	k, tried := f.Kept[c.Service]
	switch {
	case !tried:
		return verdict.Broken("no client was refused")
	// A question of the other service's may keep this one from asking its own.
	case anyAsked(f) && !f.Others[c.Service].Served:
		return verdict.Violated(expected, "another client got: "+f.Others[c.Service].Outcome, "")
	case !k.Connected || !k.Asked:
		return verdict.Unmet("the client's host was not asked: %s", k.Outcome)
	case !k.Refused || k.Took > patience:
		return verdict.Violated(expected, k.Outcome, "")
	}
	return verdict.Kept(expected, k.Outcome)
}

func anyAsked(f observe.Silenced) bool {
	for _, k := range f.Kept {
		if k.Asked {
			return true
		}
	}
	return false
}

func restartsInSilence(_ judge.Case, f observe.Silenced) verdict.Finding {
	const expected = "both ports served after the restart"
	if !f.Pending {
		return verdict.Unmet("no question was pending when xinetd was restarted")
	}
	for _, service := range requirement.NetworkServices {
		if v := f.Restarted[service]; !v.Served {
			return verdict.Violated(expected, fmt.Sprintf("%s: %s; %d lines on a bind that failed", service, v.Outcome, len(f.BindFailures)), "")
		}
	}
	return verdict.Kept(expected, "so it is")
}
