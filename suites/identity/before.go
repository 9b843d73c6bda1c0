package identity

import (
	"fmt"
	"slices"

	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/process"
	"qmconformance/harness/verdict"
)

// What the server is before the login decides what a session is after it.
var _ = judge.Section(area, "before the login", func() {
	before("IDENT-10", func(p process.Process, _ int) verdict.Finding { return rootIDs(p) })
	before("IDENT-11", func(p process.Process, qmusers int) verdict.Finding {
		return verdict.That(p.GIDs[1] == qmusers, fmt.Sprintf("group %d (qmusers)", qmusers), fmt.Sprintf("group %d", p.GIDs[1]), "")
	})
	before("IDENT-12", func(p process.Process, qmusers int) verdict.Finding { return amongGroups(p, qmusers) })
	before("IDENT-13", func(p process.Process, _ int) verdict.Finding { return umaskOf(p) })
})

// before makes the spec of a rule about the serving process at its prompt.
func before(id string, rule func(p process.Process, qmusers int) verdict.Finding) {
	judge.On(id, observe.Contact, func(_ judge.Case, f observe.Contacted) verdict.Finding {
		if !f.Served.Found {
			// Mostly it had ended, and the conversation tells why.
			u := verdict.Unmet("no process has the connection as its standard input")
			u.BecauseOf = "STDIO-02"
			return u
		}
		return rule(f.Served.Server, f.Qmusers)
	})
}

func rootIDs(p process.Process) verdict.Finding {
	return verdict.That(p.UIDs == [4]int{}, "all four user ids are 0", fmt.Sprintf("%v", p.UIDs), "")
}

func amongGroups(p process.Process, qmusers int) verdict.Finding {
	return verdict.That(qmusers >= 0 && slices.Contains(p.Groups, qmusers), fmt.Sprintf("%d (qmusers) among the groups", qmusers), fmt.Sprintf("groups %v", p.Groups), "")
}

func umaskOf(p process.Process) verdict.Finding {
	return verdict.That(p.Umask == 0o002, "0002", fmt.Sprintf("%04o", p.Umask), "")
}
