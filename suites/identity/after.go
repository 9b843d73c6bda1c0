package identity

import (
	"fmt"
	"strings"

	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/verdict"
	"qmconformance/harness/wire/symptom"
)

var _ = judge.Section(area, "after the login", func() {
	judge.On("IDENT-14", observe.Login, logsIn)
	after("IDENT-15", ownIDs)
	after("IDENT-16", func(f observe.LoggedIn) verdict.Finding { return amongGroups(f.Served.Server, f.Qmusers) })
	after("IDENT-17", func(f observe.LoggedIn) verdict.Finding { return umaskOf(f.Served.Server) })
	after("IDENT-18", powerless)
})

func after(id string, rule func(observe.LoggedIn) verdict.Finding) {
	judge.On(id, observe.Login, func(_ judge.Case, f observe.LoggedIn) verdict.Finding {
		if !f.Served.Found {
			return verdict.Unmet("no process has the connection as its standard input")
		}
		return rule(f)
	})
}

func logsIn(_ judge.Case, f observe.LoggedIn) verdict.Finding {
	hint := symptom.Of(f.Said).Hint()
	return verdict.That(f.OK, f.User+" is logged in to account "+observe.Account, strings.TrimSpace(f.Said), hint)
}

func ownIDs(f observe.LoggedIn) verdict.Finding {
	p := f.Served.Server
	expected := fmt.Sprintf("user ids %d and group ids %d", f.UID, f.GID)
	same := p.UIDs == [4]int{f.UID, f.UID, f.UID, f.UID} && p.GIDs == [4]int{f.GID, f.GID, f.GID, f.GID}
	return verdict.That(same, expected, fmt.Sprintf("user ids %v and group ids %v", p.UIDs, p.GIDs), "")
}

func powerless(f observe.LoggedIn) verdict.Finding {
	p := f.Served.Server
	const expected = "no saved id of root's and no capability in effect"
	actual := fmt.Sprintf("saved uid %d, effective capabilities %x", p.UIDs[2], p.CapEff)
	return verdict.That(p.UIDs[2] != 0 && p.CapEff == 0, expected, actual, "")
}
