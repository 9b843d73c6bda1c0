package logging

import (
	"fmt"
	"time"

	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/verdict"
	"qmconformance/harness/xinetd"
)

var _ = judge.Section(area, "the trace of a session", func() {
	judge.On("LOG-06", observe.Sessions, beginAndEnd)
	judge.On("LOG-07", observe.Sessions, lengthAndStatus)
})

// beginAndEnd pairs the lines by the PID: it is all that an EXIT has of the
// session.
func beginAndEnd(c judge.Case, f observe.SessionTrails) verdict.Finding {
	s := f.Sessions[c.Service]
	if s == nil {
		return verdict.Broken("no session was opened")
	}
	expected := fmt.Sprintf("START: %s pid=%d from=%v, and EXIT: %[1]s pid=%[2]d", s.Logging.ID, s.PID, s.From)
	if s.PID == 0 {
		return verdict.Unmet("the server did not speak: %s", s.Outcome)
	}
	starts := xinetd.Entries(s.Logged, xinetd.Start, s.Logging.ID)
	for _, r := range starts {
		switch {
		case r.FromText == "":
			return violated(expected, r.Text, lost(s.Logging, c.Service, "log_on_success", "HOST"))
		case !r.PID.Set:
			return violated(expected, r.Text, lost(s.Logging, c.Service, "log_on_success", "PID"))
		case r.From != s.From:
			continue
		// A wrapper that stays above its server is the process that xinetd started.
		case r.PID.Value != s.PID && r.PID.Value != s.PPID:
			return verdict.Violated(expected, r.Text, "")
		}
		if exit, ok := exitOf(s, r.PID.Value); ok {
			return verdict.Kept(expected, r.Text+"; "+exit.Text)
		}
		return violated(expected, r.Text+", and no EXIT of that PID", lost(s.Logging, c.Service, "log_on_success", "EXIT"))
	}
	if len(starts) > 0 {
		return verdict.Violated(expected, texts(starts), "the address is another one's: look for what stands between the client and xinetd")
	}
	hint := lost(s.Logging, c.Service, "log_on_success", "HOST")
	if _, _, _, ok := s.Logging.Config.Where(string(c.Service), "log_type"); !ok {
		hint = whyMute(s.Logging, c.Service)
	}
	return violated(expected, "no START of the service's in the log", hint)
}

func exitOf(s *observe.SessionTrail, pid int) (xinetd.Record, bool) {
	for _, r := range xinetd.Entries(s.Logged, xinetd.Exit, s.Logging.ID) {
		if r.PID.Set && r.PID.Value == pid {
			return r, true
		}
	}
	return xinetd.Record{}, false
}

// lengthSlack is for a clock that counts whole seconds, at both ends.
const lengthSlack = time.Second

// jumpSlack is what a clock may be slewed in the time of a session.
const jumpSlack = 100 * time.Millisecond

func lengthAndStatus(c judge.Case, f observe.SessionTrails) verdict.Finding {
	s := f.Sessions[c.Service]
	if s == nil {
		return verdict.Broken("no session was opened")
	}
	if s.Jump.Abs() > jumpSlack {
		return verdict.Broken("the clock was set by %v while the session lasted, and xinetd takes its length from the time of day", s.Jump)
	}
	expected := fmt.Sprintf("EXIT with status=%d and a duration of about %v", s.Status, s.Held.Round(time.Second))
	for _, exit := range xinetd.Entries(s.Logged, xinetd.Exit, s.Logging.ID) {
		if exit.PID.Value != s.PID && exit.PID.Value != s.PPID {
			continue
		}
		tooShort, tooLong := exit.Duration < s.Served-lengthSlack, exit.Duration > s.Held+lengthSlack
		switch {
		case !exit.Status.Set:
			return violated(expected, exit.Text, lost(s.Logging, c.Service, "log_on_success", "EXIT"))
		case exit.Duration == 0:
			return violated(expected, exit.Text, lost(s.Logging, c.Service, "log_on_success", "DURATION"))
		case exit.PID.Value == s.PID && exit.Status.Value != s.Status, tooShort, tooLong:
			return verdict.Violated(expected, exit.Text, "")
		}
		return verdict.Kept(expected, exit.Text)
	}
	return verdict.Violated(expected, "no EXIT of the server's in the log", "")
}
