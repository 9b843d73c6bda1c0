package reaper

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// proc builds a small /proc. Each process is pid, state, start time, innermost pid.
func proc(t *testing.T, processes ...[4]any) string {
	t.Helper()
	root := t.TempDir()
	for _, p := range processes {
		dir := filepath.Join(root, fmt.Sprint(p[0]))
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		// The name tries to look like the end of the field.
		stat := fmt.Sprintf("%v (a) S 1 (b) %v 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %v 0 0\n", p[0], p[1], p[2])
		status := fmt.Sprintf("Name:\ta\nNSpid:\t%v\t%v\nThreads:\t1\n", p[0], p[3])
		for name, text := range map[string]string{"stat": stat, "status": status} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return root
}

func TestJudge(t *testing.T) {
	initProcess := [4]any{1, "S", 3, 1}
	own := func(change func(*Owner)) Owner {
		o := Owner{BootID: "boot", PID: 42, StartTime: 1000, Machine: "m1", Namespace: initialPIDNamespace}
		change(&o)
		return o
	}
	same := func(*Owner) {}
	inner := func(o *Owner) { o.Namespace, o.PID = "4026539999", 7 }
	for _, c := range []struct {
		name  string
		owner Owner
		self  Owner
		local bool
		procs [][4]any
		want  life
	}{
		{"runs", own(same), own(same), true, [][4]any{initProcess, {42, "S", 1000, 42}}, alive},
		{"pid gone", own(same), own(same), true, [][4]any{initProcess}, gone},
		{"pid given to another process", own(same), own(same), true, [][4]any{initProcess, {42, "S", 1001, 42}}, gone},
		{"zombie", own(same), own(same), true, [][4]any{initProcess, {42, "Z", 1000, 42}}, gone},
		{"pid gone, but others are hidden", own(same), own(same), true, nil, unknown},
		{"before a reboot of this machine", own(func(o *Owner) { o.BootID = "old" }), own(same), false, nil, gone},
		{
			"before a reboot, machine unknown, local daemon",
			own(func(o *Owner) { o.BootID, o.Machine = "old", "" }), own(same), true, nil, gone,
		},
		{
			"another machine, machine unknown, remote daemon",
			own(func(o *Owner) { o.BootID, o.Machine = "old", "" }), own(same), false, nil, unknown,
		},
		{
			"another machine on a forwarded socket",
			own(func(o *Owner) { o.BootID, o.Machine = "old", "m2" }), own(same), true, nil, unknown,
		},
		{
			"in a container, runs", own(inner), own(same), true,
			[][4]any{initProcess, {42, "S", 999, 42}, {900, "S", 1000, 7}},
			alive,
		},
		{
			"in a container, ended, all processes visible", own(inner), own(same), true,
			[][4]any{initProcess, {900, "S", 1000, 8}, {901, "S", 1001, 7}},
			gone,
		},
		{
			"on the host, judged from a container", own(same),
			own(func(o *Owner) { o.Namespace = "4026539999" }), true,
			[][4]any{initProcess},
			unknown,
		},
		{
			"namespace not labelled counts as ours", own(func(o *Owner) { o.Namespace = "" }), own(same), true,
			[][4]any{initProcess},
			gone,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := judge(proc(t, c.procs...), c.owner, c.self, c.local); got != c.want {
				t.Errorf("judged %d, want %d (0 unknown, 1 alive, 2 gone)", got, c.want)
			}
		})
	}
}

func TestCurrentOwnerIsAlive(t *testing.T) {
	self, err := currentOwner(procRoot, machineIDFile)
	if err != nil {
		t.Fatal(err)
	}
	if self.PID != os.Getpid() {
		t.Errorf("pid %d, want %d", self.PID, os.Getpid())
	}
	if got := judge(procRoot, self, self, true); got != alive {
		t.Errorf("this very process is judged %d, want alive", got)
	}
}

func TestParseOwnerRejects(t *testing.T) {
	for _, text := range []string{"", "boot", "boot:1", "boot:x:1", "boot:0:1", "boot:-1:1", "boot:1:x", ":1:1", "b:1:1:1"} {
		if o, err := parseOwner(text, ""); err == nil {
			t.Errorf("%q was read as %v", text, o)
		}
	}
}
