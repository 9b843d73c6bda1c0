package lifecycle

import (
	"fmt"

	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
	"qmconformance/harness/wire/symptom"
)

var _ = judge.Section(area, "the database under a running xinetd", func() {
	judge.On("LIFE-13", observe.Stoppages, toldOfTheStop)
	judge.On("LIFE-14", observe.Stoppages, servesAfterTheStart)
	judge.On("LIFE-15", observe.Stoppages, suspendsAndResumes)
	judge.On("LIFE-16", observe.Full, turnsAwayWhenFull)
	judge.On("LIFE-17", observe.Stopping, sessionsSeeTheEnd)
})

// turnedAway judges a client that came when the database could not take it: it is
// let go, and told the reason where there are words for it.
func turnedAway(t observe.Told, tried bool, words symptom.Symptom) verdict.Finding {
	expected := "the end of the connection"
	if words != symptom.None {
		expected = fmt.Sprintf("the reason in words (%s), and the end of the connection", words)
	}
	switch {
	case !tried:
		return verdict.Broken("no client came")
	case !t.Connected:
		return verdict.Violated(expected, "there was no connection: "+t.Said, "xinetd closed the port; see its log for why")
	case t.Served:
		return verdict.Violated(expected, "it was let in", "")
	case !t.Ended:
		return verdict.Violated(expected, "it was left to wait: "+t.Said, "look for a wrapper that waits for the database: whoever is turned away at once can do something about it")
	case words != symptom.None && t.Symptom != words:
		return verdict.Violated(expected, "it got: "+t.Said, t.Symptom.Hint())
	}
	return verdict.Kept(expected, "it got: "+t.Said)
}

// servesAgain judges a client that came after the cause had gone.
func servesAgain(t observe.Told) verdict.Finding {
	const expected = "a conversation as far as it goes without a login"
	if !t.Served {
		return verdict.Violated(expected, "it got: "+t.Said, t.Symptom.Hint())
	}
	return verdict.Kept(expected, "it came to the end of it")
}

// commanded is Unmet where a command of the database's own did not work.
func commanded(failed string, then func() verdict.Finding) verdict.Finding {
	if failed != "" {
		return verdict.Unmet("%s", failed)
	}
	return then()
}

func toldOfTheStop(c judge.Case, f observe.Stoppage) verdict.Finding {
	return commanded(f.Failed, func() verdict.Finding {
		t, tried := f.Stopped[c.Service]
		return turnedAway(t, tried, symptom.NotStarted)
	})
}

func servesAfterTheStart(c judge.Case, f observe.Stoppage) verdict.Finding {
	return commanded(f.Failed, func() verdict.Finding {
		if v := servesAgain(f.Started[c.Service]); v.Kind != verdict.Pass {
			return v
		}
		if !f.Same {
			return verdict.Violated("the xinetd from before, on the sockets from before", "both ports serve, but xinetd was restarted meanwhile", "")
		}
		return verdict.Kept("a conversation as far as it goes without a login, by the xinetd from before", "so it is")
	})
}

func suspendsAndResumes(c judge.Case, f observe.Stoppage) verdict.Finding {
	return commanded(f.Failed, func() verdict.Finding {
		t, tried := f.Suspended[c.Service]
		return verdict.First(turnedAway(t, tried, symptom.Suspended), servesAgain(f.Resumed[c.Service]))
	})
}

func turnsAwayWhenFull(c judge.Case, f observe.Crowded) verdict.Finding {
	return commanded(f.Failed, func() verdict.Finding {
		for service, user := range f.Inside {
			if !user.LoggedIn {
				return verdict.Unmet("the places could not be taken, on %s: %s", service, user.Said)
			}
		}
		// An API session ends without a word: what it would say is no packet.
		words := symptom.UserLimit
		if c.Service == requirement.QMClient {
			words = symptom.None
		}
		t, tried := f.Over[c.Service]
		return verdict.First(turnedAway(t, tried, words), servesAgain(f.Freed[c.Service]))
	})
}

func sessionsSeeTheEnd(c judge.Case, f observe.Partings) verdict.Finding {
	const expected = "the end of its connection"
	return commanded(f.Failed, func() verdict.Finding {
		live := f.Live[c.Service]
		if !live.LoggedIn {
			return verdict.Unmet("no session was open: %s", live.Said)
		}
		return verdict.That(live.Ended, expected, live.Said, "")
	})
}
