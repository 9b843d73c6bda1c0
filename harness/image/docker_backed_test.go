package image

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	. "github.com/onsi/gomega"

	"qmconformance/harness/reaper"
)

// These tests need a daemon, and the first one minutes; they run where
// QMCONFORMANCE_DOCKER_TESTS is set.
func daemonStore(t *testing.T) *Store {
	t.Helper()
	if os.Getenv("QMCONFORMANCE_DOCKER_TESTS") == "" {
		t.Skip("QMCONFORMANCE_DOCKER_TESTS is not set")
	}
	docker, err := Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	session, err := reaper.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	duty, err := reaper.Start(session, docker)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if left, err := duty.Stop(context.Background()); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
		docker.Close()
	})
	return NewStore(docker, session, testLog{t}, nil)
}

type testLog struct{ t *testing.T }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// timed logs how long a step took: the source of the numbers in limits.go.
func timed[T any](t *testing.T, what string, step func() (T, error)) T {
	t.Helper()
	begin := time.Now()
	result, err := step()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	t.Logf("TIME %-40s %6d ms", what, time.Since(begin).Milliseconds())
	return result
}

func TestInDockerTheWholeWayFromBaseToSnapshot(t *testing.T) {
	s := daemonStore(t)
	g := NewWithT(t)
	ctx := t.Context()
	release := os.Getenv("QMCONFORMANCE_DOCKER_TESTS_BASE")
	if release == "" {
		release = "bookworm"
	}
	files := map[string]File{
		"agent":          {[]byte("#!/bin/sh\nexec sleep 300\n"), 0o755},
		"probe":          {[]byte("#!/bin/sh\n"), 0o755},
		"standin/bin/qm": {[]byte("#!/bin/sh\n"), 0o755},
	}
	base := timed(t, "base", func() (Image, error) { return s.Base(ctx, release) })
	again := timed(t, "base, cached", func() (Image, error) { return s.Base(ctx, release) })
	g.Expect(again.ID).To(Equal(base.ID))
	g.Expect(again.Cached).To(BeTrue())

	harness := timed(t, "harness", func() (Image, error) { return s.Harness(ctx, base, files) })
	timed(t, "harness, cached", func() (Image, error) { return s.Harness(ctx, base, files) })

	dir := os.Getenv("QMCONFORMANCE_DOCKER_TESTS_TREE")
	if dir == "" {
		dir = sampleTree(t)
	}
	treed := timed(t, "tree", func() (Image, error) { return s.WithTree(ctx, harness, dir) })
	timed(t, "tree, cached", func() (Image, error) { return s.WithTree(ctx, harness, dir) })

	up := func(i Image) string {
		created, err := s.docker.ContainerCreate(ctx, client.ContainerCreateOptions{
			Config: &container.Config{Image: i.ID, Labels: s.session.Labels()},
		})
		g.Expect(err).NotTo(HaveOccurred())
		_, err = s.docker.ContainerStart(ctx, created.ID, client.ContainerStartOptions{})
		g.Expect(err).NotTo(HaveOccurred())
		return created.ID
	}
	run := func(id string, args ...string) {
		exec, err := s.docker.ExecCreate(ctx, id, client.ExecCreateOptions{Cmd: args, AttachStdout: true, AttachStderr: true})
		g.Expect(err).NotTo(HaveOccurred())
		stream, err := s.docker.ExecAttach(ctx, exec.ID, client.ExecAttachOptions{})
		g.Expect(err).NotTo(HaveOccurred())
		defer stream.Close()
		said := new(strings.Builder)
		_, _ = stream.Reader.WriteTo(said)
		ended, err := s.docker.ExecInspect(ctx, exec.ID, client.ExecInspectOptions{})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(ended.ExitCode).To(BeZero(), said.String())
	}
	first := timed(t, "container from tree", func() (string, error) { return up(treed), nil })
	run(first, "/bin/sh", "-c", `set -e
test "$(stat -c %U:%G /usr/qmsys /usr/qmsys/bin/qm | sort -u)" = root:root
test -x /.conformance/agent; test -x /.conformance/standin/bin/qm
test "$(stat -c %U:%G:%a /.conformance /.conformance/agent | sort -u)" = root:root:755
test -s /etc/scarlet.conf
test -x /usr/sbin/xinetd
test "$(dpkg-query -W -f '${Status}' xinetd)" = "install ok installed"`)
	timed(t, "chown -R", func() (int, error) { run(first, "chown", "-R", "nobody:", "/usr/qmsys"); return 0, nil })
	snapshot := timed(t, "snapshot", func() (Image, error) { return s.Snapshot(ctx, first) })
	second := timed(t, "container from snapshot", func() (string, error) { return up(snapshot), nil })
	run(second, "/bin/sh", "-c", `test "$(stat -c %U /usr/qmsys/bin/qm)" = nobody`)

	_, err := s.WithTree(ctx, treed, dir)
	g.Expect(err).To(BeAssignableToTypeOf(&UsageError{}), "two trees in one image")
	_, err = s.Base(ctx, "no-such-image:here")
	g.Expect(err).To(BeAssignableToTypeOf(&UsageError{}))
	g.Expect(err).To(MatchError(ContainSubstring("bookworm, trixie")))
	timed(t, "look for xinetd in a foreign image", func() (Image, error) { return s.Base(ctx, harness.Ref) })
	g.Expect(s.RemoveImage(ctx, harness)).To(MatchError(ContainSubstring("not removed")))
}

func TestInDockerAnImageWithoutXinetdIsAUsageError(t *testing.T) {
	s := daemonStore(t)
	g := NewWithT(t)
	r := recipe{
		kind: KindSnapshot, ref: "qmconformance/empty:" + s.session.ID, hash: "empty", base: "scratch",
		labels:     s.session.Labels(),
		dockerfile: []byte("ARG BASE\nFROM ${BASE}\nCOPY Dockerfile /x\n"),
	}
	g.Expect(s.build(t.Context(), r)).To(Succeed())
	_, err := s.Base(t.Context(), r.ref)
	g.Expect(err).To(BeAssignableToTypeOf(&UsageError{}))
	g.Expect(err).To(MatchError(ContainSubstring("install the package xinetd")))

	// One that was built on a base of ours, and lost it: the label is inherited.
	r.ref = "product:" + s.session.ID
	r.labels = maps.Clone(r.labels)
	maps.Copy(r.labels, labelsOf(KindBase, "h"))
	g.Expect(s.build(t.Context(), r)).To(Succeed())
	_, err = s.Base(t.Context(), r.ref)
	g.Expect(err).To(MatchError(ContainSubstring("install the package xinetd")))
}

// sampleTree is a small tree with everything that has to survive the copy.
func sampleTree(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, dir := range []string{"bin", "$IPC", "gcat"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o775); err != nil {
			t.Fatal(err)
		}
	}
	for name, mode := range map[string]os.FileMode{"bin/qm": 0o755, "gcat/$LOGIN": 0o664, "errlog": 0o600} {
		path := filepath.Join(root, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n# "+name+"\n"), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("qm", filepath.Join(root, "bin/qmlink")); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(filepath.Join(root, "gcat/$LOGIN"), filepath.Join(root, "gcat/hard")); err != nil {
		t.Fatal(err)
	}
	return root
}
