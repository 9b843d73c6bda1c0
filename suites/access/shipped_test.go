package access

import (
	"testing"
	"testing/fstest"

	. "github.com/onsi/gomega"

	"qmconformance/harness/judge/judgetest"
	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
	"qmconformance/harness/xinetd"
)

// shipped is a package with a line in the block of qmclient, and one in a file of
// TCP wrappers'.
func shipped(line, file, rule string) observe.Shipped {
	config, _ := xinetd.Parse(fstest.MapFS{"etc/xinetd.conf": {Data: []byte(
		"defaults\n{\n\tno_access = 192.0.2.0/24\n}\nservice qmclient\n{\n\tserver = /usr/qmsys/bin/qm\n\t" + line + "\n}\nservice qmserver\n{\n\tserver = /usr/local/bin/wrapper\n}\n")}}, "/etc/xinetd.conf")
	return observe.Shipped{Config: config, Hosts: map[string][]string{file: {rule}}}
}

var shippedTable = judgetest.Table{
	"ACCESS-07": {
		{Name: "as they read", Service: requirement.QMClient, Facts: shipped("only_from = 10.0.0.0/8 ::1", "/etc/hosts.deny", "qm: 192.0.2."), Kind: verdict.Pass, Actual: "4 entries"},
		{
			Name: "a mask in dots", Service: requirement.QMClient, Facts: shipped("no_access += 10.0.0.0/255.0.0.0", "", ""), Kind: verdict.Fail,
			Actual: "/etc/xinetd.conf:8: no_access += 10.0.0.0/255.0.0.0", Hint: "prefix length",
		},
		{Name: "the sister's block", Service: requirement.QMServer, Facts: shipped("no_access = 10.0.0.0/255.0.0.0", "", ""), Kind: verdict.Pass},
		{
			Name: "the service's name for wrappers", Service: requirement.QMClient, Facts: shipped("", "/etc/hosts.deny", "sshd, qmclient: ALL"),
			Kind: verdict.Fail, Actual: "/etc/hosts.deny: sshd, qmclient: ALL", Hint: "write qm",
		},
		{Name: "which it may have", Service: requirement.QMClient, Facts: shipped("libwrap = qmclient", "/etc/hosts.deny", "qmclient: ALL"), Kind: verdict.Pass},
	},
}

func TestSlips(t *testing.T) {
	g := NewWithT(t)
	for _, good := range []string{
		"10.1.2.3", "10.1.2.0", "10.0.0.0", "10.1.0.0/16", "10.1.2.3/32", "0.0.0.0/0", "::/0", "fd00::/8", "::1", "10.1.2.{3,4}", "localhost",
		".example.test", "10.{1,2}",
	} {
		means, _ := slip(good)
		g.Expect(means).To(BeEmpty(), good)
	}
	for bad, part := range map[string]string{
		"ALL": "word of hosts.deny", "10.0.0.0/255.0.0.0": "takes the mask", "10.0.0.0/33": "no such prefix", "10.0.0.0/x": "no such prefix",
		"::1/128": "host name", "fd00::/129": "no such prefix", "::": "one address", "10.1": "no prefix", "10.1.2.": "no prefix",
	} {
		means, instead := slip(bad)
		g.Expect(means).To(ContainSubstring(part), bad)
		g.Expect(instead).NotTo(BeEmpty())
	}
	g.Expect(daemon(shipped("", "", "").Config, requirement.QMServer)).To(Equal("wrapper"))
	g.Expect(daemon(xinetd.Config{}, requirement.QMServer)).To(Equal("qm"))
}
