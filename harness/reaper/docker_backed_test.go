package reaper

import (
	"archive/tar"
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	. "github.com/onsi/gomega"
)

// realRunVariable makes the test binary a run against the real daemon: it creates one
// object of each kind, says so with its labels, and waits to be killed.
const realRunVariable = "REAPER_TEST_REAL_RUN"

func realRun() error {
	docker, err := client.New(client.FromEnv)
	if err != nil {
		return err
	}
	session, err := NewSession()
	if err != nil {
		return err
	}
	if _, err := Start(session, docker); err != nil {
		return err
	}
	ctx, cancel := timeout()
	defer cancel()
	var empty bytes.Buffer
	if err := tar.NewWriter(&empty).Close(); err != nil {
		return err
	}
	changes := []string{`CMD ["/x"]`}
	for name, value := range session.Labels() {
		changes = append(changes, "LABEL "+name+"="+value)
	}
	imported, err := docker.ImageImport(ctx, client.ImageImportSource{Source: &empty, SourceName: "-"}, "", client.ImageImportOptions{Changes: changes})
	if err != nil {
		return err
	}
	var line struct{ Status string }
	if err := json.NewDecoder(imported).Decode(&line); err != nil {
		return err
	}
	imported.Close()
	if _, err := docker.NetworkCreate(ctx, "reaper-test-"+session.ID, client.NetworkCreateOptions{Labels: session.Labels()}); err != nil {
		return err
	}
	_, err = docker.ContainerCreate(ctx, client.ContainerCreateOptions{
		Config: &container.Config{Image: line.Status, Labels: session.Labels()},
	})
	if err != nil {
		return err
	}
	os.Stdout.WriteString(session.ID + "\n")
	os.Stdin.Read(make([]byte, 1))
	return nil
}

func TestInDockerAKilledRunLeavesNothing(t *testing.T) {
	if os.Getenv("QMCONFORMANCE_DOCKER_TESTS") == "" {
		t.Skip("QMCONFORMANCE_DOCKER_TESTS is not set")
	}
	g := NewWithT(t)
	docker, err := client.New(client.FromEnv)
	g.Expect(err).NotTo(HaveOccurred())
	defer docker.Close()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), realRunVariable+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	g.Expect(err).NotTo(HaveOccurred())
	defer in.Close()
	out, err := cmd.StdoutPipe()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(cmd.Start()).To(Succeed())
	watchdog := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer watchdog.Stop()
	id, err := bufio.NewReader(out).ReadString('\n')
	g.Expect(err).NotTo(HaveOccurred())
	id = id[:len(id)-1]

	r := remover{docker, defaultLimits}
	count := func() (n int) {
		for _, kind := range kinds {
			objects, err := r.list(t.Context(), kind, LabelSession, id)
			g.Expect(err).NotTo(HaveOccurred())
			n += len(objects)
		}
		return n
	}
	g.Expect(count()).To(Equal(3))
	_, _, err = Sweep(t.Context(), docker)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(count()).To(Equal(3), "the run is alive")

	g.Expect(cmd.Process.Kill()).To(Succeed())
	begin := time.Now()
	_ = cmd.Wait()
	g.Eventually(count).WithTimeout(patience).WithPolling(50 * time.Millisecond).Should(BeZero())
	t.Logf("TIME removed %d ms after the kill", time.Since(begin).Milliseconds())
}
