package hostile

import (
	"fmt"
	"strings"

	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/verdict"
)

var _ = judge.Section(area, "everybody else, meanwhile and afterwards", func() {
	judge.On("HOSTILE-07", observe.Survival, residentsStay)
	judge.On("HOSTILE-08", observe.Survival, servesAfterwards)
	judge.On("HOSTILE-09", observe.Survival, superServerUnchanged)
	judge.On("HOSTILE-10", observe.Idle, idleLocksNobodyOut)
	judge.On("HOSTILE-11", observe.Burstiness, burstIsAnswered)
	judge.On("HOSTILE-12", observe.Slow, slowIsServed)
})

func residentsStay(_ judge.Case, f observe.Survived) verdict.Finding {
	const expected = "the session from before answers as before, from the same process"
	r := f.Resident
	switch {
	case !r.LoggedIn:
		return unreached(f, "no session could be opened before: %s", strings.TrimSpace(r.Said))
	case !strings.Contains(r.Before, observe.Account):
		return verdict.Unmet("the session did not answer before either: %q", strings.TrimSpace(r.Before))
	case r.After != r.Before:
		return verdict.Violated(expected, fmt.Sprintf("it answered %q, and then %q", strings.TrimSpace(r.Before), strings.TrimSpace(r.After)), "")
	case !r.Same:
		return verdict.Violated(expected, "it answers, from another process", "")
	}
	return verdict.Kept(expected, fmt.Sprintf("it answered %q both times", strings.TrimSpace(r.After)))
}

func servesAfterwards(_ judge.Case, f observe.Survived) verdict.Finding {
	const expected = "a conversation as far as it goes without a login, and the xinetd from before"
	switch {
	case len(f.Manners) == 0:
		return verdict.Broken("no client misbehaved")
	case !f.Serves && f.Stopped != "":
		return verdict.Violated(expected, fmt.Sprintf("since clients came to %s: %s", f.Stopped, f.Said), "")
	case !f.Serves:
		return verdict.Violated(expected, f.Said, "")
	case !f.XinetdThere:
		return verdict.Violated(expected, fmt.Sprintf("xinetd (pid %d) is no longer there", f.XinetdBefore.PID), "")
	}
	return verdict.Kept(expected, "it serves")
}

// growth is how much larger the super-server may be: the pages that it had not
// yet touched when it was young. Thousands of connections cost it 16 KiB.
const growth = 1 << 20

func superServerUnchanged(_ judge.Case, f observe.Survived) verdict.Finding {
	before, after := f.XinetdBefore, f.XinetdAfter
	expected := fmt.Sprintf("%d descriptors, and at most %d KiB more than %d", len(before.FDs), growth>>10, before.RSS>>10)
	switch {
	case before.PID == 0:
		return verdict.Broken("xinetd was not seen before")
	case !f.XinetdThere:
		u := verdict.Unmet("xinetd (pid %d) is no longer there", before.PID)
		u.BecauseOf = portServes
		return u
	case len(before.FDs) == 0 || len(after.FDs) == 0:
		return verdict.Broken("the descriptors of xinetd could not be read")
	}
	actual := fmt.Sprintf("%d descriptors, %d KiB", len(after.FDs), after.RSS>>10)
	return verdict.That(len(after.FDs) == len(before.FDs) && after.RSS <= before.RSS+growth, expected, actual, "")
}

func idleLocksNobodyOut(_ judge.Case, f observe.Idled) verdict.Finding {
	expected := fmt.Sprintf("%d idle clients are greeted, and a user logs in beside them", len(f.Idle))
	if len(f.Idle) == 0 {
		return verdict.Broken("nobody was idle")
	}
	for i, a := range f.Idle {
		if !a.Served {
			return verdict.Violated(expected, fmt.Sprintf("idle client %d: %s", i+1, a.Outcome), "")
		}
	}
	return verdict.That(f.LoggedIn, expected, "the user was told: "+strings.TrimSpace(f.Said), "")
}

func burstIsAnswered(_ judge.Case, f observe.Burst) verdict.Finding {
	expected := fmt.Sprintf("an answer or an end for each of %d, and one for the next", len(f.AtOnce))
	if len(f.AtOnce) == 0 {
		return verdict.Broken("no burst was made")
	}
	served := 0
	var forgotten []string
	for i, a := range f.AtOnce {
		switch {
		case a.Served:
			served++
		case !a.TurnedAway:
			forgotten = append(forgotten, fmt.Sprintf("number %d: %s", i+1, a.Outcome))
		}
	}
	switch {
	case len(forgotten) > 0:
		return verdict.Violated(expected, fmt.Sprintf("%d were left without, %s", len(forgotten), forgotten[0]), "")
	case !f.Afterwards.Served:
		return verdict.Violated(expected, "they got it, but the next: "+f.Afterwards.Outcome, "")
	}
	return verdict.Kept(expected, fmt.Sprintf("%d served, %d turned away", served, len(f.AtOnce)-served))
}

func slowIsServed(_ judge.Case, f observe.Slowed) verdict.Finding {
	expected := "the answer that is due to it, and service to others meanwhile"
	if !f.Greeted {
		return verdict.Unmet("it was not greeted: %s", f.Said)
	}
	if len(f.Others) == 0 {
		return verdict.Broken("nobody else came meanwhile")
	}
	for _, o := range f.Others {
		if !o.Served {
			return verdict.Violated(expected, "another client got: "+o.Outcome, "")
		}
	}
	return verdict.That(f.Answered, expected, fmt.Sprintf("after %d bytes: %s", f.Sent, f.Said), "")
}
