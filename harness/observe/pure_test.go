package observe

import (
	"bytes"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"qmconformance/harness/agent"
	"qmconformance/harness/netdb"
	"qmconformance/harness/process"
	"qmconformance/harness/qmclient"
	"qmconformance/harness/requirement"
	"qmconformance/harness/wire"
)

// The tables of "qm -u", as ScarletDME prints them.
const (
	nobodyIn = " Uid Pid........ Puid Origin................. Username\n"
	oneIn    = nobodyIn + "   1       27664    0                         root                            \n"
	twoIn    = oneIn + "  12       27670    0 192.0.2.1               halice                          \n"
	isDown   = "ScarletDME is not active.\n"
)

func TestCountRows(t *testing.T) {
	g := NewWithT(t)
	for text, n := range map[string]int{
		"": 0, nobodyIn: 0, oneIn: 1, twoIn: 2, isDown: 0,
		// A session marks its own row.
		nobodyIn + "*  1       27664    0 x root\n": 1,
		nobodyIn + "   1\n":                         0,
		strings.TrimSuffix(twoIn, "\n"):             2,
	} {
		g.Expect(countRows(text)).To(Equal(n), text)
	}
}

func TestSlots(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		slots  int
		text   string
	}{
		"nobody":              {"printf '%s' \"$TABLE\"; cat <<'E'\n" + nobodyIn + "E\n", 0, "Username"},
		"two":                 {"cat <<'E'\n" + twoIn + "E\n", 2, "halice"},
		"down":                {"echo '" + strings.TrimSpace(isDown) + "' >&2", -1, "not active"},
		"a command that ends": {"cat <<'E'\n" + oneIn + "E\nexit 3", -1, "exit 3"},
		"no such command":     {"", -1, "exit -1"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			s, root := scene(t)
			s.Target.Tree = root
			if c.script != "" {
				put(t, root, "bin/qm", "#!/bin/sh\ntest \"$1\" = -u || exit 9\n"+c.script, 0o755)
			}
			n, text, err := slots(limited(t), s)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(n).To(Equal(c.slots))
			g.Expect(text).To(ContainSubstring(c.text))
		})
	}
}

func TestAllBytesHasNoRepetition(t *testing.T) {
	g := NewWithT(t)
	b := allBytes(roundTripSize)
	g.Expect(b).To(HaveLen(roundTripSize))
	for v := range 256 {
		g.Expect(bytes.Count(b[:256], []byte{byte(v)})).To(Equal(1))
	}
	// A block that is lost, doubled or swapped with its neighbour shows.
	for _, block := range []int{256, 512, 1460, 4096, 16384} {
		g.Expect(bytes.Equal(b[:block], b[block:2*block])).To(BeFalse(), "%d", block)
	}
	g.Expect(allBytes(0)).To(BeEmpty())
}

func TestFirstDifference(t *testing.T) {
	g := NewWithT(t)
	for _, c := range []struct{ want, got, says string }{
		{"", "", ""},
		{"abc", "abc", ""},
		{"abc", "abd", "byte 2 is 64 instead of 63"},
		{"abc", "ab", "2 bytes instead of 3, the same as far as they go"},
		{"ab", "abc", "3 bytes instead of 2, the same as far as they go"},
		{"\n", "\r\n", "byte 0 is 0d instead of 0a"},
	} {
		g.Expect(firstDifference([]byte(c.want), []byte(c.got))).To(Equal(c.says))
	}
	refused := qmclient.Result{Form: qmclient.FormReply, Reply: qmclient.Reply{ServerError: qmclient.ErrorElse}}
	g.Expect(difference(nil, refused)).To(HavePrefix("read: reply else"))
	other := qmclient.Result{Form: qmclient.FormReply, Reply: qmclient.Reply{Data: []byte("b")}}
	g.Expect(difference([]byte("a"), other)).To(Equal("byte 0 is 62 instead of 61"))
}

func TestSift(t *testing.T) {
	g := NewWithT(t)
	entry := func(mode fs.FileMode, gid uint32) agent.Entry { return agent.Entry{Path: "/x", Mode: mode, GID: gid} }
	program := func(mode fs.FileMode, gid uint32) agent.Entry {
		return agent.Entry{Path: "/usr/qmsys/bin/qm", Mode: mode, GID: gid}
	}
	for name, c := range map[string]struct {
		e                     agent.Entry
		foreign, closed, open int
	}{
		"a file as it should be":       {entry(0o664, 995), 0, 0, 0},
		"a directory as it should be":  {entry(fs.ModeDir|0o775, 995), 0, 0, 0},
		"of another group":             {entry(0o664, 0), 1, 0, 0},
		"not writable":                 {entry(0o644, 995), 0, 1, 0},
		"not readable":                 {entry(0o624, 995), 0, 1, 0},
		"a directory not to enter":     {entry(fs.ModeDir|0o765, 995), 0, 1, 0},
		"open to all":                  {entry(0o666, 995), 0, 0, 1},
		"open to readers":              {entry(0o664|0o004, 995), 0, 0, 0},
		"all of it at once":            {entry(0o602, 7), 1, 1, 1},
		"a link has no rights":         {entry(fs.ModeSymlink|0o777, 7), 0, 0, 0},
		"set-gid is no right of its's": {entry(fs.ModeDir|fs.ModeSetgid|0o775, 995), 0, 0, 0},
		"a program of root's":          {program(0o755, 0), 0, 0, 0},
		"a program of the group's":     {program(0o775, 995), 0, 0, 0},
		"only for the group":           {program(0o750, 995), 0, 0, 0},
		"for all but the group":        {program(0o705, 995), 0, 1, 0},
		"only for another group":       {program(0o750, 0), 0, 1, 0},
		"not to be executed":           {program(0o754, 0), 0, 1, 0},
		"what a program reads":         {program(0o644, 0), 0, 0, 0},
		"a program open to all":        {program(0o777, 0), 0, 0, 1},
		"the programs' directory":      {agent.Entry{Path: "/usr/qmsys/bin", Mode: fs.ModeDir | 0o755}, 0, 0, 0},
		"that directory closed":        {agent.Entry{Path: "/usr/qmsys/bin", Mode: fs.ModeDir | 0o750}, 0, 1, 0},
		"only a name like it":          {agent.Entry{Path: "/usr/qmsys/binary", Mode: 0o755}, 1, 1, 0},
	} {
		got := sift("/usr/qmsys", 995, []agent.Entry{c.e})
		g.Expect([]int{got.Files, got.ForeignGroups, got.ClosedCount, got.OpenCount}).To(Equal([]int{1, c.foreign, c.closed, c.open}), name)
		g.Expect([]int{len(got.ForeignGroup), len(got.Closed), len(got.Open)}).To(Equal([]int{c.foreign, c.closed, c.open}), name)
	}
}

func TestSiftKeepsAFewAndCountsAll(t *testing.T) {
	g := NewWithT(t)
	var list []agent.Entry
	for i := range 25 {
		list = append(list, agent.Entry{Path: fmt.Sprintf("/t/%d", i), Mode: 0o666, GID: 1})
	}
	got := sift("/t", 995, list)
	g.Expect(got.ForeignGroups).To(Equal(25))
	g.Expect(got.ForeignGroup).To(HaveLen(fewFiles))
	g.Expect(got.String()).To(And(ContainSubstring("/t: 25 files"), ContainSubstring("of another group: 25"), ContainSubstring("/t/9"), Not(ContainSubstring("/t/10"))))
}

func TestAccounts(t *testing.T) {
	g := NewWithT(t)
	a := Accounts{
		Groups: netdb.ParseGroups("root:x:0:\nqmusers:x:995:root\n"),
		Users:  netdb.ParseUsers("root:x:0:0:::\nhcarol:x:20000:995:::\nhalice:x:20001:20001:::\n"),
	}
	g.Expect([]int{a.GID("qmusers"), a.GID("root"), a.GID("none")}).To(Equal([]int{995, 0, -1}))
	g.Expect([]int{a.UID("root"), a.UID("halice"), a.UID("none")}).To(Equal([]int{0, 20001, -1}))
	g.Expect([]int{a.PrimaryGroup("hcarol"), a.PrimaryGroup("none")}).To(Equal([]int{995, -1}))
	for user, member := range map[string]bool{"root": true, "hcarol": true, "halice": false, "none": false} {
		g.Expect(a.Member(user, "qmusers")).To(Equal(member), user)
	}
	g.Expect(a.Member("none", "none")).To(BeFalse(), "two that are missing are not one")
}

func TestALookAtTheHostIsTakenOnce(t *testing.T) {
	g := NewWithT(t)
	g.Expect(Plan{Each: true}.For(requirement.QMClient)).To(Equal(requirement.QMClient))
	g.Expect(Plan{}.For(requirement.QMClient)).To(Equal(requirement.Host))
	g.Expect(sister(requirement.QMServer)).To(Equal(requirement.QMClient))
	g.Expect(sister(requirement.QMClient)).To(Equal(requirement.QMServer))
	plan := TreeOf.Plan()
	g.Expect([]any{plan.Name, plan.Stage, plan.Each, plan.Limit}).To(Equal([]any{TreeOf.Name, TreeOf.Stage, TreeOf.Each, TreeOf.Limit}))
}

func TestAttempt(t *testing.T) {
	g := NewWithT(t)
	a := attempt(&probed{greeted: wire.Outcome{Result: wire.Refused}}, time.Now())
	g.Expect(a.Served).To(BeFalse())
	g.Expect(a.Outcome).To(ContainSubstring("refused"))
}

func TestOnlyWhatLastsWasInherited(t *testing.T) {
	connection := process.FD{Number: 0, Target: "socket:[1]"}
	lock := process.FD{Number: 9, Target: "/run/lock/qm-sessions"}
	lookup := process.FD{Number: 3, Target: "socket:[2]"}
	NewWithT(t).Expect(lasting([]process.FD{connection, lookup, lock}, []process.FD{connection, {Number: 3, Target: "socket:[3]"}, lock})).
		To(Equal([]process.FD{connection, lock}))
}

func TestWhatWasStartedAsXinetdIsFoundBehindAnInterpreterToo(t *testing.T) {
	snap := process.Snapshot{Processes: []process.Process{
		{PID: 1, Args: []string{"/.conformance/agent", "init", "/usr/sbin/xinetd"}},
		{PID: 20, Args: []string{"/usr/sbin/xinetd", "-dontfork"}},
		{PID: 21, Args: []string{"/bin/sh", "/usr/sbin/xinetd", "-stayalive"}},
		{PID: 22, Args: []string{"/usr/sbin/xinetd"}, State: "Z"},
		{PID: 23, Args: []string{"/usr/qmsys/bin/qm", "-n"}},
		{PID: 24, Args: []string{"/usr/sbin/xinetd-helper"}},
	}}
	NewWithT(t).Expect(startersOf(snap)).To(Equal([]int{20, 21}))
}
