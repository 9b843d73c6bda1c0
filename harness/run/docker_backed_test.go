package run_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"
	. "github.com/onsi/gomega"

	"qmconformance/harness/reaper"
	"qmconformance/harness/report"
	"qmconformance/harness/verdict"
)

const (
	// underWay is what the run takes to its first target, with images to be built.
	underWay = 3 * time.Minute
	// soonOver is what an interrupted run takes to its end, on a busy machine.
	soonOver = 60 * time.Second
	// swept is what the second process takes to remove what a killed run left: it looks
	// until nothing has been seen for 15 s.
	swept = 90 * time.Second
)

func needsDocker(t *testing.T) {
	t.Helper()
	if os.Getenv("QMCONFORMANCE_DOCKER_TESTS") == "" {
		t.Skip("QMCONFORMANCE_DOCKER_TESTS is not set")
	}
}

// left is what a run has in Docker, by the process that its labels name, and which of
// its processes are there.
func left(t *testing.T, p *process) []string {
	t.Helper()
	docker, err := client.New(client.FromEnv)
	if err != nil {
		t.Fatal(err)
	}
	defer docker.Close()
	ctx, cancel := context.WithTimeout(t.Context(), soonOver)
	defer cancel()
	var list []string
	add := func(kind, id string, labels map[string]string) {
		if strings.Contains(labels[reaper.LabelOwner], fmt.Sprintf(":%d:", p.Process.Pid)) {
			list = append(list, kind+" "+id)
		}
	}
	filters := client.Filters{}.Add("label", reaper.LabelOwner)
	containers, err := docker.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filters})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range containers.Items {
		add("container", c.ID, c.Labels)
	}
	networks, err := docker.NetworkList(ctx, client.NetworkListOptions{Filters: filters})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range networks.Items {
		add("network", n.ID, n.Labels)
	}
	images, err := docker.ImageList(ctx, client.ImageListOptions{Filters: filters})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range images.Items {
		add("image", i.ID, i.Labels)
	}
	return append(list, processesOf(t, p)...)
}

// processesOf are those that run from the same program: the run, and its reaper.
func processesOf(t *testing.T, p *process) (list []string) {
	t.Helper()
	exes, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	for _, exe := range exes {
		pid := filepath.Base(filepath.Dir(exe))
		// Its own copy of the program, so that a run beside this one does not count.
		if target, err := os.Readlink(exe); err == nil && target == p.Path {
			list = append(list, "process "+pid)
		}
	}
	return list
}

// nothingPublished looks at the containers of a run: a port that Docker's proxy
// accepts for says nothing of the server behind it, and hides the client's address.
func nothingPublished(t *testing.T, p *process) error {
	docker, err := client.New(client.FromEnv)
	if err != nil {
		return err
	}
	defer docker.Close()
	list, err := docker.ContainerList(t.Context(), client.ContainerListOptions{Filters: client.Filters{}.Add("label", reaper.LabelOwner)})
	if err != nil {
		return err
	}
	seen := 0
	for _, c := range list.Items {
		if !strings.Contains(c.Labels[reaper.LabelOwner], fmt.Sprintf(":%d:", p.Process.Pid)) {
			continue
		}
		seen++
		for _, port := range c.Ports {
			if port.PublicPort != 0 {
				return fmt.Errorf("port %d of %s is published", port.PrivatePort, c.ID)
			}
		}
	}
	if seen == 0 {
		return errors.New("the run has no container")
	}
	return nil
}

// own copies a program, so that its processes can be told from those of other runs.
func own(t *testing.T, program func() (string, error)) func() (string, error) {
	return func() (string, error) {
		path, err := program()
		if err != nil {
			return "", err
		}
		mine := filepath.Join(t.TempDir(), "conformance.test")
		return mine, exec.Command("cp", path, mine).Run()
	}
}

// Each way in which a run may die: the outcome, the exit code, and nothing left behind.
func TestInDockerEveryDeathLeavesNothing(t *testing.T) {
	needsDocker(t)
	sends := func(s syscall.Signal) func(*process) error {
		return func(p *process) error { return p.Process.Signal(s) }
	}
	harness := verdict.HarnessError.ExitCode()
	for _, c := range []struct {
		name    string
		program func() (string, error)
		env     map[string]string
		args    []string
		// once is what the run has said when kill is called.
		once string
		kill func(*process) error
		code int
		says string
		// judged says that verdicts must be among the results.
		judged bool
	}{
		{name: "SIGINT", program: binary, once: "is up", kill: func(p *process) error {
			return errors.Join(nothingPublished(t, p), p.Process.Signal(syscall.SIGINT))
		}, code: harness, says: "interrupted"},
		{name: "SIGTERM", program: binary, once: "is up", kill: sends(syscall.SIGTERM), code: harness, says: "interrupted"},
		{name: "SIGTERM while images are made", program: binary, once: "", kill: func(p *process) error {
			// The reaper is there: what is made from now on has somebody to remove it.
			deadline := time.Now().Add(underWay)
			for len(processesOf(t, p)) < 2 && time.Now().Before(deadline) {
				time.Sleep(5 * time.Millisecond)
			}
			return p.Process.Signal(syscall.SIGTERM)
		}, code: harness, says: "interrupted, before anything was judged"},
		{name: "SIGKILL", program: binary, once: "is up", kill: sends(syscall.SIGKILL), code: -1, says: report.Unended},
		{name: "-timeout of go test", program: binary, args: []string{"-test.timeout=4s"}, code: harness, says: "within its -timeout of 4s"},
		{name: "-timeout of ginkgo", program: binary, args: []string{"-ginkgo.timeout=4s"}, code: harness, says: "within its -timeout of 4s"},
		{name: "a panic in a spec", program: spoiled, env: map[string]string{"FOCUS": "SERV-01|panics in a spec"}, code: harness, judged: true},
		{name: "a panic beside the specs", program: spoiled, env: map[string]string{"FOCUS": "STDIO-01 qmserver|panics beside"}, code: 2, says: report.Unended},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := NewWithT(t)
			env := map[string]string{"PROFILE": "quick"}
			for name, value := range c.env {
				env[name] = value
			}
			p := begin(t, own(t, c.program), env, c.args...)
			if c.kill != nil {
				g.Eventually(p.stderr.has(c.once)).WithTimeout(underWay).WithPolling(5 * time.Millisecond).Should(BeTrue())
				g.Expect(c.kill(p)).To(Succeed())
			}
			g.Expect(p.end(t, underWay)).To(Equal(c.code))
			r, ok := p.read(t)
			g.Expect(ok).To(BeTrue(), "results.json is missing")
			g.Expect(r.Outcome).To(Equal(verdict.HarnessError))
			g.Expect(r.Message).To(ContainSubstring(c.says))
			g.Expect(len(r.Verdicts) > 0).To(Or(BeTrue(), Equal(c.judged)))
			if c.code != harness {
				g.Eventually(func() []string { return left(t, p) }).WithTimeout(swept).WithPolling(100 * time.Millisecond).Should(BeEmpty())
			}
			g.Expect(left(t, p)).To(BeEmpty(), "left behind")
		})
	}
}

// A run whose disk fills up in its midst: nothing is good then, and the terminal says so.
func TestInDockerADiskThatFillsUp(t *testing.T) {
	needsDocker(t)
	g := NewWithT(t)
	path, err := binary()
	g.Expect(err).NotTo(HaveOccurred())
	results := t.TempDir()
	script := `mount -t tmpfs -o size=64k none "$RESULTS" && exec "$0"`
	unshare := []string{"unshare", "--mount"}
	if os.Getuid() != 0 {
		unshare = append(unshare, "--map-root-user")
	}
	p := begin(t, func() (string, error) { return exec.LookPath(unshare[0]) }, map[string]string{
		"RESULTS": results, "PROFILE": "quick", "FOCUS": "SERV-0|STDIO-01",
	}, append(unshare[1:], "sh", "-c", script, path)...)
	g.Eventually(p.stderr.has("is up")).WithTimeout(underWay).Should(BeTrue())
	// The namespace is the run's: what fills its disk must go by its root.
	fills := filepath.Join("/proc", fmt.Sprint(p.Process.Pid), "root", results, "other")
	_ = os.WriteFile(fills, make([]byte, 64<<10), 0o600) // up to the last block
	g.Expect(p.end(t, underWay)).To(Equal(verdict.HarnessError.ExitCode()))
	said := strings.Join(strings.Fields(p.stdout.String()), " ")
	g.Expect(said).To(ContainSubstring("no space left on device"))
	g.Expect(left(t, p)).To(BeEmpty(), "left behind")
}

// Specs in any order give the same verdicts.
func TestInDockerTheOrderOfSpecsChangesNothing(t *testing.T) {
	needsDocker(t)
	g := NewWithT(t)
	verdicts := func(args ...string) []string {
		p := begin(t, binary, map[string]string{"PROFILE": "quick", "FOCUS": "SERV-|IDENT-1|STDIO-0"}, args...)
		g.Expect(p.end(t, underWay)).To(BeZero())
		r, ok := p.read(t)
		g.Expect(ok).To(BeTrue())
		var list []string
		for _, v := range r.Verdicts {
			list = append(list, fmt.Sprintf("%s %s %s %s", v.ID, v.Service, v.Kind, v.BecauseOf))
		}
		return slices.Sorted(slices.Values(list))
	}
	one := verdicts("-ginkgo.seed=1", "-ginkgo.randomize-all")
	g.Expect(len(one)).To(BeNumerically(">", 20))
	g.Expect(verdicts("-ginkgo.seed=2", "-ginkgo.randomize-all")).To(Equal(one))
}
