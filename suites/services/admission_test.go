package services

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"qmconformance/harness/judge/judgetest"
	"qmconformance/harness/observe"
	"qmconformance/harness/qmclient"
	"qmconformance/harness/telnet"
	"qmconformance/harness/verdict"
	"qmconformance/harness/wire"
	"qmconformance/harness/xinetd"
)

func logged(records ...xinetd.Record) func(*observe.Contacted) {
	return func(f *observe.Contacted) { f.Logged = records }
}

func failed(reason string) xinetd.Record {
	return xinetd.Record{Kind: xinetd.Fail, ID: "qmserver", Reason: reason}
}

// says is what a client reads first.
func says(text string) observe.Contacted {
	return contacted(func(f *observe.Contacted) { f.Telnet = &telnet.Greeting{Text: text} })
}

var refused = observe.Attempt{Outcome: "FIN after 0 bytes"}

func attempts(n int, list ...observe.Attempt) []observe.Attempt {
	return append(slices.Repeat([]observe.Attempt{{Served: true}}, n-len(list)), list...)
}

// limits are the cases of a number of connections that must be served, and of a reason
// to refuse the last one that hint speaks of.
func limits(n int, reason, hint string, put func(*observe.Admitted, []observe.Attempt)) []judgetest.Case {
	facts := func(tries []observe.Attempt, refusals ...string) observe.Admitted {
		f := observe.Admitted{Refusals: refusals}
		put(&f, tries)
		return f
	}
	return []judgetest.Case{
		{Name: "kept", Facts: facts(attempts(n)), Kind: verdict.Pass},
		{
			Name: "the last is refused", Facts: facts(attempts(n, refused), reason, reason), Kind: verdict.Fail,
			Actual: "FIN after 0 bytes; logged: " + reason, Hint: hint,
		},
		{Name: "refused without a trace", Facts: facts(attempts(n, refused, refused)), Kind: verdict.Fail, Actual: "2 refused", NoHint: true},
		{Name: "nothing was tried", Facts: facts(nil), Kind: verdict.Error, Actual: "no connection was tried"},
	}
}

func try(address string, served bool) observe.Try {
	t := observe.Try{Address: netip.MustParseAddrPort(address), Served: served, Outcome: "refused"}
	if served {
		t.Outcome = "served"
	}
	return t
}

var admission = judgetest.Table{
	"SERV-29": {
		{Name: "kept", Facts: contacted(nil), Kind: verdict.Pass},
		{
			Name: "no connection", Kind: verdict.Fail, Actual: "connection refused",
			Facts: contacted(func(f *observe.Contacted) { f.Connected, f.Opening = false, wire.Outcome{Result: wire.Refused} }),
		},
		{
			Name: "refused by its address", Kind: verdict.Fail, Actual: "xinetd logged: FAIL address", Hint: "only_from or no_access",
			Facts: contacted(logged(failed(xinetd.ReasonAddress))),
		},
		{Name: "by TCP wrappers", Facts: contacted(logged(failed(xinetd.ReasonLibwrap))), Kind: verdict.Fail, Hint: "hosts.deny"},
		{Name: "by the hour", Facts: contacted(logged(failed(xinetd.ReasonTime))), Kind: verdict.Fail, Hint: "access_times"},
		{Name: "for a reason that is new", Facts: contacted(logged(failed("weather"))), Kind: verdict.Fail, Actual: "FAIL weather", NoHint: true},
		{
			Name: "another service's refusal", Kind: verdict.Pass,
			Facts: contacted(logged(xinetd.Record{Kind: xinetd.Fail, ID: "qmclient", Reason: xinetd.ReasonAddress})),
		},
	},
	"SERV-31": {
		{Name: "kept", Facts: contacted(nil), Kind: verdict.Pass},
		{
			Name: "execv fails", Kind: verdict.Fail, Actual: "execv( /x ) failed",
			Facts: contacted(logged(xinetd.Record{Text: "execv( /x ) failed: Exec format error"})),
		},
		{Name: "a library is missing", Facts: says("qm: error while loading shared libraries: libx.so"), Kind: verdict.Fail, Actual: "libx.so", Hint: "shared library"},
		{
			Name: "a library is missing, for an API client", Kind: verdict.Fail, Actual: "libx.so",
			Facts: observe.Contacted{Connected: true, API: &qmclient.Greeting{Text: "error while loading shared libraries: libx.so"}},
		},
		{
			Name: "a library is missing, as its answer", Kind: verdict.Fail, Actual: "libx.so",
			Facts: observe.Contacted{Connected: true, API: &qmclient.Greeting{}, APILeft: &qmclient.Leaving{Result: qmclient.Result{Raw: []byte("error while loading shared libraries: libx.so")}}},
		},
		{Name: "nobody spoke", Facts: observe.Contacted{}, Kind: verdict.Pass},
	},
	"SERV-28": {
		{Name: "kept", Facts: contacted(nil), Kind: verdict.Pass},
		{Name: "not started", Facts: says("hello\nScarletDME has not been started\r\n"), Kind: verdict.Fail, Actual: "it says: ScarletDME has not been started", Hint: "qm -start"},
		{Name: "suspended", Facts: says("ScarletDME is suspended"), Kind: verdict.Fail, Hint: "qm -resume"},
		{Name: "another trouble", Facts: says("User limit reached"), Kind: verdict.Pass},
	},
	"SERV-22": limits(3, xinetd.ReasonPerSource, "per_source", func(f *observe.Admitted, list []observe.Attempt) { f.AtOnce, f.InASecond = list, attempts(10) }),
	"SERV-23": append(limits(10, xinetd.ReasonConnection, "cps", func(f *observe.Admitted, list []observe.Attempt) { f.AtOnce, f.InASecond = attempts(3), list }),
		judgetest.Case{
			Name: "on a busy machine", Kind: verdict.Pass, Actual: "they took 1.3 s",
			Facts: observe.Admitted{InASecond: attempts(10), Within: 1300 * time.Millisecond},
		},
		judgetest.Case{
			Name: "those before had not been missed yet", Kind: verdict.Pass, Actual: "none is; logged: service_limit",
			Facts: observe.Admitted{AtOnce: attempts(3), InASecond: attempts(10, refused), Refusals: []string{xinetd.ReasonInstances, xinetd.ReasonInstances}},
		},
		judgetest.Case{
			Name: "a limit on sessions and one on the rate", Kind: verdict.Fail, Actual: "1 refused",
			Facts: observe.Admitted{AtOnce: attempts(3, refused), InASecond: attempts(10, refused), Refusals: []string{xinetd.ReasonInstances, xinetd.ReasonConnection}},
		},
		judgetest.Case{
			Name: "refused at once too, and nobody knows why", Kind: verdict.Fail, Actual: "1 refused",
			Facts: observe.Admitted{AtOnce: attempts(3, refused), InASecond: attempts(10, refused)},
		}),
	"SERV-26": {
		{Name: "kept", Facts: observe.Reached{Port: 4242, IPv4: []observe.Try{try("192.0.2.1:4242", true), try("127.0.0.1:4242", true)}}, Kind: verdict.Pass, Expected: "port 4242"},
		{
			Name: "bound to one", Kind: verdict.Fail, Actual: "192.0.2.1:4242: refused", Hint: "bound to localhost: remove bind",
			Facts: observe.Reached{Bind: "localhost", IPv4: []observe.Try{try("192.0.2.1:4242", false), try("127.0.0.1:4242", true)}},
		},
		{
			Name: "on none", Kind: verdict.Fail, Actual: "127.0.0.1:4242: refused", NoHint: true, BecauseOf: "SERV-23",
			Facts: observe.Reached{IPv4: []observe.Try{try("192.0.2.1:4242", false), try("127.0.0.1:4242", false)}},
		},
		{
			Name: "open everywhere, with no program behind it", Kind: verdict.Pass, Actual: "although what came was: FIN",
			Facts: observe.Reached{IPv4: []observe.Try{{Connected: true, Outcome: "FIN"}, {Connected: true, Outcome: "FIN"}}},
		},
		{
			Name: "served at home alone, though open", Kind: verdict.Pass, Actual: "FIN",
			Facts: observe.Reached{IPv4: []observe.Try{{Connected: true, Outcome: "FIN"}, {Connected: true, Served: true}}},
		},
		{
			Name: "open to others, refused at home", Kind: verdict.Fail, Actual: "127.0.0.1:4242: refused",
			Facts: observe.Reached{IPv4: []observe.Try{{Connected: true, Served: true}, try("127.0.0.1:4242", false)}},
		},
		{Name: "nothing was tried", Facts: observe.Reached{}, Kind: verdict.Error},
	},
	"SERV-27": {
		{
			Name: "the program is silent on both, and the port open", Kind: verdict.Pass, Actual: "open there as on IPv4",
			Facts: observe.Reached{IPv4: []observe.Try{{Connected: true, Outcome: "nothing for 5 s"}}, IPv6: []observe.Try{{Connected: true, Outcome: "nothing for 300 ms"}}},
		},
		{
			Name: "the program is silent on IPv4, and IPv6 is closed", Kind: verdict.Fail, Actual: "connection refused",
			Facts: observe.Reached{IPv4: []observe.Try{{Connected: true, Outcome: "nothing for 5 s"}}, IPv6: []observe.Try{{Outcome: "connection refused"}}},
		},
		{Name: "served", Facts: observe.Reached{Flags: []string{"IPv6"}, IPv6: []observe.Try{try("[2001:db8::1]:4242", true)}}, Kind: verdict.Pass, Expected: "served on IPv6"},
		{Name: "not served", Facts: observe.Reached{IPv6: []observe.Try{try("[2001:db8::1]:4242", true), try("[::1]:4242", false)}}, Kind: verdict.Fail, Actual: "[::1]:4242: refused"},
		{Name: "not to be served", Facts: observe.Reached{Flags: []string{"IPv4"}, IPv6: []observe.Try{try("[::1]:4242", false)}}, Kind: verdict.Pass, Expected: "flag IPv4"},
		{
			Name: "served all the same", Facts: observe.Reached{Flags: []string{"IPv4"}, IPv6: []observe.Try{try("[2001:db8::1]:4242", false), try("[::1]:4242", true)}},
			Kind: verdict.Fail, Expected: "not served", Actual: "[::1]:4242",
		},
		{Name: "no address", Facts: observe.Reached{}, Kind: verdict.NotApplicable},
	},
	"SERV-30": {
		{Name: "kept", Facts: sessions(true, true, true), Kind: verdict.Pass},
		{Name: "the third", Facts: sessions(true, true, false), Kind: verdict.Fail, Actual: "user 3 got: User limit reached", Hint: "NUMUSERS"},
		{Name: "the first, for want of room", Facts: sessions(false, true, true), Kind: verdict.Fail, Actual: "user 1", Hint: "NUMUSERS"},
		{
			Name: "the first, for another reason", Kind: verdict.Fail, Actual: "no such user", NoHint: true,
			Facts: observe.Neighboured{Sessions: []observe.Neighbour{{Said: " no such user\n"}, {}, {}}},
		},
		{Name: "fewer were opened", Facts: sessions(true, true), Kind: verdict.Error, Actual: "2 sessions"},
	},
}

func sessions(loggedIn ...bool) (f observe.Neighboured) {
	for _, ok := range loggedIn {
		n := observe.Neighbour{LoggedIn: ok}
		if !ok {
			n.Said = "User limit reached\r\n"
		}
		f.Sessions = append(f.Sessions, n)
	}
	return f
}

func TestAdmission(t *testing.T) { judgetest.Run(t, "", admission) }

func TestEveryRuleOfTheAreaHasCases(t *testing.T) {
	judgetest.Run(t, area, oneValue, lists, installation, listening, names, admission)
}
