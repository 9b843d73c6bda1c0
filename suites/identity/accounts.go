package identity

import (
	"fmt"
	"strings"

	"qmconformance/harness/agent"
	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/verdict"
)

var _ = judge.Section(area, "group, user and tree", func() {
	judge.On("IDENT-01", observe.AccountsOf, groupExists)
	judge.On("IDENT-02", observe.AccountsOf, rootIsMember)
	judge.On("IDENT-03", observe.AccountsOf, ownerExists)
	judge.On("IDENT-04", observe.TreeOf, treeOfTheGroup)
	judge.On("IDENT-05", observe.TreeOf, groupMayWrite)
	judge.On("IDENT-06", observe.TreeOf, othersMayNotWrite)
})

func groupExists(_ judge.Case, a observe.Accounts) verdict.Finding {
	gid := a.GID("qmusers")
	actual := fmt.Sprintf("qmusers is %d", gid)
	if gid < 0 {
		actual = "/etc/group has no line for qmusers"
	}
	return verdict.That(gid >= 0, "a line for qmusers in /etc/group", actual, "")
}

func rootIsMember(_ judge.Case, a observe.Accounts) verdict.Finding {
	g, _ := a.Groups.ByName("qmusers")
	return verdict.That(a.Member("root", "qmusers"), "root among the members of qmusers",
		"its members: "+none(g.Members), fmt.Sprintf("/etc/group:%d: run usermod -aG qmusers root in the package's set-up", g.Line)).At("/etc/group", g.Line)
}

func none(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

func ownerExists(_ judge.Case, a observe.Accounts) verdict.Finding {
	const expected = "user qmsys, with qmusers as its primary group"
	u, ok := a.Users.ByName("qmsys")
	switch {
	case !ok:
		return verdict.Violated(expected, "/etc/passwd has no line for qmsys", "")
	case u.GID != a.GID("qmusers"):
		return verdict.Violated(expected, fmt.Sprintf("its primary group is %d, and qmusers is %d", u.GID, a.GID("qmusers")), "")
	}
	return verdict.Kept(expected, fmt.Sprintf("uid %d, gid %d", u.UID, u.GID))
}

func treeOfTheGroup(_ judge.Case, t observe.Tree) verdict.Finding {
	return files(t, t.ForeignGroups, t.ForeignGroup, "belong to group qmusers", "belong to another group")
}

func groupMayWrite(_ judge.Case, t observe.Tree) verdict.Finding {
	return files(t, t.ClosedCount, t.Closed, "may be read and written by their group, programs executed", "may not")
}

func othersMayNotWrite(_ judge.Case, t observe.Tree) verdict.Finding {
	return files(t, t.OpenCount, t.Open, "may not be written by others", "may be")
}

func files(t observe.Tree, wrong int, list []agent.Entry, should, are string) verdict.Finding {
	expected := fmt.Sprintf("all %d files of %s %s", t.Files, t.Root, should)
	if t.Files == 0 {
		return verdict.Broken("no file of %s was looked at", t.Root)
	}
	if wrong == 0 {
		return verdict.Kept(expected, "they do")
	}
	e := list[0]
	return verdict.Violated(expected, fmt.Sprintf("%d %s, %s among them (%v, owner %d:%d)", wrong, are, e.Path, e.Mode, e.UID, e.GID), "")
}
