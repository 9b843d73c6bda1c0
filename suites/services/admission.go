package services

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/verdict"
	"qmconformance/harness/wire/symptom"
	"qmconformance/harness/xinetd"
)

var _ = judge.Section(area, "admission", func() {
	judge.On("SERV-29", observe.Contact, admitsOtherHosts)
	judge.On("SERV-31", observe.Contact, executes)
	judge.On("SERV-28", observe.Contact, databaseIsUp)
	judge.On("SERV-22", observe.Admission, threeAtOnce)
	judge.On("SERV-23", observe.Admission, tenInASecond)
	judge.On("SERV-26", observe.Reach, everyIPv4Address)
	judge.On("SERV-27", observe.ReachIPv6, ipv6AsConfigured)
	judge.On("SERV-30", observe.Neighbours, roomForThree)
})

// refusalHints say which setting refuses, by the reason that xinetd logs.
var refusalHints = map[string]string{
	xinetd.ReasonAddress:    "only_from or no_access refuses the client: remove them from the package",
	xinetd.ReasonLibwrap:    "hosts.allow and hosts.deny refuse the client (the daemon's name there is that of the server program)",
	xinetd.ReasonTime:       "access_times closes the service at this hour: remove the line",
	xinetd.ReasonInstances:  "instances refuses the client: raise it, or remove the line",
	xinetd.ReasonPerSource:  "per_source refuses the client: raise it to what users behind one address need, or remove the line",
	xinetd.ReasonLoad:       "max_load refuses the client: a busy host locks its users out; remove the line",
	xinetd.ReasonConnection: "cps refuses the client: allow at least ten in a second, or remove the line",
	xinetd.ReasonProcesses:  "the limit on all processes of xinetd refuses the client: remove -limit from the daemon's options (/etc/default/xinetd)",
	xinetd.ReasonFork:       "xinetd could not start another process",
}

// deciding are the attributes that a reason is decided by.
var deciding = map[string][]string{
	xinetd.ReasonAddress:    {"only_from", "no_access"},
	xinetd.ReasonTime:       {"access_times"},
	xinetd.ReasonInstances:  {"instances"},
	xinetd.ReasonPerSource:  {"per_source"},
	xinetd.ReasonLoad:       {"max_load"},
	xinetd.ReasonConnection: {"cps"},
}

// whyRefused names the line that refuses, where there is one.
func whyRefused(c judge.Case, config xinetd.Config, reason string) string {
	hint := refusalHints[reason]
	if line := config.Setting(string(c.Service), deciding[reason]...); line != "" {
		hint = line + ": " + hint
	}
	return hint
}

func admitsOtherHosts(c judge.Case, f observe.Contacted) verdict.Finding {
	const expected = "a connection that is not refused"
	if !f.Connected {
		return verdict.Violated(expected, f.Opening.String(), "")
	}
	refusals := xinetd.Entries(f.Logged, xinetd.Fail, observe.LogID(f.Shipped.Config, c.Service))
	if len(refusals) == 0 {
		return verdict.Kept(expected, "connected, and no refusal logged")
	}
	reason := refusals[0].Reason
	hint := whyRefused(c, f.Shipped.Config, reason)
	if denies := f.Shipped.Hosts["/etc/hosts.deny"]; reason == xinetd.ReasonLibwrap && len(denies) > 0 {
		hint = fmt.Sprintf("/etc/hosts.deny says %q: %s", strings.Join(denies, "; "), hint)
	}
	return verdict.Violated(expected, fmt.Sprintf("%v; xinetd logged: FAIL %s", f.Opening, reason), hint)
}

func executes(_ judge.Case, f observe.Contacted) verdict.Finding {
	const expected = "the program runs"
	for _, r := range xinetd.Messages(f.Logged) {
		if strings.Contains(r.Text, "execv(") && strings.Contains(r.Text, "failed") {
			return verdict.Violated(expected, r.Text, "")
		}
	}
	if said := saidAtFirst(f); symptom.Of(said) == symptom.Loader {
		return verdict.Violated(expected, strings.TrimSpace(said), symptom.Loader.Hint())
	}
	return verdict.Kept(expected, "it was executed")
}

// saidAtFirst is readable text that came before or instead of a prompt or packet.
func saidAtFirst(f observe.Contacted) string {
	switch {
	case f.Telnet != nil:
		return f.Telnet.Text
	case f.API != nil && f.API.Text != "":
		return f.API.Text
	case f.APILeft != nil:
		return string(f.APILeft.Result.Raw)
	}
	return ""
}

// databaseIsUp judges what qm says once it looks for the database.
func databaseIsUp(_ judge.Case, f observe.Contacted) verdict.Finding {
	const expected = "qm finds the database running"
	switch s := symptom.Of(saidAtFirst(f)); s {
	case symptom.NotStarted, symptom.Suspended:
		return verdict.Violated(expected, "it says: "+strings.TrimSpace(lastLine(saidAtFirst(f))), s.Hint())
	}
	return verdict.Kept(expected, "no sign that it is down")
}

func threeAtOnce(c judge.Case, f observe.Admitted) verdict.Finding {
	return allServed(c, f, f.AtOnce, "all of 3 connections at once from one address are served")
}

func tenInASecond(c judge.Case, f observe.Admitted) verdict.Finding {
	if len(f.Refusals) > 0 && !slices.ContainsFunc(f.Refusals, isOfTheRate) {
		// A limit on sessions at once refuses here as well where those before have ended
		// and xinetd has not noticed yet. That it is there another requirement tells.
		return verdict.Kept("none of 10 connections in a second is refused for its rate", "none is; logged: "+orNone(slices.Compact(slices.Clone(f.Refusals))))
	}
	v := allServed(c, f, f.InASecond, "all of 10 connections in a second are served")
	if v.Kind == verdict.Pass && f.Within > time.Second {
		// On a machine that is as busy as that nothing can be told of more.
		v.Actual = fmt.Sprintf("they are, although they took %.1f s to make", f.Within.Seconds())
	}
	return v
}

// isOfTheRate says whether a refusal for a reason may be one of the rate: a limit on
// sessions at once is none.
func isOfTheRate(reason string) bool {
	return !slices.Contains([]string{xinetd.ReasonInstances, xinetd.ReasonPerSource, xinetd.ReasonProcesses}, reason)
}

func allServed(c judge.Case, f observe.Admitted, tries []observe.Attempt, expected string) verdict.Finding {
	var refused []string
	for i, a := range tries {
		if !a.Served {
			refused = append(refused, fmt.Sprintf("number %d: %s", i+1, a.Outcome))
		}
	}
	if len(tries) == 0 {
		return verdict.Broken("no connection was tried")
	}
	hint := ""
	if len(f.Refusals) > 0 {
		hint = whyRefused(c, f.Config, f.Refusals[0])
	}
	if len(refused) == 0 {
		return verdict.Kept(expected, "they are")
	}
	return verdict.Violated(expected, fmt.Sprintf("%d refused, %s; logged: %s", len(refused), refused[0], orNone(slices.Compact(slices.Clone(f.Refusals)))), hint)
}

func everyIPv4Address(c judge.Case, f observe.Reached) verdict.Finding {
	expected := fmt.Sprintf("served on every IPv4 address, port %d", f.Port)
	if len(f.IPv4) == 0 {
		return verdict.Broken("no IPv4 address was tried")
	}
	hint := ""
	if f.Bind != "" {
		hint = fmt.Sprintf("the service is bound to %s: remove bind or interface", f.Bind)
		if line := f.Config.Setting(string(c.Service), "bind"); line != "" {
			hint = line + ": " + hint
		}
	}
	if allConnect(f.IPv4) && !f.IPv4[0].Served {
		// The port is open there; what keeps other hosts' clients from the program is
		// judged elsewhere.
		return verdict.Kept(expected, "open on all of them, although what came was: "+f.IPv4[0].Outcome)
	}
	v := verdict.That(notServed(f.IPv4) == "", expected, orAll(notServed(f.IPv4)), hint)
	if v.Kind == verdict.Fail && f.Bind == "" && !slices.ContainsFunc(f.IPv4, func(t observe.Try) bool { return t.Connected }) {
		// Not bound to an address, the port is closed for all of them or for none, and
		// what closes it for a while is the limit on the rate.
		v.BecauseOf = "SERV-23"
	}
	return v
}

func allConnect(tries []observe.Try) bool {
	return !slices.ContainsFunc(tries, func(t observe.Try) bool { return !t.Connected })
}

func notServed(tries []observe.Try) string {
	var list []string
	for _, t := range tries {
		if !t.Served {
			list = append(list, fmt.Sprintf("%v: %s", t.Address, t.Outcome))
		}
	}
	return strings.Join(list, "; ")
}

func orAll(wrong string) string {
	if wrong == "" {
		return "on all of them"
	}
	return wrong
}

// ipv6AsConfigured compares with the flag that xinetd shows for every Internet
// service: a dual-stack listener has IPv6.
func ipv6AsConfigured(_ judge.Case, f observe.Reached) verdict.Finding {
	if len(f.IPv6) == 0 {
		return verdict.Absent("the target has no IPv6 address")
	}
	if slices.Contains(f.Flags, "IPv4") {
		const expected = "not served on IPv6, as the flag IPv4 says"
		for _, t := range f.IPv6 {
			if t.Served {
				return verdict.Violated(expected, fmt.Sprintf("served on %v", t.Address), "")
			}
		}
		return verdict.Kept(expected, "not served")
	}
	const expected = "served on IPv6"
	if allConnect(f.IPv6) && len(f.IPv4) > 0 && allConnect(f.IPv4) && !f.IPv4[0].Served {
		return verdict.Kept(expected, "open there as on IPv4, although what came was: "+f.IPv6[0].Outcome)
	}
	return verdict.That(notServed(f.IPv6) == "", expected, orAll(notServed(f.IPv6)), "")
}

func roomForThree(_ judge.Case, f observe.Neighboured) verdict.Finding {
	const expected = "three users are logged in at once"
	if len(f.Sessions) < 3 {
		return verdict.Broken("%d sessions were opened", len(f.Sessions))
	}
	for i, s := range f.Sessions {
		if !s.LoggedIn {
			hint := ""
			if symptom.Of(s.Said) == symptom.UserLimit || i > 0 {
				hint = "NUMUSERS in /etc/scarlet.conf is the number of users that the database admits; it is 1 where the line is missing"
			}
			return verdict.Violated(expected, fmt.Sprintf("user %d got: %s", i+1, strings.TrimSpace(s.Said)), hint)
		}
	}
	return verdict.Kept(expected, "they are")
}
