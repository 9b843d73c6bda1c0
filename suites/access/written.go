package access

import (
	"fmt"

	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/verdict"
)

var _ = judge.Section(area, "what is written is in force", func() {
	judge.On("ACCESS-21", observe.RefusalTraces, inForce)
})

// inForce judges the plainest rule of all, one that refuses everybody: where it is
// not obeyed none can be, whatever they say.
func inForce(_ judge.Case, f observe.Traces) verdict.Finding {
	if len(f.Limits) == 0 {
		return verdict.Broken("no rule was tried")
	}
	t := f.Limits[0]
	expected := fmt.Sprintf("with %q in the block and xinetd started anew: every client is refused", t.Line)
	switch {
	case !t.Connected:
		return verdict.Unmet("with %q there is no connection: %s", t.Line, t.Outcome)
	case t.Refused:
		return verdict.Kept(expected, t.Outcome)
	}
	runsAs := f.RunsAs
	if runsAs == "" {
		runsAs = "nothing"
	}
	return verdict.Violated(expected, "a client is served: "+t.Outcome+"; what listens runs as: "+runsAs,
		"See which file the running xinetd reads (option -f, in its command line or in what starts it); it must be the /etc/xinetd.conf that is edited.")
}
