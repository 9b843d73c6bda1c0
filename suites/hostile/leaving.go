package hostile

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/verdict"
)

var _ = judge.Section(area, "what is left of clients that misbehave", func() {
	judge.On("HOSTILE-01", observe.Survival, nothingLeft(observe.LeaveAtOnce))
	judge.On("HOSTILE-02", observe.Survival, nothingLeft(observe.LeaveBeforeLogin))
	judge.On("HOSTILE-03", observe.Survival, nothingLeft(observe.LeaveLoggedIn))
	judge.On("HOSTILE-04", observe.Survival, nothingLeft(observe.LeaveUnanswered))
	judge.On("HOSTILE-05", observe.Survival, nothingLeft(observe.LeaveUnfinished))
	judge.On("HOSTILE-06", observe.Survival, nothingLeft(observe.SpeakSomethingElse))
})

// nothingLeft judges what the clients of one manner left: processes, places in
// the database, and locks.
func nothingLeft(m observe.Manner) func(judge.Case, observe.Survived) verdict.Finding {
	return func(_ judge.Case, f observe.Survived) verdict.Finding {
		a, tried := f.Of(m)
		if !tried && f.Stopped != "" {
			return unreached(f, "not tried: the service does not serve since clients came to %s", f.Stopped)
		}
		if !tried || len(a.Misdeeds) == 0 {
			return verdict.Broken("no client came to %s", m)
		}
		reached, missed := arrived(a.Misdeeds)
		expected := "no process, no place and no lock is left of them, and no connection"
		if reached == 0 {
			return unreached(f, "none of %d clients came as far as that: %s", len(a.Misdeeds), missed)
		}
		if wrong := remains(a); len(wrong) > 0 {
			v := verdict.Violated(expected, fmt.Sprintf("of %d clients: %s", reached, strings.Join(wrong, "; ")), "")
			if allOfQM(a.Left, f.Program) {
				v.Symptom = leftByQM
			}
			return v
		}
		if a.PlacesBefore < 0 || a.PlacesAfter < 0 {
			return verdict.Unmet("the database does not tell its users: %s", strings.TrimSpace(a.Users))
		}
		return verdict.Kept(expected, fmt.Sprintf("nothing of %d clients after %v", reached, a.Took.Round(1e6)))
	}
}

// leftByQM is the symptom of what qm itself leaves, as distinct from what a package
// has put before or beside it: a defect of qm's excuses no wrapper's.
const leftByQM = "left-by-qm"

// allOfQM says whether all that stayed are programs of the database's own. Where no
// process stayed, places and locks did, which nobody else takes.
func allOfQM(left []observe.Leftover, program string) bool {
	return !slices.ContainsFunc(left, func(l observe.Leftover) bool { return path.Dir(l.Program) != path.Dir(program) })
}

// arrived counts the clients that got to where they were to misbehave, and says
// what kept one of the others.
func arrived(misdeeds []observe.Misdeed) (n int, missed string) {
	for _, v := range misdeeds {
		if v.Reached {
			n++
		} else {
			missed = v.What + ": " + v.Said
		}
	}
	return n, missed
}

// remains says what is left, most telling first.
func remains(a observe.Aftermath) (wrong []string) {
	for _, l := range a.Left {
		wrong = append(wrong, l.String())
	}
	if lost := a.PlacesAfter - a.PlacesBefore; a.PlacesBefore >= 0 && lost > 0 {
		wrong = append(wrong, fmt.Sprintf("%d places in the database", lost))
	}
	held := 0
	for _, v := range a.Misdeeds {
		if v.Held {
			held++
		}
	}
	if held > 0 {
		wrong = append(wrong, fmt.Sprintf("%d that closed their direction were not let go", held))
	}
	if n := len(a.StillLocked); n > 0 {
		wrong = append(wrong, fmt.Sprintf("%d locked records", n))
	}
	return wrong
}

// portServes is the requirement that explains why nobody gets anywhere.
const portServes = "HOSTILE-08"

// unreached is the finding where nobody got anywhere: where the port does not
// serve in the end either, that is the cause.
func unreached(f observe.Survived, format string, args ...any) verdict.Finding {
	u := verdict.Unmet(format, args...)
	if !f.Serves {
		u.BecauseOf = portServes
	}
	return u
}
