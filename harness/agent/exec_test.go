package agent

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

func shell(script string, args ...string) RunRequest {
	return RunRequest{Argv: append([]string{"/bin/sh", "-c", script, "sh"}, args...), Limit: soon}
}

func TestHowACommandEnded(t *testing.T) {
	c, _ := connected(t)
	for name, k := range map[string]struct {
		req  RunRequest
		want RunResult
		ok   bool
	}{
		"well":                    {shell("echo out; echo err >&2"), RunResult{Output: "out\nerr\n"}, true},
		"with a status":           {shell("echo no; exit 7"), RunResult{Exit: 7, Output: "no\n"}, false},
		"by a signal":             {shell("kill -TERM $$"), RunResult{Exit: -1, Signal: "terminated"}, false},
		"not started":             {RunRequest{Argv: []string{"/nowhere/at/all"}}, RunResult{Exit: -1, StartError: "fork/exec /nowhere/at/all: no such file or directory"}, false},
		"without a command":       {RunRequest{}, RunResult{Exit: -1, StartError: "no command given"}, false},
		"input is empty":          {shell("read line || echo nothing"), RunResult{Output: "nothing\n"}, true},
		"in the root":             {shell("pwd"), RunResult{Output: "/\n"}, true},
		"in a directory":          {RunRequest{Argv: []string{"pwd"}, Dir: "/usr"}, RunResult{Output: "/usr\n"}, true},
		"in a plain environment":  {shell(`echo "$HOME$USER$GOFLAGS$LANG" $PWD`), RunResult{Output: " /\n"}, true},
		"with an environment":     {RunRequest{Argv: []string{"/bin/sh", "-c", "echo $X"}, Env: []string{"X=y"}}, RunResult{Output: "y\n"}, true},
		"leader of its own group": {shell("test $(cut -d' ' -f5 /proc/$$/stat) = $$ && echo yes"), RunResult{Output: "yes\n"}, true},
		"both channels, in order": {shell("for i in 1 2 3; do echo $i; echo $i >&2; done"), RunResult{Output: "1\n1\n2\n2\n3\n3\n"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			got, err := c.Run(limited(t), k.req)
			g.Expect(err).NotTo(HaveOccurred())
			got.Duration = 0
			g.Expect(got).To(Equal(k.want))
			g.Expect(got.OK()).To(Equal(k.ok))
		})
	}
}

func TestACommandAsAnotherUser(t *testing.T) {
	asRoot(t)
	g := NewWithT(t)
	c, _ := connected(t)
	req := shell("id -u; id -g")
	req.UID, req.GID = 1234, 1235
	got, err := c.Run(limited(t), req)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(got.Output).To(Equal("1234\n1235\n"))
}

func TestALimitEndsTheWholeGroup(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	// A grandchild that ignores what a shell would pass on.
	req := shell(`( trap '' TERM HUP INT; echo $$ >/dev/null; sh -c 'echo $$ > "$1/grandchild"; exec sleep 600' sh "$1" ) & echo $! > "$1/child"; wait`, dir)
	// Room for two shells to start and write, on a busy machine.
	req.Limit = 2 * time.Second
	began := time.Now()
	got := run(req)
	g.Expect(got.TimedOut).To(BeTrue())
	g.Expect(got.OK()).To(BeFalse())
	g.Expect(got.Signal).To(Equal("killed"))
	g.Expect(time.Since(began)).To(BeNumerically("<", soon/2))
	for _, name := range []string{"child", "grandchild"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		g.Expect(err).NotTo(HaveOccurred())
		pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
		g.Expect(err).NotTo(HaveOccurred())
		// Dead, though perhaps not yet reaped by whoever inherits it.
		g.Eventually(func() bool { return alive(pid) }, soon).Should(BeFalse(), name)
	}
}

func alive(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return !strings.HasPrefix(rest, "Z")
}

func TestAFloodIsCutAndCostsNothing(t *testing.T) {
	g := NewWithT(t)
	req := shell("head -c 20000000 /dev/zero | tr '\\0' x; echo end")
	got := run(req)
	g.Expect(got.OK()).To(BeTrue(), "it was read to its end")
	g.Expect(got.Output).To(HaveLen(OutputCap))
	g.Expect(strings.Trim(got.Output, "x")).To(BeEmpty())
	req = shell("yes")
	req.Limit = time.Second // in which yes writes a thousand times the cap, if it runs alone
	got = run(req)
	g.Expect(got.TimedOut).To(BeTrue())
	g.Expect(got.Output).To(HaveLen(OutputCap))
}

func TestADaemonThatKeepsThePipeDelaysNobody(t *testing.T) {
	for name, script := range map[string]string{
		"it is silent": "echo before; sleep 600 & echo $! >&2; echo $! > $1; echo after",
		"it floods":    "echo before; yes & echo $! > $1; sleep 0.1; echo after",
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			file := filepath.Join(t.TempDir(), "pid")
			began := time.Now()
			got := run(shell(script, file))
			took := time.Since(began)
			b, err := os.ReadFile(file)
			g.Expect(err).NotTo(HaveOccurred())
			pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
			g.Expect(err).NotTo(HaveOccurred())
			defer func() { _ = syscall.Kill(pid, syscall.SIGKILL) }()
			g.Expect(took).To(BeNumerically("<", soon/2))
			g.Expect(got.OK()).To(BeTrue())
			g.Expect(got.Output).To(HavePrefix("before\n"))
			if name == "it is silent" {
				g.Expect(got.Output).To(HaveSuffix("after\n"))
			}
			g.Expect(alive(pid)).To(BeTrue(), "a daemon outlives the command that started it")
		})
	}
}

// All that a command wrote is there, however late its reader gets to it.
func TestNothingOfTheLastWordsIsLost(t *testing.T) {
	g := NewWithT(t)
	for range 50 {
		got := run(shell("sleep 600 & echo $!; head -c 60000 /dev/zero | tr '\\0' x; echo; echo end"))
		first, _, _ := strings.Cut(got.Output, "\n")
		pid, err := strconv.Atoi(first)
		g.Expect(err).NotTo(HaveOccurred())
		_ = syscall.Kill(pid, syscall.SIGKILL)
		g.Expect(len(got.Output)).To(Equal(len(first) + 1 + 60000 + 1 + 4))
		g.Expect(got.Output).To(HaveSuffix("end\n"))
	}
}

// Why a super-server gave up is often the last thing that it wrote: a verdict
// without it names no cause.
func TestADaemonThatHasEndedIsToldWithAllThatItSaid(t *testing.T) {
	g := NewWithT(t)
	for range 50 {
		d, err := startDaemon([]string{"/bin/sh", "-c", "head -c 10000 /dev/zero; echo this is why; exit 3"})
		g.Expect(err).NotTo(HaveOccurred())
		g.Eventually(func() bool { return d.status().Running }, soon, time.Microsecond).Should(BeFalse())
		g.Expect(d.status().Output).To(HaveLen(10000 + len("this is why\n")))
	}
}
