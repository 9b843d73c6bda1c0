package access

import (
	"qmconformance/harness/judge/judgetest"
	"qmconformance/harness/observe"
	"qmconformance/harness/verdict"
)

// tried is a rule that refuses everybody and what came of it.
func tried(t observe.Trail) observe.Traces {
	t.Line, t.Outcome = "instances = 0", "FIN after 0 bytes"
	return observe.Traces{Limits: []observe.Trail{t}, RunsAs: "/usr/sbin/xinetd -f /var/lib/copy"}
}

var writtenTable = judgetest.Table{
	"ACCESS-21": {
		{Name: "refused", Kind: verdict.Pass, Facts: tried(observe.Trail{Connected: true, Refused: true})},
		{Name: "served", Kind: verdict.Fail, Actual: "-f /var/lib/copy", Facts: tried(observe.Trail{Connected: true})},
		{Name: "closed", Kind: verdict.NotTestable, Facts: tried(observe.Trail{})},
		{Name: "nothing was tried", Kind: verdict.Error, Facts: observe.Traces{}},
	},
}
