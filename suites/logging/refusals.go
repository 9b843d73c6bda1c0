package logging

import (
	"fmt"
	"slices"
	"strings"

	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/verdict"
	"qmconformance/harness/xinetd"
)

var _ = judge.Section(area, "the trace of a refusal", func() {
	judge.On("LOG-01", observe.RefusalTraces, limitsGiveReasons)
	judge.On("LOG-02", observe.RefusalTraces, clientIsNamed)
	judge.On("LOG-03", observe.RefusalTraces, listsGiveReasons)
	judge.On("LOG-04", observe.RefusalTraces, pauseIsTold)
	judge.On("LOG-05", observe.RefusalTraces, executionIsTold)
	judge.On("LOG-12", observe.RefusalTraces, otherRoute)
})

// reasonIsLogged judges one refusal on all three planes: the client saw it, no
// server was executed for it, and the log has it for the reason at hand.
func reasonIsLogged(c judge.Case, l observe.Logging, t observe.Trail) verdict.Finding {
	expected := fmt.Sprintf("with %q: refused, and \"FAIL: %s %s\" in the log", t.Line, l.ID, t.Rule)
	switch reasons := t.Reasons(l.ID); {
	case !t.Connected:
		return verdict.Unmet("with %q there is no connection: %s", t.Line, t.Outcome)
	case !t.Refused:
		return verdict.Unmet("with %q a client is not refused: %s", t.Line, t.Outcome)
	case t.Executed > 0:
		return verdict.Violated(expected, fmt.Sprintf("refused, and yet the server was executed %d times", t.Executed), "")
	case len(reasons) == 0:
		return violated(expected, "refused, and no line of the service's on it in the log", whyMute(l, c.Service))
	case slices.ContainsFunc(reasons, func(r xinetd.Record) bool { return r.Reason != t.Rule }):
		return verdict.Violated(expected, "logged: "+texts(reasons), "")
	default:
		return verdict.Kept(expected, texts(reasons))
	}
}

func texts(records []xinetd.Record) string {
	var list []string
	for _, r := range records {
		list = append(list, r.Text)
	}
	return strings.Join(list, "; ")
}

// addressIsLogged judges the address in the lines on one refusal.
func addressIsLogged(c judge.Case, l observe.Logging, t observe.Trail) verdict.Finding {
	expected := fmt.Sprintf("\"FAIL: %s %s from=%v\" in the log", l.ID, t.Rule, t.From)
	reasons := t.Reasons(l.ID)
	if len(reasons) == 0 {
		return violated(expected, "no line of the service's on it in the log", whyMute(l, c.Service))
	}
	for _, r := range reasons {
		switch {
		case r.FromText == "":
			return violated(expected, r.Text, lost(l, c.Service, "log_on_failure", "HOST"))
		case r.From != t.From:
			return verdict.Violated(expected, r.Text, "the address is another one's: look for what stands between the client and xinetd")
		}
	}
	return verdict.Kept(expected, texts(reasons))
}

func limitsGiveReasons(c judge.Case, f observe.Traces) verdict.Finding {
	if len(f.Limits) == 0 {
		return verdict.Broken("no client was refused")
	}
	var findings []verdict.Finding
	for _, t := range f.Limits {
		findings = append(findings, reasonIsLogged(c, f.Logging, t))
	}
	return verdict.First(findings...)
}

func clientIsNamed(c judge.Case, f observe.Traces) verdict.Finding {
	if len(f.Limits) == 0 {
		return verdict.Broken("no client was refused")
	}
	var findings []verdict.Finding
	for _, t := range f.Limits {
		findings = append(findings, addressIsLogged(c, f.Logging, t))
	}
	if f.IPv6.Connected {
		findings = append(findings, addressIsLogged(c, f.Logging, f.IPv6))
	}
	return verdict.First(findings...)
}

func listsGiveReasons(c judge.Case, f observe.Traces) verdict.Finding {
	if len(f.Children) == 0 {
		return verdict.Broken("no client was refused")
	}
	var findings []verdict.Finding
	for _, t := range f.Children {
		findings = append(findings, reasonIsLogged(c, f.Logging, t), addressIsLogged(c, f.Logging, t))
	}
	return verdict.First(findings...)
}

func pauseIsTold(c judge.Case, f observe.Traces) verdict.Finding {
	const expected = "a message that the service is closed, and for how long"
	findings := []verdict.Finding{reasonIsLogged(c, f.Logging, f.Rate), addressIsLogged(c, f.Logging, f.Rate)}
	// Connections that were admitted before the last one are none of its own.
	if messages := observe.PauseMessages(f.Rate.Logged); len(messages) == 0 {
		findings = append(findings, verdict.Violated(expected, "no such message", ""))
	} else {
		findings = append(findings, verdict.Kept(expected, texts(messages)))
	}
	return verdict.First(findings...)
}

func executionIsTold(_ judge.Case, f observe.Traces) verdict.Finding {
	t := f.Unexecutable
	expected := fmt.Sprintf("with %q: an error that names it", t.Line)
	errors := observe.ExecutionErrors(t.Logged)
	_, program, _ := strings.Cut(t.Line, "= ")
	switch {
	case !t.Connected:
		return verdict.Unmet("with %q there is no connection: %s", t.Line, t.Outcome)
	case !t.Refused:
		return verdict.Violated(expected, "the client got: "+t.Outcome, "")
	case len(errors) == 0:
		return verdict.Violated(expected, "no such error", "")
	case program == "" || !strings.Contains(texts(errors), program):
		return verdict.Violated(expected, texts(errors), "")
	}
	return verdict.Kept(expected, texts(errors))
}

func otherRoute(c judge.Case, f observe.Traces) verdict.Finding {
	t := f.Other
	expected := fmt.Sprintf("with %q: the line on a refusal, with reason and address", t.Line)
	if t.Line == "" {
		return verdict.Broken("no other route was tried")
	}
	if !t.Connected {
		return verdict.Violated(expected, "the service is closed: "+t.Outcome, "")
	}
	v := verdict.First(reasonIsLogged(c, f.Logging, t), addressIsLogged(c, f.Logging, t))
	if v.Kind == verdict.Fail {
		v.Hint = "" // where the package's own log goes is not what decides here
	}
	v.Expected = expected
	return v
}
