package observe

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"qmconformance/harness/evidence"
	"qmconformance/harness/process"
	"qmconformance/harness/requirement"
	"qmconformance/harness/xinetd"
)

// sources keeps the files that a configuration was read from.
func sources(ctx context.Context, s *Scene, c xinetd.Config) error {
	for _, name := range c.Files {
		text, err := readIfThere(ctx, s, name)
		if err != nil {
			return err
		}
		s.Evidence.Source(name, text)
	}
	return nil
}

// contract is what a serving process should be at a moment: root's before the
// login, the user's after it.
type contract struct {
	service  requirement.Service
	qmusers  int
	uid, gid int
}

// beside sets the facts about the serving process beside the contract's, for the
// eye of who reads the evidence. Each of them is judged by a requirement of its own.
func (v *Served) beside(c contract) []evidence.Row {
	if !v.Found {
		return []evidence.Row{{Fact: "process", Contract: "one has the connection as its standard input", Seen: "none was found", Differs: true}}
	}
	p := v.Server
	var rows []evidence.Row
	add := func(fact, contract, seen string, holds bool) {
		rows = append(rows, evidence.Row{Fact: fact, Contract: contract, Seen: seen, Differs: !holds})
	}
	want := "qm " + strings.Join(c.service.ServerArgs(), " ")
	got := slices.Clone(p.Args)
	if len(got) > 0 {
		got[0] = got[0][strings.LastIndexByte(got[0], '/')+1:]
	}
	add("arguments", want, strings.Join(p.Args, " "), strings.Join(got, " ") == want)
	add("started by", "xinetd itself", fmt.Sprintf("%s (pid %d)", v.Parent.Comm, v.Parent.PID), v.Parent.PID == v.Xinetd.PID)
	group := c.gid
	if c.uid == 0 {
		group = c.qmusers
	}
	add("user ids", ids([4]int{c.uid, c.uid, c.uid, c.uid}), ids(p.UIDs), p.UIDs == [4]int{c.uid, c.uid, c.uid, c.uid})
	add("group ids", ids([4]int{group, group, group, group}), ids(p.GIDs), p.GIDs == [4]int{group, group, group, group})
	add("further groups", fmt.Sprintf("%d (qmusers) among them", c.qmusers), numbers(p.Groups), c.qmusers >= 0 && slices.Contains(p.Groups, c.qmusers))
	add("umask", "0002", fmt.Sprintf("%04o", p.Umask), p.Umask == 0o002)
	add("session", fmt.Sprintf("its own (%d), no terminal", p.PID), fmt.Sprintf("%d, terminal %d", p.Session, p.TTY), p.Session == p.PID && p.TTY == 0)
	for n, name := range []string{"standard input", "standard output", "standard error"} {
		fd, open := p.FD(n)
		seen := fd.Target
		if !open {
			seen = "closed"
		}
		add(name, "the connection", seen, open && fd.Inode == v.Socket.Inode && fd.Kind == process.KindSocket)
	}
	return rows
}

func ids(list [4]int) string { return numbers(list[:]) }

func numbers(list []int) string {
	if len(list) == 0 {
		return "none"
	}
	words := make([]string, len(list))
	for i, n := range list {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words, " ")
}
