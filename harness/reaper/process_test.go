package reaper

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/moby/moby/client"

	"qmconformance/harness/reaper/dockertest"
)

// patience is how long a test waits for another process on a busy machine.
const patience = 20 * time.Second

// runVariable makes the test binary a run: it starts a reaper, says so on
// standard output, and stays until it is killed or its input ends.
const runVariable = "REAPER_TEST_RUN"

func TestMain(m *testing.M) {
	if id, on := os.LookupEnv(runVariable); on {
		docker, err := client.New(client.FromEnv)
		if err != nil {
			panic(err)
		}
		r, err := start(Session{ID: id}, docker, plenty)
		if err != nil {
			panic(err)
		}
		os.Stdout.WriteString(strconv.Itoa(r.cmd.Process.Pid) + "\n")
		os.Stdin.Read(make([]byte, 1))
		os.Exit(0)
	}
	if _, on := os.LookupEnv(realRunVariable); on {
		if err := realRun(); err != nil {
			panic(err)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func timeout() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
}

// run starts such a process in a process group of its own and returns it with its reaper's pid.
func run(t *testing.T, d *dockertest.Daemon) (*exec.Cmd, int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), runVariable+"=s1", client.EnvOverrideHost+"="+d.Host())
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	watchdog := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer watchdog.Stop()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the run did not start its reaper: %v", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	return cmd, pid
}

func TestReaperOutlivesEveryEndOfItsRun(t *testing.T) {
	for name, signal := range map[string]struct {
		sig   syscall.Signal
		group bool
	}{
		"SIGKILL":                {syscall.SIGKILL, false},
		"SIGTERM to the group":   {syscall.SIGTERM, true},
		"SIGINT to the group":    {syscall.SIGINT, true},
		"SIGKILL to the group":   {syscall.SIGKILL, true},
		"SIGABRT, as a panic is": {syscall.SIGABRT, false},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			d := populated(Session{ID: "s1"})
			keep := notOurs(d)
			d.Serve(t)
			cmd, reaperPID := run(t, d)
			g.Expect(d.Asked()).To(BeEmpty(), "nothing is removed while the run lives")

			pid := cmd.Process.Pid
			if signal.group {
				pid = -pid
			}
			g.Expect(syscall.Kill(pid, signal.sig)).To(Succeed())
			_ = cmd.Wait()

			g.Eventually(d.IDs).WithTimeout(patience).Should(Equal(keep))
			g.Eventually(func() bool { return processEnded(reaperPID) }).WithTimeout(patience).Should(BeTrue(), "the reaper ends too")
		})
	}
}

// processEnded counts a zombie as ended: an orphan's new parent may be slow to reap.
func processEnded(pid int) bool {
	_, _, state, err := readStat("/proc/" + strconv.Itoa(pid))
	return err != nil || state == 'Z'
}

func TestReaperHasASessionOfItsOwnAndNoStandardStreams(t *testing.T) {
	g := NewWithT(t)
	d := dockertest.New()
	docker := d.Serve(t)
	r, err := start(Session{ID: "s1"}, docker, plenty)
	g.Expect(err).NotTo(HaveOccurred())
	defer r.Stop(t.Context())
	pid := r.cmd.Process.Pid
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	g.Expect(err).NotTo(HaveOccurred())
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	g.Expect(fields[3]).To(Equal(strconv.Itoa(pid)), "session ID, field 6 of proc(5)")
	for _, fd := range []string{"0", "1", "2"} {
		g.Expect(os.Readlink("/proc/" + strconv.Itoa(pid) + "/fd/" + fd)).To(Equal("/dev/null"))
	}
	g.Expect(r.Err()).NotTo(HaveOccurred())
}

func TestStopRemovesAndDismisses(t *testing.T) {
	g := NewWithT(t)
	d := populated(Session{ID: "s1"})
	keep := notOurs(d)
	r, err := start(Session{ID: "s1"}, d.Serve(t), plenty)
	g.Expect(err).NotTo(HaveOccurred())
	left, err := r.Stop(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(left).To(BeEmpty())
	g.Expect(d.IDs()).To(Equal(keep))
	g.Expect(processEnded(r.cmd.Process.Pid)).To(BeTrue())
	asked := len(d.Asked())
	left, err = r.Stop(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(left).To(BeEmpty())
	g.Expect(d.Asked()).To(HaveLen(asked), "a second Stop asks nothing")
}

func TestStopReportsWhatResists(t *testing.T) {
	g := NewWithT(t)
	d := populated(Session{ID: "s1"})
	d.Refuse["networks-mine-2"] = true
	r, err := start(Session{ID: "s1"}, d.Serve(t), quick)
	g.Expect(err).NotTo(HaveOccurred())
	left, err := r.Stop(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(left).To(HaveLen(1))
	g.Expect(left[0].Kind).To(Equal("network"))
	// The second process inherits the task and gives up within its total limit.
	g.Eventually(r.exited).WithTimeout(patience).Should(Receive())
}

func TestStopWithoutADaemonIsBounded(t *testing.T) {
	g := NewWithT(t)
	d := dockertest.New()
	r, err := start(Session{ID: "s1"}, d.Serve(t), quick)
	g.Expect(err).NotTo(HaveOccurred())
	d.Close()
	begin := time.Now()
	_, err = r.Stop(t.Context())
	g.Expect(err).To(HaveOccurred())
	g.Expect(time.Since(begin)).To(BeNumerically("<", patience))
	g.Eventually(r.exited).WithTimeout(patience).Should(Receive())
}

func TestErrTellsOfADeadReaper(t *testing.T) {
	g := NewWithT(t)
	d := dockertest.New()
	r, err := start(Session{ID: "s1"}, d.Serve(t), plenty)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(r.cmd.Process.Kill()).To(Succeed())
	g.Eventually(r.Err).WithTimeout(patience).Should(MatchError(ContainSubstring("before the run")))
	_, err = r.Stop(t.Context())
	g.Expect(err).To(HaveOccurred())
}
