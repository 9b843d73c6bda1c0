package observe

import (
	"testing"

	. "github.com/onsi/gomega"

	"qmconformance/harness/evidence"
	"qmconformance/harness/process"
	"qmconformance/harness/requirement"
)

// served is a process just as the contract has it, before the login on 4243.
func served() Served {
	connection := func(n int) process.FD {
		return process.FD{Number: n, Target: "socket:[7]", Inode: 7, Kind: process.KindSocket}
	}
	return Served{
		Found:  true,
		Server: process.Process{PID: 50, Session: 50, Args: []string{"/usr/qmsys/bin/qm", "-n", "-q"}, GIDs: [4]int{900, 900, 900, 900}, Groups: []int{0, 900}, Umask: 0o002, FDs: []process.FD{connection(0), connection(1), connection(2)}},
		Socket: process.Socket{Inode: 7}, Xinetd: process.Process{PID: 9}, Parent: process.Process{PID: 9, Comm: "xinetd"},
	}
}

func differing(v Served, c contract) (list []string) {
	for _, r := range v.beside(c) {
		if r.Differs {
			list = append(list, r.Fact)
		}
	}
	return list
}

func TestOnlyWhatDiffersFromTheContractIsMarked(t *testing.T) {
	api := contract{service: requirement.QMClient, qmusers: 900}
	for name, c := range map[string]struct {
		spoil func(*Served)
		want  []string
	}{
		"nothing":          {func(*Served) {}, nil},
		"the umask":        {func(v *Served) { v.Server.Umask = 0o022 }, []string{"umask"}},
		"the arguments":    {func(v *Served) { v.Server.Args = []string{"qm", "-n"} }, []string{"arguments"}},
		"the group":        {func(v *Served) { v.Server.GIDs[1] = 0 }, []string{"group ids"}},
		"the groups":       {func(v *Served) { v.Server.Groups = nil }, []string{"further groups"}},
		"a closed output":  {func(v *Served) { v.Server.FDs = v.Server.FDs[:2] }, []string{"standard error"}},
		"another's socket": {func(v *Served) { v.Server.FDs[0].Inode = 8 }, []string{"standard input"}},
		"the parent":       {func(v *Served) { v.Parent.PID = 10 }, []string{"started by"}},
		"no process":       {func(v *Served) { v.Found = false }, []string{"process"}},
	} {
		v := served()
		c.spoil(&v)
		NewWithT(t).Expect(differing(v, api)).To(Equal(c.want), name)
	}
}

func TestAfterTheLoginTheContractIsTheUsers(t *testing.T) {
	g := NewWithT(t)
	v := served()
	user := contract{requirement.QMClient, 900, 1001, 1001}
	g.Expect(differing(v, user)).To(Equal([]string{"user ids", "group ids"}), "still root's")
	v.Server.UIDs, v.Server.GIDs = [4]int{1001, 1001, 1001, 1001}, [4]int{1001, 1001, 1001, 1001}
	g.Expect(differing(v, user)).To(BeEmpty())
	g.Expect(v.beside(user)).To(ContainElement(evidence.Row{Fact: "user ids", Contract: "1001 1001 1001 1001", Seen: "1001 1001 1001 1001"}))
}
