package observe

import (
	"bytes"
	"context"
	"os"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"qmconformance/harness/process"
	"qmconformance/harness/requirement"
)

// child starts a program that is ended with the test.
func child(t *testing.T, argv ...string) *os.Process {
	t.Helper()
	p, err := os.StartProcess(argv[0], argv, &os.ProcAttr{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Kill(); _, _ = p.Wait() })
	return p
}

// mine leaves out what happens beside the test on the machine that it runs on.
func mine(left []Leftover, pid int) (list []Leftover) {
	for _, l := range left {
		if l.PID == pid {
			list = append(list, l)
		}
	}
	return list
}

func TestWhatStays(t *testing.T) {
	for name, c := range map[string]struct {
		argv []string
		busy bool
	}{
		"asleep":  {[]string{"/bin/sleep", "600"}, false},
		"running": {[]string{"/bin/sh", "-c", "while :; do :; done"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			s, _ := scene(t)
			s.Startup.Xinetd.Daemon.PID = os.Getpid() // whose children clients' programs are
			snap, err := s.Snapshot(limited(t))
			g.Expect(err).NotTo(HaveOccurred())
			p := child(t, c.argv...)
			left, took, err := awaitLeaving(limited(t), s, crowdOf(snap))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(took).To(BeNumerically(">=", busyInterval))
			found := mine(left, p.Pid)
			g.Expect(found).To(HaveLen(1))
			if c.busy {
				g.Expect(found[0].Busy).To(BeNumerically(">", 0.01), found[0].String())
			} else {
				// Its own start may fall into the interval: some ticks, on a busy machine.
				g.Expect(found[0].Busy).To(BeNumerically("<", 0.1))
			}
			g.Expect(found[0].String()).To(ContainSubstring(c.argv[0]))
			g.Expect(s.Evidence.Empty()).To(BeFalse(), "what stays is evidence")
		})
	}
}

func TestWhatGoes(t *testing.T) {
	g := NewWithT(t)
	s, _ := scene(t)
	s.Startup.Xinetd.Daemon.PID = os.Getpid()
	snap, err := s.Snapshot(limited(t))
	g.Expect(err).NotTo(HaveOccurred())
	p, err := os.StartProcess("/bin/sleep", []string{"sleep", "0.05"}, &os.ProcAttr{})
	g.Expect(err).NotTo(HaveOccurred())
	go func() { _, _ = p.Wait() }()
	left, _, err := awaitLeaving(limited(t), s, crowdOf(snap))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(mine(left, p.Pid)).To(BeEmpty())

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err = awaitLeaving(ended, s, crowd{})
	g.Expect(err).To(HaveOccurred())
}

func TestACrowdKnowsItsOwn(t *testing.T) {
	g := NewWithT(t)
	before := process.Snapshot{Processes: []process.Process{{PID: 1, StartTime: 5}, {PID: 9, StartTime: 50}}}
	later := process.Snapshot{Processes: []process.Process{{PID: 1, StartTime: 5}, {PID: 2, KernelThread: true}, {PID: 9, StartTime: 70}}}
	g.Expect(crowdOf(before).strangers(before, 7)).To(BeEmpty())
	list := crowdOf(before).strangers(later, 7)
	g.Expect(list).To(HaveLen(1), "the number of a process is used again")
	g.Expect(list[0].StartTime).To(Equal(uint64(70)))
}

// A loop that a package starts has a new child now and then, whoever misbehaves.
func TestWhatOthersStartIsOfNoClientsDoing(t *testing.T) {
	g := NewWithT(t)
	before := process.Snapshot{Processes: []process.Process{{PID: 1}, {PID: 7, PPID: 1}, {PID: 9, PPID: 1}, {PID: 10, PPID: 9}}}
	later := process.Snapshot{Processes: append(slices.Clone(before.Processes[:3]),
		process.Process{PID: 11, PPID: 9}, process.Process{PID: 12, PPID: 7}, process.Process{PID: 13, PPID: 1}, process.Process{PID: 14, PPID: 12})}
	var list []int
	for _, p := range crowdOf(before).strangers(later, 7) {
		list = append(list, p.PID)
	}
	g.Expect(list).To(Equal([]int{12, 13, 14}), "xinetd's children, orphans, and theirs")
}

func TestPlacesAreWaitedFor(t *testing.T) {
	g := NewWithT(t)
	s, root := scene(t)
	s.Target.Tree = root
	// Two users at first, and one from the second look on.
	put(t, root, "bin/qm", "#!/bin/sh\ncd "+root+"\nif [ -e seen ]; then cat <<'E'\n"+oneIn+"E\nelse : >seen; cat <<'E'\n"+twoIn+"E\nfi\n", 0o755)
	n, _, err := awaitPlaces(limited(t), s, 1)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(n).To(Equal(1))
	began := time.Now()
	n, text, err := awaitPlaces(limited(t), s, 0)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(n).To(Equal(1))
	g.Expect(text).To(ContainSubstring("root"))
	g.Expect(time.Since(began)).To(BeNumerically(">=", placeLimit))
}

func TestWhatIsLeftIsEnded(t *testing.T) {
	g := NewWithT(t)
	s, root := scene(t)
	s.Target.Tree = root
	put(t, root, "bin/qm", "#!/bin/sh\necho \"$@\" >>"+root+"/called\n", 0o755)
	p, err := os.StartProcess("/bin/sleep", []string{"sleep", "600"}, &os.ProcAttr{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(clearAway(limited(t), s, nil, false)).To(Succeed())
	g.Expect(root + "/called").NotTo(BeAnExistingFile())
	g.Expect(clearAway(limited(t), s, []Leftover{{PID: p.Pid}}, false)).To(Succeed())
	state, err := p.Wait()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(state.String()).To(ContainSubstring("killed"))
	g.Expect(clearAway(limited(t), s, []Leftover{{PID: p.Pid}}, true)).To(Succeed(), "it has gone by itself")
	called, err := os.ReadFile(root + "/called")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(called)).To(Equal("-cleanup\n-cleanup\n"))
}

func TestEveryMannerHasMisdeeds(t *testing.T) {
	g := NewWithT(t)
	for _, service := range requirement.NetworkServices {
		for _, m := range Manners {
			g.Expect(len(misdeeds(m, service))).To(BeNumerically(">=", 4), "%s: %s", service, m)
		}
		for _, other := range somethingElse(service) {
			g.Expect(bytes.ContainsRune(other.data, '\r')).To(BeFalse(), "%s would be a name, and then a password", other.name)
		}
	}
	g.Expect(misdeeds("no manner", requirement.QMClient)).To(BeEmpty())
}

func TestClientsThatMisbehave(t *testing.T) {
	g := NewWithT(t)
	s, _ := scene(t)
	s.Service, s.Port = requirement.QMClient, serve(t, player{first: "\x06"})
	made, locked := misbehave(limited(t), s, LeaveAtOnce)
	g.Expect(locked).To(BeEmpty())
	for _, m := range made {
		g.Expect(m.Reached).To(BeTrue(), m.What)
		g.Expect(m.Held).To(BeFalse(), m.What)
	}
	s.Port = 1
	made, _ = misbehave(limited(t), s, LeaveBeforeLogin)
	for _, m := range made {
		g.Expect(m.Reached).To(BeFalse(), m.What)
		g.Expect(m.Said).To(ContainSubstring("refused"), m.What)
		g.Expect(m.Held).To(BeFalse(), "nobody had it to let go")
	}
	ok, said := converse(limited(t), s, "in-the-end")
	g.Expect(ok).To(BeFalse())
	g.Expect(said).To(ContainSubstring("refused"))
}

// A database that hangs must not cost each of the clients to come its whole patience.
func TestNobodyElseComesToAServiceThatDoesNotServe(t *testing.T) {
	g := NewWithT(t)
	s, _ := scene(t)
	s.Service, s.Port = requirement.QMClient, 1
	var f Survived
	g.Expect(f.stopped(limited(t), s, Aftermath{Manner: LeaveAtOnce, Misdeeds: []Misdeed{{Reached: true}}})).To(BeFalse(), "all got to where they were to")
	g.Expect(f.Stopped).To(BeEmpty())
	g.Expect(f.stopped(limited(t), s, Aftermath{Manner: LeaveAtOnce, Misdeeds: []Misdeed{{Reached: true}, {}}})).To(BeTrue())
	g.Expect(f.Stopped).To(Equal(LeaveAtOnce))
}
