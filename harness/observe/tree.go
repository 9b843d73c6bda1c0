package observe

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"qmconformance/harness/agent"
)

// Tree is the installed tree, file by file, before any session worked in it.
type Tree struct {
	Root    string
	Qmusers int
	Files   int
	// ForeignGroup are files of another group than qmusers, Closed files that the
	// group may not read and write (or directories that it may not enter), Open
	// files that anybody may write to. Programs need only be open to readers, the
	// group or everybody. Each list holds the first few; the counts are whole.
	ForeignGroup, Closed, Open            []agent.Entry
	ForeignGroups, ClosedCount, OpenCount int
}

// treeCap bounds the walk: a ScarletDME tree has some 5,000 files, one with users'
// accounts in it many more.
const treeCap = 500_000

// fewFiles is how many of a kind are kept to be named.
const fewFiles = 10

// TreeOf is the look at the tree.
var TreeOf = &Look[Tree]{
	Name: "tree", Stage: AsShipped, Limit: 60 * time.Second,
	Take: func(ctx context.Context, s *Scene) (Tree, error) {
		accounts, err := readAccounts(ctx, s)
		if err != nil {
			return Tree{}, err
		}
		entries, err := s.Walk(ctx, s.Tree, treeCap)
		if err != nil {
			return Tree{}, fmt.Errorf("walk %s: %w", s.Tree, err)
		}
		t := sift(s.Tree, accounts.GID("qmusers"), entries)
		s.Evidence.Text("tree", t.String())
		return t, nil
	},
}

func sift(root string, qmusers int, entries []agent.Entry) Tree {
	t := Tree{Root: root, Qmusers: qmusers, Files: len(entries)}
	for _, e := range entries {
		if e.Mode&fs.ModeSymlink != 0 {
			continue // a link has no rights of its own
		}
		need := fs.FileMode(0o060)
		if e.Mode.IsDir() {
			need = 0o070
		}
		program := isProgram(root, e.Path)
		if int(e.GID) != qmusers && !program {
			t.ForeignGroups++
			t.ForeignGroup = keep(t.ForeignGroup, e)
		}
		if program && !mayRun(e, qmusers) || !program && e.Mode.Perm()&need != need {
			t.ClosedCount++
			t.Closed = keep(t.Closed, e)
		}
		if e.Mode.Perm()&0o002 != 0 {
			t.OpenCount++
			t.Open = keep(t.Open, e)
		}
	}
	return t
}

// isProgram says whether a file is of those that are executed and never written to. A
// package does well to leave them to root, who executes them too.
func isProgram(root, name string) bool {
	return name == root+"/bin" || strings.HasPrefix(name, root+"/bin/")
}

// mayRun says whether the group's members can use a program, or a directory of them, as
// members or like everybody else.
func mayRun(e agent.Entry, qmusers int) bool {
	need := fs.FileMode(0o004)
	if e.Mode.IsDir() || e.Mode.Perm()&0o111 != 0 {
		need = 0o005
	}
	if int(e.GID) == qmusers {
		need <<= 3 // the kernel asks a member for nothing else
	}
	return e.Mode.Perm()&need == need
}

func keep(list []agent.Entry, e agent.Entry) []agent.Entry {
	if len(list) < fewFiles {
		list = append(list, e)
	}
	return list
}

func (t Tree) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d files, group qmusers is %d\n", t.Root, t.Files, t.Qmusers)
	part := func(title string, n int, list []agent.Entry) {
		fmt.Fprintf(&b, "\n%s: %d\n", title, n)
		for _, e := range list {
			fmt.Fprintf(&b, "  %v %d:%d %s\n", e.Mode, e.UID, e.GID, e.Path)
		}
	}
	part("of another group", t.ForeignGroups, t.ForeignGroup)
	part("closed to the group", t.ClosedCount, t.Closed)
	part("open to everybody", t.OpenCount, t.Open)
	return b.String()
}
