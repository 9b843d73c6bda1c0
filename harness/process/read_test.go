package process

import (
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func mustRead(t *testing.T, root string) Snapshot {
	t.Helper()
	snapshot, err := Read(root)
	if err != nil {
		t.Fatal(err)
	}
	return snapshot
}

func TestReadOneSession(t *testing.T) {
	f := newFakeProc(t)
	f.session(11, 9, "socket:[73006]")
	snapshot := mustRead(t, f.root)
	if len(snapshot.Problems) != 0 {
		t.Errorf("problems %v", snapshot.Problems)
	}
	if len(snapshot.Processes) != 1 {
		t.Fatalf("%d processes", len(snapshot.Processes))
	}
	got := snapshot.Processes[0]
	if len(got.Limits) != 16 {
		t.Errorf("%d limits", len(got.Limits))
	}
	for _, want := range []Limit{
		{LimitOpenFiles, 20000, 20000},
		{LimitCoreSize, 0, Unlimited},
		{LimitStackSize, 8388608, Unlimited},
		{LimitAddressSpace, 1<<63 - 1, Unlimited},
	} {
		if limit, ok := got.Limit(want.Name); !ok || limit != want {
			t.Errorf("limit %v, want %v", limit, want)
		}
	}
	got.Limits = nil
	want := Process{
		PID: 11, PPID: 9, PGRP: 11, Session: 11, State: "S", StartTime: 123456, Comm: "qm) (x",
		Exe: "/usr/qmsys/bin/qm", Cwd: "/usr/qmsys", Root: "/",
		Args: []string{"qm", "-n", "-q"},
		Env:  []string{"PATH=/usr/bin", "REMOTE_HOST=::ffff:172.17.0.3", "EMPTY="},
		GIDs: [4]int{1001, 1001, 1001, 1001}, Groups: []int{0, 1001}, Umask: 2,
		SigPnd: 0x4001, SigIgn: 0x1000, SigCgt: 0x8000000180014223, CapEff: 0xa80425fb, NoNewPrivs: true, Seccomp: 2,
		Nice: -5, OOMScoreAdj: -7, RSS: 512 * pageSize, CPUTicks: 7, Threads: 2,
		FDs: []FD{
			{0, "socket:[73006]", 0o2004002, 73006, KindSocket},
			{1, "socket:[73006]", 0o2004002, 73006, KindSocket},
			{2, "socket:[73006]", 0o2004002, 73006, KindSocket},
			{10, "/usr/qmsys/MESSAGES/%0", 0o100002, 1234, KindFile},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if value, ok := got.Getenv("EMPTY"); !ok || value != "" {
		t.Errorf("EMPTY = %q, %v", value, ok)
	}
	if _, ok := got.Getenv("REMOTE"); ok {
		t.Error("a variable was found by a part of its name")
	}
}

func TestReadSockets(t *testing.T) {
	f := newFakeProc(t)
	f.session(11, 9, "socket:[73006]")
	snapshot := mustRead(t, f.root)
	want := []Socket{
		{500, FamilyIPv4, StateListen, netip.MustParseAddrPort("127.0.0.1:53"), netip.MustParseAddrPort("0.0.0.0:0"), 101, 0, 2},
		{73006, FamilyIPv4, StateEstablished, netip.MustParseAddrPort("172.17.0.2:4243"), netip.MustParseAddrPort("172.17.0.3:40000"), 0, 0, 5},
		{0, FamilyIPv4, StateTimeWait, netip.MustParseAddrPort("172.17.0.2:4243"), netip.MustParseAddrPort("172.17.0.3:40001"), 0, 0, 0},
		{0, FamilyIPv4, StateTimeWait, netip.MustParseAddrPort("172.17.0.2:4242"), netip.MustParseAddrPort("172.17.0.3:40000"), 0, 0, 0},
		{600, FamilyIPv6, StateListen, netip.MustParseAddrPort("[::]:4243"), netip.MustParseAddrPort("[::]:0"), 0, 0, 1},
		{73007, FamilyIPv6, StateEstablished, netip.MustParseAddrPort("172.17.0.2:4243"), netip.MustParseAddrPort("172.17.0.3:40002"), 0, 0, 0},
		{73008, FamilyIPv6, "CLOSE_WAIT", netip.MustParseAddrPort("[2001:db8::1]:4243"), netip.MustParseAddrPort("[2001:db8::2]:40003"), 0, 16, 0},
	}
	if !reflect.DeepEqual(snapshot.Sockets, want) {
		t.Errorf("got  %v\nwant %v", snapshot.Sockets, want)
	}
}

func TestReadLeavesOutWhatHasGone(t *testing.T) {
	f := newFakeProc(t)
	f.session(11, 9, "socket:[1]")
	f.session(12, 9, "socket:[2]")
	// a directory whose process ended just after it was listed
	if err := os.Remove(filepath.Join(f.root, "12/stat")); err != nil {
		t.Fatal(err)
	}
	if pids := pidsOf(mustRead(t, f.root).Processes); !slices.Equal(pids, []int{11}) {
		t.Errorf("processes %v, want only 11", pids)
	}
}

func TestReadKeepsWhatIsNotUnderstood(t *testing.T) {
	f := newFakeProc(t)
	f.session(11, 9, "socket:[1]")
	f.write("11/limits", "Max open files            20000\n")
	f.write("11/oom_score_adj", "much\n")
	f.write("12/stat", "nonsense")
	snapshot := mustRead(t, f.root)
	for _, want := range []struct {
		pid  int
		part string
	}{{11, "limits"}, {11, "oom_score_adj"}, {12, "stat"}} {
		p, ok := snapshot.Process(want.pid)
		if _, found := p.Problem(want.part); !ok || !found {
			t.Errorf("process %d has no problem with %s: %v", want.pid, want.part, p.Problems)
		}
	}
	f.write("net/tcp", "heading\n 0: nonsense\n")
	if problems := mustRead(t, f.root).Problems; len(problems) != 1 || problems[0].Part != "net/tcp" {
		t.Errorf("problems %v", problems)
	}
}

func TestReadKeepsRefusal(t *testing.T) {
	f := newFakeProc(t)
	f.session(11, 9, "socket:[1]")
	f.session(12, 9, "socket:[2]")
	// EACCES can't be provoked as root by file modes, another errno can: a
	// symbolic link to itself gives ELOOP on every open.
	if err := os.RemoveAll(filepath.Join(f.root, "11/fd")); err != nil {
		t.Fatal(err)
	}
	f.link("11/fd", "fd")
	os.Remove(filepath.Join(f.root, "11/environ"))
	f.link("11/environ", "environ")
	snapshot := mustRead(t, f.root)
	p, _ := snapshot.Process(11)
	for _, part := range []string{"fd", "environ"} {
		if problem, ok := p.Problem(part); !ok || problem.Errno != int(unix.ELOOP) {
			t.Errorf("problem with %s: %+v", part, problem)
		}
	}
	if pids := pidsOf(snapshot.Blind()); !slices.Equal(pids, []int{11}) {
		t.Errorf("blind to %v", pids)
	}
}

func TestReadZombie(t *testing.T) {
	f := newFakeProc(t)
	f.write("13/stat", "13 (qm) Z 9 13 13 0 -1 4227084 1 0 0 0 0 0 0 0 20 0 1 0 5 0 0\n")
	f.write("13/status", "Name:\tqm\nState:\tZ (zombie)\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t \n")
	f.write("13/limits", "")
	f.write("13/oom_score_adj", "0\n")
	p, ok := mustRead(t, f.root).Process(13)
	if !ok || p.State != "Z" || len(p.Problems) != 0 || p.Umask != -1 {
		t.Errorf("zombie %+v", p)
	}
}

// TestReadDuringExec: the program is new, its arguments aren't there yet.
func TestReadDuringExec(t *testing.T) {
	f := newFakeProc(t)
	f.session(11, 9, "socket:[1]")
	f.write("11/cmdline", "")
	if p, ok := mustRead(t, f.root).Process(11); !ok || !p.Unsettled {
		t.Errorf("taken as whole: %+v", p)
	}
	f.write("11/cmdline", "\x00")
	if p, ok := mustRead(t, f.root).Process(11); !ok || p.Unsettled || len(p.Args) != 1 {
		t.Errorf("one empty argument: %+v", p)
	}
}

func TestReadWithoutIPv6(t *testing.T) {
	f := newFakeProc(t)
	f.session(11, 9, "socket:[1]")
	os.Remove(filepath.Join(f.root, "net/tcp6"))
	if problems := mustRead(t, f.root).Problems; len(problems) != 0 {
		t.Errorf("problems %v", problems)
	}
}

func TestReadWrongRoot(t *testing.T) {
	for _, root := range []string{t.TempDir(), "/nonexistent", "/etc/passwd"} {
		if snapshot, err := Read(root); err == nil {
			t.Errorf("%s: no error, %d processes", root, len(snapshot.Processes))
		}
	}
}

func pidsOf(processes []Process) []int {
	var pids []int
	for _, p := range processes {
		pids = append(pids, p.PID)
	}
	return pids
}
