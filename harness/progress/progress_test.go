package progress

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// screen is a writer that may be read while it is written to.
type screen struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// seen is what stands on a terminal after all that was written: of each line what
// came after it was last erased.
func seen(text string) string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		parts := strings.Split(line, "\r\x1b[K")
		lines = append(lines, parts[len(parts)-1])
	}
	return strings.Join(lines, "\n")
}

// at is a run at a moment.
func at(w *screen, width int, seconds float64) (*Progress, *time.Duration) {
	now := time.Duration(seconds * float64(time.Second))
	var room func() int
	if width > 0 {
		room = func() int { return width }
	}
	p := New(w, room, func() time.Duration { return now })
	p.total = 252
	return p, &now
}

func TestElsewhereItIsPlainLines(t *testing.T) {
	g := NewWithT(t)
	w := &screen{}
	p, now := at(w, 0, 1.5)
	p.Note("target as-shipped is up")
	p.Looking("contact qmserver", true)
	p.Judged("")
	*now = 16500 * time.Millisecond
	p.Tick()
	p.Judged("SERV-17")
	p.Judged("SERV-17")
	p.Looking("contact qmserver", false)
	p.Tick()
	g.Expect(w.String()).To(Equal("   1.5 s  target as-shipped is up\n" +
		"  16.5 s  1 of 252 judged, none red; looking: contact qmserver 15 s\n" +
		"  16.5 s  3 of 252 judged, 1 red: SERV-17\n"))
}

func TestOnATerminalTheLineStaysInPlace(t *testing.T) {
	g := NewWithT(t)
	w := &screen{}
	p, now := at(w, 200, 1)
	p.Tick()
	*now = 2 * time.Second
	p.Tick()
	g.Expect(seen(w.String())).To(Equal("   2.0 s  0 of 252 judged, none red"))
	p.Note("fail SERV-17 qmserver: write it")
	g.Expect(seen(w.String())).To(Equal("   2.0 s  fail SERV-17 qmserver: write it\n   2.0 s  0 of 252 judged, none red"))
}

func TestTheLineNeverWraps(t *testing.T) {
	g := NewWithT(t)
	for _, width := range []int{1, 2, 20, 40, 80} {
		w := &screen{}
		p, _ := at(w, width, 1)
		for _, id := range []string{"SERV-01", "SERV-02", "SERV-03", "SERV-04", "SERV-05"} {
			p.Judged(id)
			p.Looking("a look with a long name at "+id, true)
		}
		p.Tick()
		g.Expect(len([]rune(seen(w.String())))).To(BeNumerically("<", max(width, 2)))
	}
	w := &screen{}
	p, _ := at(w, 0, 1)
	for _, id := range []string{"A-01", "A-02", "A-03", "A-04", "A-05"} {
		p.Judged(id)
	}
	p.Tick()
	g.Expect(w.String()).To(ContainSubstring("5 red: A-01, A-02, A-03 and 2 more"))
}

func TestWhatIsInPlaceGoesAtTheEnd(t *testing.T) {
	g := NewWithT(t)
	w := &screen{}
	began := time.Now()
	p := New(w, func() int { return 100 }, func() time.Duration { return time.Since(began) })
	p.Start(7)
	g.Eventually(w.String, 10*time.Second).Should(ContainSubstring("0 of 7 judged"))
	p.Stop()
	p.Stop()
	g.Expect(seen(w.String())).To(BeEmpty(), "the report begins on a line of its own")
	p.Note("could not be removed")
	g.Expect(seen(w.String())).To(HaveSuffix("could not be removed\n"))
	New(w, nil, nil).Stop()
}

func TestManyMayTellAtOnce(t *testing.T) {
	w := &screen{}
	p, _ := at(w, 80, 1)
	p.Start(100)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			p.Looking("x", true)
			p.Note("y")
			p.Judged("SERV-01")
			p.Tick()
			p.Looking("x", false)
		})
	}
	wg.Wait()
	p.Stop()
	NewWithT(t).Expect(p.judged).To(Equal(50))
	NewWithT(t).Expect(p.looks).To(BeEmpty())
}
