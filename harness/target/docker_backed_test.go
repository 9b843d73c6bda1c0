package target_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	. "github.com/onsi/gomega"

	"qmconformance/harness/agent"
	"qmconformance/harness/image"
	"qmconformance/harness/kit"
	"qmconformance/harness/reaper"
	"qmconformance/harness/subject"
	"qmconformance/harness/target"
)

// gone is how long the container may be there when nobody calls its agent any more:
// the agent's lease, a second until systemd is told, and the half one that it takes.
const gone = agent.Lease + 10*time.Second

// A target that has booted systemd has a PID 1 that knows nothing of us.
func TestInDockerABootedSystemEndsWithItsAgent(t *testing.T) {
	if os.Getenv("QMCONFORMANCE_DOCKER_TESTS") == "" {
		t.Skip("QMCONFORMANCE_DOCKER_TESTS is not set")
	}
	g := NewWithT(t)
	ctx := t.Context()
	docker, err := image.Connect(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { docker.Close() })
	session, err := reaper.NewSession()
	g.Expect(err).NotTo(HaveOccurred())
	duty, err := reaper.Start(session, docker)
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() {
		left, err := duty.Stop(context.Background())
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(left).To(BeEmpty())
	})
	dir, err := os.Getwd()
	g.Expect(err).NotTo(HaveOccurred())
	k, err := kit.Open(dir)
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(k.Close)
	set, err := k.Programs(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	store := image.NewStore(docker, session, nil, nil)
	on, err := store.Base(ctx, "bookworm")
	g.Expect(err).NotTo(HaveOccurred())
	on, err = store.WithSystemd(ctx, on)
	g.Expect(err).NotTo(HaveOccurred())
	on, err = store.Harness(ctx, on, map[string]image.File{"agent": {Content: set["agent"], Mode: 0o755}})
	g.Expect(err).NotTo(HaveOccurred())
	fleet, err := target.NewFleet(ctx, docker, session)
	g.Expect(err).NotTo(HaveOccurred())

	for name, end := range map[string]func(*target.Target) error{
		"nobody calls": func(t *target.Target) error { return t.Close() },
		"it is killed": func(t *target.Target) error { _, err := t.Command(ctx, "/bin/sh", "-c", "kill -9 $PPID"); return err },
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			booted, err := fleet.Boot(ctx, on.ID, subject.Overlay{}, "")
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(booted.Startup.System.State).To(Equal("running"))
			first, err := booted.Command(ctx, "cat", "/proc/1/comm", "/proc/1/environ")
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(first.Output).To(HavePrefix("systemd\n"))
			g.Expect(first.Output).NotTo(ContainSubstring(agent.TokenEnv))
			_ = end(booted)
			g.Eventually(func() bool {
				_, err := docker.ContainerInspect(ctx, booted.ID, client.ContainerInspectOptions{})
				return errdefs.IsNotFound(err)
			}, gone, 200*time.Millisecond).Should(BeTrue(), "the container is still there")
		})
	}
}
