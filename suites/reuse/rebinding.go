package reuse

import (
	"fmt"
	"time"

	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/verdict"
	"qmconformance/harness/wire"
	"qmconformance/harness/xinetd"
)

var _ = judge.Section(area, "binding again", func() {
	judge.On("REUSE-01", observe.AtStart, optionSet)
	judge.On("REUSE-02", observe.Restarts, afterTimeWait)
	judge.On("REUSE-03", observe.Restarts, afterEstablished)
})

// optionSet asks the accepted socket, which has the option from the one that
// listens.
func optionSet(_ judge.Case, f observe.Started) verdict.Finding {
	const expected = "SO_REUSEADDR is set"
	if f.Context == nil {
		return verdict.Unmet("the server did not tell: %s", f.Outcome)
	}
	socket := f.Context.Socket
	if socket.Family != "inet" && socket.Family != "inet6" {
		return verdict.Unmet("the server's standard input is no TCP socket (%q)", socket.Family)
	}
	if !socket.ReuseAddr {
		return verdict.Violated(expected, "it is not set on the accepted socket, and so not on the one that listens", "")
	}
	return verdict.Kept(expected, "it is; this xinetd sets it for every listener, and the flag REUSE makes no difference")
}

func afterEstablished(c judge.Case, f observe.Restarted) verdict.Finding {
	left := f.Established.Left[c.Service]
	if session := f.Established.Standing[c.Service]; session == nil || !session.Opened {
		return verdict.Unmet("no session could be opened: %s", said(session))
	}
	if left.Established == 0 {
		return verdict.Unmet("the session did not outlive xinetd: there was nothing on the port")
	}
	return boundAgain(c, f.Established)
}

func afterTimeWait(c judge.Case, f observe.Restarted) verdict.Finding {
	if f.TimeWait.Left[c.Service].TimeWait == 0 {
		return verdict.Unmet("no connection was left in TIME_WAIT on the port: %v", f.TimeWait.Left[c.Service])
	}
	return boundAgain(c, f.TimeWait)
}

func said(s *observe.Standing) string {
	if s == nil {
		return "it was not tried"
	}
	return s.Said
}

// boundAgain judges a stop and a start.
func boundAgain(c judge.Case, f observe.Rebound) verdict.Finding {
	const expected = "the port closes, and the new xinetd binds it without a failure and serves"
	on := fmt.Sprintf("with %v on the port: ", f.Left[c.Service])
	if !f.Closed[c.Service] {
		return verdict.Violated(expected, on+"it was still open when xinetd had gone", "")
	}
	after := f.After[c.Service]
	if failed := bindFailures(f.Log, c); failed != "" {
		return verdict.Violated(expected, on+failed+"; a client got: "+after.Outcome, "")
	}
	switch {
	case !f.Ready.Ready && !after.Served:
		return verdict.Violated(expected, fmt.Sprintf("%sxinetd was not ready within %v; a client got: %s", on, f.Ready.Waited.Round(time.Millisecond), after.Outcome), "")
	case !after.Served:
		return verdict.Violated(expected, on+"a client got: "+after.Outcome, "")
	}
	return verdict.Kept(expected, fmt.Sprintf("%sserved %s after %s, no bind failure logged", on, wire.Duration(f.Window[c.Service]), f.Signal))
}

// bindFailures are the log's, one line for all.
func bindFailures(log []xinetd.Record, c judge.Case) string {
	failures := xinetd.BindFailures(log, string(c.Service))
	if len(failures) == 0 {
		return ""
	}
	return fmt.Sprintf("logged %d times: %s", len(failures), failures[len(failures)-1].Text)
}
