package observe

import (
	"net/netip"
	"testing"
	"testing/fstest"
	"time"

	. "github.com/onsi/gomega"

	"qmconformance/harness/requirement"
	"qmconformance/harness/wire"
	"qmconformance/harness/xinetd"
)

func knocked(who, client string, served bool) *visit {
	return &visit{Knock: &Knock{
		Service: requirement.QMServer, Who: who, Client: netip.MustParseAddr(client), Connected: true, Served: served, Result: wire.EndedByFIN,
	}}
}

func failure(id, reason, from string) xinetd.Record {
	r := xinetd.Record{Kind: xinetd.Fail, ID: id, Reason: reason}
	if from != "" {
		r.From = netip.MustParseAddr(from)
	}
	return r
}

func TestEachRefusalGetsItsOwnLine(t *testing.T) {
	g := NewWithT(t)
	ids := map[requirement.Service]string{requirement.QMServer: "terminals"}
	a, b, again := knocked("A", "10.0.0.1", false), knocked("B", "10.0.0.2", false), knocked("A again", "10.0.0.1", false)
	served := knocked("C", "10.0.0.3", true)
	all := []*visit{a, b, served, again}
	records := []xinetd.Record{
		failure("another", "time", "10.0.0.1"), failure("terminals", "address", "10.0.0.2"),
		failure("terminals", "address", "10.0.0.1"), failure("terminals", "libwrap", "10.0.0.1"),
	}
	g.Expect(assign(all, records[:3], ids)).To(BeFalse(), "one line is still to come")
	g.Expect(again.Logged).To(BeFalse())
	g.Expect(assign(all, records, ids)).To(BeTrue())
	g.Expect([]string{a.Reason, b.Reason, again.Reason}).To(Equal([]string{"address", "address", "libwrap"}))
	g.Expect(served.Logged).To(BeFalse())

	// A line without an address may be anybody's.
	c := knocked("C", "10.0.0.3", false)
	g.Expect(assign([]*visit{c}, []xinetd.Record{failure("terminals", "time", "")}, ids)).To(BeTrue())
	g.Expect(c.String()).To(ContainSubstring("logged FAIL time"))
	g.Expect(assign([]*visit{knocked("C", "10.0.0.3", false)}, records, ids)).To(BeFalse(), "all lines are about others")
}

func TestKnocksTell(t *testing.T) {
	g := NewWithT(t)
	refused := knocked("A", "10.0.0.1", false)
	g.Expect(refused.Refused()).To(BeTrue())
	g.Expect(refused.String()).To(ContainSubstring("no FAIL line logged"))
	g.Expect(knocked("A", "10.0.0.1", true).Refused()).To(BeFalse())
	g.Expect(Knock{Connected: true, Result: wire.TimedOut}.Refused()).To(BeFalse(), "silence is no refusal")
	g.Expect(Knock{Connected: true, Result: wire.EndedByReset}.Refused()).To(BeFalse(), "nor is a reset")
	g.Expect(Knock{Result: wire.Refused}.Closed()).To(BeTrue())
	g.Expect(Trial{Executed: 3, Knocks: []Knock{{Served: true}, {}}}.Surplus()).To(Equal(2))
	g.Expect(Trial{Knocks: []Knock{{Service: "a"}, {Service: "b"}}}.Of("b")).To(HaveLen(1))
}

func TestPrefixesThatTellTwoAddressesApart(t *testing.T) {
	g := NewWithT(t)
	for _, c := range [][3]string{
		{"10.0.0.129", "10.0.0.130", "10.0.0.128/31"}, {"fd00::2", "fd00::4", "fd00::/126"}, {"10.0.0.1", "10.0.0.0", "10.0.0.1/32"},
	} {
		in, out := netip.MustParseAddr(c[0]), netip.MustParseAddr(c[1])
		g.Expect(apart(in, out)).To(Equal(netip.MustParsePrefix(c[2])))
		g.Expect(apart(in, out).Contains(in)).To(BeTrue())
		g.Expect(apart(in, out).Contains(out)).To(BeFalse())
	}
	a := netip.MustParseAddr("10.1.2.3")
	g.Expect(zeros(a, 0).String()).To(Equal("10.1.2.0"))
	g.Expect(zeros(a, 1).String()).To(Equal("10.1.3.0"))
	g.Expect(factorised(a, netip.MustParseAddr("10.1.2.40"))).To(Equal("10.1.2.{3,40}"))
}

func TestRulesBecomeChanges(t *testing.T) {
	g := NewWithT(t)
	r := rules{
		block: []string{"only_from ="}, defaults: []string{"cps = 3 1"},
		of: map[requirement.Service][]string{requirement.QMClient: {"disable = yes"}},
	}
	list, said := r.changes(requirement.NetworkServices)
	g.Expect(list).To(Equal([]xinetd.Change{
		{Attribute: "cps", Line: "cps = 3 1"},
		{Service: "qmserver", Attribute: "only_from", Line: "only_from ="},
		{Service: "qmclient", Attribute: "only_from", Line: "only_from ="},
		{Service: "qmclient", Attribute: "disable", Line: "disable = yes"},
	}))
	g.Expect(said).To(Equal([]string{"cps = 3 1 (defaults)", "only_from = (service block)", "disable = yes (service block)"}))
}

func TestHoursAroundAndFarFromATime(t *testing.T) {
	g := NewWithT(t)
	for clock, want := range map[string][2]string{
		"00:59": {"23:00-23:59 00:00-01:59", "12:00-12:59"}, "23:00": {"22:00-23:59 00:00-00:59", "11:00-11:59"},
		"09:30": {"08:00-10:59", "21:00-21:59"}, "12:00": {"11:00-13:59", "00:00-00:59"},
	} {
		now, err := time.Parse("15:04", clock)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect([2]string{around(now), farFrom(now)}).To(Equal(want), clock)
	}
}

func TestLimitsGoWhereThePackageHasThem(t *testing.T) {
	g := NewWithT(t)
	config, _ := xinetd.Parse(fstest.MapFS{"x.conf": {Data: []byte(
		"service qmserver\n{\n\tinstances = 20\n\tcps = 0 0\n}\nservice qmclient\n{\n\tinstances = UNLIMITED\n\tcps = 50 10\n}\n")}}, "/x.conf")
	gr := &ground{config: config, services: requirement.NetworkServices}
	r := gr.limits(rules{}, "instances = 2", "cps = 1 1", "per_source = 1")
	g.Expect(r.defaults).To(Equal([]string{"instances = 2", "cps = 1 1", "per_source = 1"}))
	g.Expect(r.of).To(Equal(map[requirement.Service][]string{
		requirement.QMServer: {"instances = 2"}, requirement.QMClient: {"cps = 1 1"},
	}))
}

func TestRulesOfTheHostsFiles(t *testing.T) {
	g := NewWithT(t)
	g.Expect(hostsRules("# a comment\n\nqm: \\\n 10.\nALL: ALL\n")).To(Equal([]string{"qm:  10.", "ALL: ALL"}))
	s, root := scene(t)
	put(t, root, "etc/hosts.deny", "ALL: ALL\n", 0o644)
	f, err := ShippedRules.Take(limited(t), s)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.Hosts).To(Equal(map[string][]string{"/etc/hosts.allow": nil, "/etc/hosts.deny": {"ALL: ALL"}}))
}
