package image

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"qmconformance/harness/reaper"
	"qmconformance/harness/reaper/dockertest"
)

// builder is the image half of a daemon: it keeps what it builds.
type builder struct {
	*dockertest.Daemon
	mu       sync.Mutex
	labels   map[string]map[string]string // by tag
	contexts []map[string]string          // of each build: name, content
	says     string                       // instead of success
}

func newBuilder() *builder {
	b := &builder{Daemon: dockertest.New(), labels: map[string]map[string]string{}}
	b.Extra["GET /images/.+/json"] = b.inspect
	b.Extra["POST /images/.+/tag"] = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) }
	b.Extra["POST /build"] = b.build
	return b
}

func (b *builder) inspect(w http.ResponseWriter, req *http.Request) {
	name := strings.TrimSuffix(req.URL.Path[strings.Index(req.URL.Path, "/images/")+8:], "/json")
	b.mu.Lock()
	defer b.mu.Unlock()
	labels, has := b.labels[name]
	if !has {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"message":"No such image"}`)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"Id": "sha256:" + hashOf(name), "Config": map[string]any{"Labels": labels}})
}

func (b *builder) build(w http.ResponseWriter, req *http.Request) {
	content := map[string]string{}
	for r := tar.NewReader(req.Body); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, `{"message":"bad context"}`)
			return
		}
		text, _ := io.ReadAll(r)
		content[h.Name] = string(text)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.contexts = append(b.contexts, content)
	if b.says != "" {
		_, _ = io.WriteString(w, b.says)
		return
	}
	labels := map[string]string{}
	for line := range strings.Lines(content["Dockerfile"]) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "LABEL "); ok {
			for _, pair := range strings.Fields(rest) {
				k, v, _ := strings.Cut(strings.ReplaceAll(pair, `"`, ""), "=")
				labels[k] = v
			}
		}
	}
	b.labels[req.URL.Query().Get("t")] = labels
	_, _ = io.WriteString(w, `{"stream":"done\n"}`)
}

func (b *builder) store(t *testing.T) *Store {
	// Locks go to a place of the test's own.
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	return NewStore(b.Serve(t), reaper.Session{ID: "s1"}, nil, nil)
}

func programs(agent string) map[string]File {
	return map[string]File{"agent": {[]byte(agent), 0o755}, "standin/bin/qm": {[]byte("qm"), 0o755}}
}

func TestHarnessIsBuiltOnceForTheSameContent(t *testing.T) {
	g := NewWithT(t)
	b := newBuilder()
	s := b.store(t)
	base := Image{ID: "sha256:base"}

	first, err := s.Harness(t.Context(), base, programs("one"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(first.Cached).To(BeFalse())
	g.Expect(first.Ref).To(MatchRegexp(`^qmconformance/target:[0-9a-f]{12}$`))
	again, err := s.Harness(t.Context(), base, programs("one"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(again.Cached).To(BeTrue())
	g.Expect(b.contexts).To(HaveLen(1))

	for _, other := range []func() (Image, error){
		func() (Image, error) { return s.Harness(t.Context(), base, programs("two")) },
		func() (Image, error) { return s.Harness(t.Context(), Image{ID: "sha256:other"}, programs("one")) },
		func() (Image, error) {
			f := programs("one")
			f["agent"] = File{[]byte("one"), 0o700}
			return s.Harness(t.Context(), base, f)
		},
	} {
		i, err := other()
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(i.Ref).NotTo(Equal(first.Ref))
	}
	g.Expect(b.contexts).To(HaveLen(4))
	g.Expect(b.contexts[0]).To(HaveKeyWithValue("conformance/standin/bin/qm", "qm"))
	g.Expect(b.contexts[0]).To(And(HaveKey("conformance/"), HaveKey("conformance/standin/"), HaveKey("conformance/standin/bin/")))
	g.Expect(strings.Join(b.Asked(), "\n")).To(ContainSubstring("buildargs=%7B%22BASE%22%3A%22sha256%3Abase%22%7D"))
}

func TestATagWithAnotherHashIsNotTrusted(t *testing.T) {
	g := NewWithT(t)
	b := newBuilder()
	s := b.store(t)
	i, err := s.Harness(t.Context(), Image{ID: "b"}, programs("one"))
	g.Expect(err).NotTo(HaveOccurred())
	b.labels[i.Ref][LabelHash] = "moved"
	i, err = s.Harness(t.Context(), Image{ID: "b"}, programs("one"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(i.Cached).To(BeFalse())
	g.Expect(b.contexts).To(HaveLen(2))
}

func TestConcurrentBuildsOfOneImageBuildItOnce(t *testing.T) {
	g := NewWithT(t)
	b := newBuilder()
	s := b.store(t)
	errs := make(chan error, 4)
	for range 4 {
		go func() {
			_, err := s.Harness(t.Context(), Image{ID: "b"}, programs("one"))
			errs <- err
		}()
	}
	for range 4 {
		g.Expect(<-errs).NotTo(HaveOccurred())
	}
	g.Expect(b.contexts).To(HaveLen(1))
}

func TestAFailingBuildIsAnEnvironmentError(t *testing.T) {
	for says, want := range map[string]string{
		`{"stream":"x"}{"errorDetail":{},"error":"write /a: no space left on device"}`: "no disk space left",
		`{"error":"the command '/bin/sh' returned\na non-zero code: 100"}`:             "Docker could not build qmconformance/target",
		`{"stream":"half a li`: "Docker could not build",
	} {
		g := NewWithT(t)
		b := newBuilder()
		b.says = says
		_, err := b.store(t).Harness(t.Context(), Image{ID: "b"}, programs("one"))
		g.Expect(err).To(BeAssignableToTypeOf(&EnvironmentError{}))
		g.Expect(err).To(MatchError(ContainSubstring(want)))
		g.Expect(err.Error()).NotTo(ContainSubstring("\n"))
	}
}

// Half a context must not become an image: its tag would be a hit for the next run.
func TestAContextThatFailsLeavesNoImage(t *testing.T) {
	g := NewWithT(t)
	b := newBuilder()
	mistake := usage(nil, "two trees")
	_, err := b.store(t).cached(t.Context(), recipe{
		kind: KindTree, ref: "qmconformance/tree:x", hash: "h", dockerfile: []byte("FROM x\n"),
		context: func(*tar.Writer) error { return mistake },
	})
	g.Expect(err).To(Equal(mistake))
	b.Close()
	g.Expect(b.labels).To(BeEmpty())
}

func TestNamesOutsideTheHarnessDirectoryAreRefused(t *testing.T) {
	for _, name := range []string{"../x", "/x", ".", "", "a//b"} {
		b := newBuilder()
		if _, err := b.store(t).Harness(t.Context(), Image{ID: "b"}, map[string]File{name: {}}); err == nil {
			t.Errorf("%q was accepted", name)
		}
	}
}

func TestUnknownBaseIsAUsageErrorWithTheKnownNames(t *testing.T) {
	for _, name := range []string{"wheezy", "no/such:image", "Not A Name", "", "../../containers/x"} {
		g := NewWithT(t)
		b := newBuilder()
		b.Extra["POST /images/create"] = func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, `{"message":"dial tcp: lookup registry: no such host"}`)
		}
		_, err := b.store(t).Base(t.Context(), name)
		g.Expect(err).To(BeAssignableToTypeOf(&UsageError{}), name)
		g.Expect(err).To(MatchError(ContainSubstring("bookworm, trixie, or any image with xinetd")))
	}
}

func TestASilentRegistryIsNoticed(t *testing.T) {
	g := NewWithT(t)
	b := newBuilder()
	b.Extra["POST /images/create"] = func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() }
	s := b.store(t)
	begin := time.Now()
	err := s.pull(t.Context(), "debian:bookworm-slim")
	g.Expect(err).To(MatchError(ContainSubstring("no registry answered")))
	g.Expect(time.Since(begin)).To(BeNumerically("<", 3*LimitRegistry))
}

func TestRemoveImageTouchesTheSessionsOwnOnly(t *testing.T) {
	g := NewWithT(t)
	b := newBuilder()
	b.labels["sha256:mine"] = map[string]string{reaper.LabelOurs: "1", reaper.LabelSession: "s1"}
	b.labels["sha256:theirs"] = map[string]string{reaper.LabelOurs: "1", reaper.LabelSession: "s2"}
	s := b.store(t)
	g.Expect(s.RemoveImage(t.Context(), Image{ID: "sha256:theirs"})).To(MatchError(ContainSubstring("not removed")))
	g.Expect(s.RemoveImage(t.Context(), Image{ID: "sha256:gone"})).To(Succeed())
	b.Add(dockertest.Images, "sha256:mine", nil)
	g.Expect(s.RemoveImage(t.Context(), Image{ID: "sha256:mine"})).To(Succeed())
	g.Expect(strings.Join(b.Asked(), "\n")).To(ContainSubstring("DELETE /images/sha256:mine"))
	g.Expect(strings.Join(b.Asked(), "\n")).NotTo(ContainSubstring("DELETE /images/sha256:theirs"))
}
