package access

import (
	"fmt"
	"slices"
	"strings"

	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
	"qmconformance/harness/wire"
	"qmconformance/harness/xinetd"
)

// due is what is due to the clients of a trial, in the words of the log's reasons.
type due map[string]string

const (
	served = ""
	// closed is a port on which nobody listens: nothing is logged of it.
	closed = "closed"
)

// ruled judges what a configuration did to the clients of a service. A refusal is
// one on all three planes: the client saw an orderly end before any program
// spoke, xinetd logged it for that reason, and no program was executed.
func ruled(f observe.Ruled, s requirement.Service, trial string, d due) verdict.Finding {
	t, ok := f.Trials[trial]
	if !ok {
		return verdict.Broken("trial %s was not made", trial)
	}
	if _, offered := f.Places[s]; !offered {
		return unoffered()
	}
	expected := fmt.Sprintf("with %s: %s", orNothing(t.Rules), d)
	if t.Down != "" {
		return verdict.Violated(expected, t.Down+complained(t), "")
	}
	seen := map[string]bool{}
	refusals := false
	var said []string
	for _, k := range t.Of(s) {
		reason, asked := d[k.Who]
		if !asked {
			continue
		}
		if k.Result == wire.LocalError {
			return verdict.Broken("in trial %s it could not be tried: %v", trial, k)
		}
		seen[k.Who] = true
		refusals = refusals || !k.Served
		if wrong := against(k, reason); wrong != "" {
			return verdict.Violated(expected, wrong+complained(t), hint(k, reason))
		}
		said = append(said, k.String())
	}
	for _, who := range d.who() {
		if !seen[who] {
			return verdict.Broken("in trial %s there is no client %s", trial, who)
		}
	}
	if n := t.Surplus(); refusals && n > 0 {
		return verdict.Violated(expected, fmt.Sprintf("%d programs more were executed than the served clients' sessions do: a refused client's was among them", n), "")
	}
	return verdict.Kept(expected, strings.Join(said, "; "))
}

// against says what is wrong with a connection, nothing where it fared as was due.
func against(k observe.Knock, reason string) string {
	switch {
	case reason == served && !k.Served:
		return k.String() + ", and was to be served"
	case reason == served:
		return ""
	case k.Served:
		return k.String() + ", and was to be refused"
	case reason == closed:
		if !k.Closed() {
			return k.String() + ", and the port was to be closed"
		}
		return ""
	case !k.Refused():
		return k.String() + ", which is no orderly refusal"
	case !k.Logged:
		return k.String() + ", so that the refusal has no reason that anybody could read"
	case k.Reason != reason:
		return k.String() + ", and was to be refused for the reason " + reason
	}
	return ""
}

// hint is about what usually stands against a rule.
func hint(k observe.Knock, reason string) string {
	switch {
	case k.Refused() && !k.Logged:
		return "log_type, or HOST in log_on_failure, is missing: without them a refusal leaves no trace"
	case k.Served && reason == xinetd.ReasonLibwrap:
		return "see whether hosts.allow, which is read first, or the flag NOLIBWRAP lets everybody pass; the daemon's name is the program's, or that of the attribute libwrap"
	}
	return ""
}

func unoffered() verdict.Finding {
	u := verdict.Unmet("xinetd has no such service")
	u.BecauseOf = "SERV-09"
	return u
}

func (d due) who() []string {
	var names []string
	for who := range d {
		names = append(names, who)
	}
	slices.Sort(names)
	return names
}

func (d due) String() string {
	var parts []string
	for _, who := range d.who() {
		switch reason := d[who]; reason {
		case served:
			parts = append(parts, who+" served")
		case closed:
			parts = append(parts, "the port closed to "+who)
		default:
			parts = append(parts, who+" refused (FAIL "+reason+")")
		}
	}
	return strings.Join(parts, ", ")
}

func orNothing(rules []string) string {
	if len(rules) == 0 {
		return "no rule"
	}
	return strings.Join(rules, ", ")
}

func complained(t observe.Trial) string {
	if len(t.Complaints) == 0 {
		return ""
	}
	return "; xinetd complained: " + strings.Join(t.Complaints, "; ")
}
