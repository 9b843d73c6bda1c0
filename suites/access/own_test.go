package access

import (
	"testing"
	"testing/fstest"

	. "github.com/onsi/gomega"

	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/xinetd"
)

func TestTheLineToChangeIsNamed(t *testing.T) {
	g := NewWithT(t)
	const block = "service qmserver\n{\n\tcps\t= 0 0\n\tserver = /usr/qmsys/bin/qm\n}\n"
	const defaults = "defaults\n{\n\tlog_type = SYSLOG daemon\n}\n"
	facts := func(text string) observe.Ruled {
		config, _ := xinetd.Parse(fstest.MapFS{"etc/xinetd.conf": {Data: []byte(text)}}, "/etc/xinetd.conf")
		return observe.Ruled{Own: observe.Shipped{Config: config}}
	}
	c := judge.Case{Service: requirement.QMServer}
	g.Expect(own(c, facts(block), "cps")).To(Equal(`/etc/xinetd.conf:3: remove "cps = 0 0", which holds in place of what is set for the whole host`))
	g.Expect(own(c, facts(block), "instances")).To(BeEmpty())
	g.Expect(tooLate(c, facts(block+defaults))).To(HavePrefix("/etc/xinetd.conf:6: move the defaults block above"))
	g.Expect(tooLate(c, facts(defaults+block))).To(BeEmpty())
	g.Expect(tooLate(c, facts(defaults))).To(BeEmpty())
}
