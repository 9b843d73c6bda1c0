package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"qmconformance/docker"
	"qmconformance/harness/reaper"
	"qmconformance/harness/reaper/dockertest"
)

func TestHashOfKeepsPartsApart(t *testing.T) {
	g := NewWithT(t)
	g.Expect(hashOf("ab", "c")).NotTo(Equal(hashOf("a", "bc")))
	g.Expect(hashOf("a", "")).NotTo(Equal(hashOf("a")))
	g.Expect(hashOf("a", "b")).To(Equal(hashOf("a", "b")))
}

func TestBaseRefs(t *testing.T) {
	g := NewWithT(t)
	bookworm, hash := baseRef("bookworm")
	trixie, other := baseRef("trixie")
	g.Expect(bookworm).To(MatchRegexp(`^qmconformance/base:bookworm-[0-9a-f]{8}$`))
	g.Expect(trixie).To(HavePrefix("qmconformance/base:trixie-"))
	g.Expect(hash).NotTo(Equal(other))
}

func TestSuperfluous(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	at := func(ids ...string) (uses []use) {
		for n, id := range ids {
			uses = append(uses, use{id, now.Add(-time.Duration(n+2) * time.Hour)})
		}
		return uses
	}
	for name, c := range map[string]struct {
		images []use
		want   []string
	}{
		"none":                {nil, nil},
		"as many as kept":     {at("a", "b"), nil},
		"the oldest go":       {at("a", "b", "c", "d"), []string{"c", "d"}},
		"order of the list":   {[]use{{"old", now.Add(-9 * time.Hour)}, {"x", now.Add(-2 * time.Hour)}, {"y", now.Add(-3 * time.Hour)}}, []string{"old"}},
		"fresh ones all stay": {[]use{{"a", now}, {"b", now}, {"c", now.Add(-time.Minute)}, {"d", now.Add(-2 * time.Hour)}}, []string{"d"}},
	} {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(superfluous(c.images, 2, time.Hour, now)).To(Equal(c.want))
		})
	}
}

func TestClassify(t *testing.T) {
	dial := &net.OpError{Op: "dial", Err: fs.ErrPermission}
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"disk":       {errors.New("Error response from daemon: write /x: no space left on device"), "no disk space left"},
		"time":       {fmt.Errorf("Post: %w", context.DeadlineExceeded), "did not build it within 5s"},
		"permission": {fmt.Errorf("dial: %w", dial), "add this user to the group docker"},
		"other":      {errors.New("two\nlines"), "Docker could not build it: two lines"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			err := classify(c.err, "build it", 5*time.Second)
			g.Expect(err).To(BeAssignableToTypeOf(&EnvironmentError{}))
			g.Expect(err).To(MatchError(ContainSubstring(c.want)))
			g.Expect(err.Error()).NotTo(ContainSubstring("\n"))
		})
	}
	g := NewWithT(t)
	g.Expect(classify(nil, "", 0)).To(Succeed())
	g.Expect(classify(context.Canceled, "x", 0)).To(Equal(context.Canceled), "an interrupt is no error of the environment")
	mistake := usage(nil, "do this")
	g.Expect(classify(mistake, "x", 0)).To(Equal(mistake))
}

func TestConnectSaysWhatIsWrong(t *testing.T) {
	t.Run("no daemon", func(t *testing.T) {
		g := NewWithT(t)
		t.Setenv("DOCKER_HOST", "unix://"+filepath.Join(t.TempDir(), "none.sock"))
		_, err := Connect(t.Context())
		g.Expect(err).To(BeAssignableToTypeOf(&EnvironmentError{}))
		g.Expect(err).To(MatchError(ContainSubstring("no Docker daemon answers")))
	})
	t.Run("nonsense", func(t *testing.T) {
		g := NewWithT(t)
		t.Setenv("DOCKER_HOST", "nonsense")
		_, err := Connect(t.Context())
		g.Expect(err).To(BeAssignableToTypeOf(&UsageError{}))
	})
	t.Run("silent daemon", func(t *testing.T) {
		g := NewWithT(t)
		dir, err := os.MkdirTemp("", "s")
		g.Expect(err).NotTo(HaveOccurred())
		t.Cleanup(func() { os.RemoveAll(dir) })
		l, err := net.Listen("unix", dir+"/d.sock")
		g.Expect(err).NotTo(HaveOccurred())
		t.Cleanup(func() { l.Close() })
		t.Setenv("DOCKER_HOST", "unix://"+dir+"/d.sock")
		begin := time.Now()
		_, err = Connect(t.Context())
		g.Expect(err).To(BeAssignableToTypeOf(&EnvironmentError{}))
		g.Expect(err).To(MatchError(ContainSubstring("did not answer within 5s")))
		g.Expect(time.Since(begin)).To(BeNumerically("<", 3*LimitAnswer))
	})
	t.Run("well", func(t *testing.T) {
		g := NewWithT(t)
		d := dockertest.New()
		d.Serve(t)
		t.Setenv("DOCKER_HOST", d.Host())
		docker, err := Connect(t.Context())
		g.Expect(err).NotTo(HaveOccurred())
		docker.Close()
	})
}

func TestXinetdPlaces(t *testing.T) {
	g := NewWithT(t)
	g.Expect(xinetdPlaces(nil)).To(Equal([]string{"/usr/sbin/xinetd"}))
	g.Expect(xinetdPlaces([]string{"A=b", "PATH=/opt/bin:/usr/sbin::rel"})).
		To(Equal([]string{"/usr/sbin/xinetd", "/opt/bin/xinetd"}))
}

func TestBootstrapErrors(t *testing.T) {
	g := NewWithT(t)
	g.Expect(bootstrapError("x", docker.BootstrapUnknownRelease, "line")).To(BeAssignableToTypeOf(&UsageError{}))
	missing := bootstrapError("x", docker.BootstrapMissingTool, "apt-get install y")
	g.Expect(missing).To(BeAssignableToTypeOf(&EnvironmentError{}))
	g.Expect(missing).To(MatchError("apt-get install y"))
	g.Expect(bootstrapError("trixie", 100, "E: no mirror")).To(MatchError(And(ContainSubstring("trixie"), HaveSuffix("E: no mirror"))))
}

// With nothing on the PATH the script fails; the daemon must then not be left
// with an image made of half an archive.
func TestFailingBootstrapLeavesNoImage(t *testing.T) {
	g := NewWithT(t)
	b := newBuilder()
	s := b.store(t)
	t.Setenv("PATH", t.TempDir())
	ref, hash := baseRef("bookworm")
	err := s.fromPackages(t.Context(), "bookworm", ref, hash)
	g.Expect(err).To(BeAssignableToTypeOf(&EnvironmentError{}))
	g.Expect(err).To(MatchError(ContainSubstring("apt-get install mmdebstrap")))
	for _, asked := range b.Asked() {
		g.Expect(asked).NotTo(ContainSubstring("/tag"))
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	g := NewWithT(t)
	var said tail
	for range 3000 {
		fmt.Fprintln(&said, "chatter")
	}
	fmt.Fprint(&said, "last\n\n")
	g.Expect(said.lastLine()).To(Equal("last"))
	g.Expect(len(said.kept)).To(BeNumerically("<=", tailSize))
}

func TestLock(t *testing.T) {
	g := NewWithT(t)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	unlock, err := lock(t.Context(), "a/b:c", time.Second)
	g.Expect(err).NotTo(HaveOccurred())

	begin := time.Now()
	again, err := lock(t.Context(), "a/b:c", 3*lockPoll)
	g.Expect(err).NotTo(HaveOccurred(), "after the limit both go on")
	g.Expect(time.Since(begin)).To(BeNumerically(">=", 3*lockPoll))
	again()

	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = lock(cancelled, "a/b:c", time.Minute)
	g.Expect(err).To(MatchError(context.Canceled))

	other, err := lock(t.Context(), "a/b:d", time.Second)
	g.Expect(err).NotTo(HaveOccurred())
	other()
	unlock()
	unlock, err = lock(t.Context(), "a/b:c", time.Second)
	g.Expect(err).NotTo(HaveOccurred())
	unlock()
}

func TestCleanSparesForeignImagesAndLiveRuns(t *testing.T) {
	g := NewWithT(t)
	live, err := reaper.NewSession()
	g.Expect(err).NotTo(HaveOccurred())
	dead := live
	dead.Owner.StartTime++
	d := dockertest.New()
	d.IgnoreFilters = true
	d.Add(dockertest.Images, "cached", labelsOf(KindBase, "h"))
	d.Add(dockertest.Images, "live", live.Labels())
	d.Add(dockertest.Images, "dead", dead.Labels())
	d.Add(dockertest.Images, "foreign", map[string]string{"a": "b"})
	d.Add(dockertest.Images, "busy", labelsOf(KindTree, "h"))
	d.Refuse["busy"] = true
	// Whoever builds on our base inherits our label.
	d.Add(dockertest.Images, "built on ours", labelsOf(KindBase, "h"))
	d.Names["built on ours"] = []string{"product:1.0"}
	d.Names["cached"] = []string{"<none>:<none>"}
	removed, stay, err := NewStore(d.Serve(t), live, nil, nil).Clean(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(removed).To(Equal(2))
	g.Expect(stay).To(ConsistOf(ContainSubstring("alive"), ContainSubstring("in use")))
	g.Expect(d.IDs()).To(ConsistOf("busy", "foreign", "live", "built on ours"))
}

func TestWhatAPackageManagerIsWithout(t *testing.T) {
	g := NewWithT(t)
	build := func(err error) error { return classify(err, "build x", LimitBuild) }
	g.Expect(Unpackaged(build(errors.New("The command '/bin/sh -c apt-get update' returned a non-zero code: 100")))).To(BeTrue())
	g.Expect(Unpackaged(build(context.DeadlineExceeded))).To(BeTrue(), "a mirror that is not reached")
	g.Expect(Unpackaged(build(errors.New("write /x: no space left on device")))).To(BeFalse())
	g.Expect(Unpackaged(build(errors.New("devmapper: Thin Pool has no free blocks")))).To(BeFalse())
	g.Expect(Unpackaged(build(context.Canceled))).To(BeFalse())
}
