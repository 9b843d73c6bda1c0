package logging

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/verdict"
	"qmconformance/harness/xinetd"
)

var _ = judge.Section(area, "the client's identity server", func() {
	judge.On("LOG-08", observe.Identities, userIsLogged)
	judge.On("LOG-09", observe.Identities, illAnswersDoNoHarm)
	judge.On("LOG-10", observe.Identities, noLineIsForged)
	judge.On("LOG-11", observe.Identities, noLineIsForgedInFile)
})

// wasRefused judges what every one of these connections must be.
func wasRefused(l observe.Logging, a observe.Answer) (verdict.Finding, bool) {
	switch {
	case !a.Connected || !a.Refused:
		return verdict.Unmet("with %q a client is not refused: %s", a.Line, a.Outcome), false
	case len(a.Reasons(l.ID)) == 0:
		return verdict.Violated("a FAIL line", fmt.Sprintf("no line on the refusal of %v (its identity server: %s)", a.From, a.Manner), ""), false
	}
	return verdict.Finding{}, true
}

func userIsLogged(_ judge.Case, f observe.Identified) verdict.Finding {
	if len(f.Well) == 0 {
		return verdict.Broken("no client was refused whose host names a user")
	}
	expected := fmt.Sprintf("the host is asked for the ports of the connection, and \"USERID: %s UNIX : %s\" in the log", f.Logging.ID, observe.IdentUser)
	var said []string
	for _, a := range f.Well {
		if v, ok := wasRefused(f.Logging, a); !ok {
			return v
		}
		if asked := strings.Join(a.Asked, "; "); strings.ReplaceAll(asked, " ", "") != a.Query {
			if asked == "" {
				asked = "nothing"
			}
			return verdict.Violated(expected, fmt.Sprintf("the identity server of %v was asked %s, not %s; the log: %s", a.From, asked, a.Query, orNothing(texts(observe.IdentComplaints(a.Logged)))), "")
		}
		users := xinetd.Entries(a.Logged, xinetd.UserID, f.Logging.ID)
		if len(users) != 1 || !strings.HasSuffix(users[0].User, ": "+observe.IdentUser) {
			return verdict.Violated(expected, fmt.Sprintf("of %v: %s", a.From, orNothing(texts(users))), "")
		}
		said = append(said, fmt.Sprintf("%v: %s", a.From, users[0].Text))
	}
	return verdict.Kept(expected, strings.Join(said, "; "))
}

func orNothing(text string) string {
	if text == "" {
		return "nothing"
	}
	return text
}

// promptly is how long the end of a refused connection may take when its identity
// server does not let xinetd wait: a millisecond, on a busy machine a thousand.
const promptly = time.Second

func illAnswersDoNoHarm(_ judge.Case, f observe.Identified) verdict.Finding {
	if len(f.Ill) == 0 {
		return verdict.Broken("no identity server answered ill")
	}
	expected := fmt.Sprintf("refused within %v, with no user in the log", promptly)
	for _, a := range f.Ill {
		if v, ok := wasRefused(f.Logging, a); !ok {
			return v
		}
		if a.Took > promptly {
			return verdict.Violated(expected, fmt.Sprintf("%s from %v: %s", a.Manner, a.From, a.Outcome), "")
		}
		if users := xinetd.Entries(a.Logged, xinetd.UserID, f.Logging.ID); len(users) > 0 {
			return verdict.Violated(expected, fmt.Sprintf("%s from %v: %s", a.Manner, a.From, texts(users)), "")
		}
	}
	return verdict.Kept(expected, fmt.Sprintf("so it is after each of %d answers", len(f.Ill)))
}

func noLineIsForged(_ judge.Case, f observe.Identified) verdict.Finding {
	return unforged(f.Logging, f.Forged)
}

func noLineIsForgedInFile(_ judge.Case, f observe.Identified) verdict.Finding {
	return unforged(f.Logging, f.ForgedInFile)
}

func unforged(l observe.Logging, answers []observe.Answer) verdict.Finding {
	const expected = "one line for one answer, whatever it holds"
	if len(answers) == 0 {
		return verdict.Broken("no identity server tried to forge a line")
	}
	for _, a := range answers {
		if v, ok := wasRefused(l, a); !ok {
			return v
		}
		if len(a.Asked) == 0 {
			return verdict.Broken("the host of %v was not asked, so that nothing was tried", a.From)
		}
		forged := slices.IndexFunc(a.Logged, func(r xinetd.Record) bool { return r.Kind == xinetd.Start && r.From == observe.ForgedClient })
		if forged >= 0 {
			return verdict.Violated(expected, "a line of its own: "+a.Logged[forged].Raw, "")
		}
	}
	return verdict.Kept(expected, "nothing was added but the answer's own line")
}
