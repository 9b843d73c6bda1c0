package run

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"

	"qmconformance/harness/observe"
	"qmconformance/harness/target"
)

// yard makes targets and notes for which stages.
type yard struct {
	made []observe.Stage
	err  error
}

func (y *yard) make(ctx context.Context, name observe.Stage) (*target.Target, error) {
	y.made = append(y.made, name)
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return &target.Target{Tree: string(name)}, y.err
}

var three = []observe.Stage{"one", "two", "three"}

func TestLightTargetsAreMadeWhileTheFirstIsInstalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		y, a := &yard{}, &ahead{}
		a.start(t.Context(), three, true, y.make)
		time.Sleep(1500 * time.Millisecond)
		a.firstIsInstalled()
		time.Sleep(time.Minute)
		synctest.Wait()
		g.Expect(y.made).To(Equal(three[:2]), "from then on one more than were asked for")
		began := time.Now()
		g.Expect(a.claim(t.Context(), "one")).To(HaveField("Tree", "one"))
		g.Expect(time.Since(began)).To(BeZero())
		synctest.Wait()
		g.Expect(y.made).To(Equal(three[:2]))
		g.Expect(a.claim(t.Context(), "two")).To(HaveField("Tree", "two"))
		synctest.Wait()
		g.Expect(y.made).To(Equal(three))
		g.Expect(a.claim(t.Context(), "three")).To(HaveField("Tree", "three"), "waits for the one that is being made")
		a.end()
	})
}

// TestTheFirstLookEndsBeforeWhatIsMadeAhead: its end is not that of the run.
func TestTheFirstLookEndsBeforeWhatIsMadeAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		y, a := &yard{}, &ahead{}
		look, over := context.WithCancelCause(t.Context())
		a.start(look, three, true, y.make)
		synctest.Wait()
		over(errors.New("spec has finished"))
		g.Expect(a.claim(t.Context(), "one")).To(HaveField("Tree", "one"))
		a.firstIsInstalled()
		a.end()
	})
}

func TestOfHeavyTargetsOnlyOneIsMadeBeforeItIsAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y, a := &yard{}, &ahead{}
		a.start(t.Context(), three, false, y.make)
		time.Sleep(time.Minute)
		synctest.Wait()
		NewWithT(t).Expect(y.made).To(Equal(three[:1]))
		a.end()
	})
}

func TestWhatWasNotBegunIsLeftToWhoeverAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		y, a := &yard{}, &ahead{}
		a.start(t.Context(), three, false, y.make)
		synctest.Wait()
		for _, name := range []observe.Stage{"two", "of no list"} {
			made, err := a.claim(t.Context(), name)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(made).To(BeNil())
		}
		g.Expect(a.claim(t.Context(), "one")).To(HaveField("Tree", "one"))
		g.Expect(a.claim(t.Context(), "three")).To(HaveField("Tree", "three"))
		g.Expect(y.made).To(Equal([]observe.Stage{"one", "three"}), "nobody makes one that another has begun")
		a.end()
	})
}

func TestWhatCannotBeMadeIsToldToWhoeverAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y, a := &yard{err: errors.New("no room")}, &ahead{}
		a.start(t.Context(), three, false, y.make)
		synctest.Wait()
		_, err := a.claim(t.Context(), "one")
		NewWithT(t).Expect(err).To(MatchError("no room"))
		a.end()
	})
}

func TestTheEndOfARunEndsWhatIsMadeAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		y, a := &yard{}, &ahead{}
		a.end() // before its start, too: a run may end before
		a.start(t.Context(), three, true, y.make)
		synctest.Wait()
		began := time.Now()
		a.end()
		g.Expect(time.Since(began)).To(BeZero())
		g.Expect(y.made).To(Equal(three[:1]))
	})
}
