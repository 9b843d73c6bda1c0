package target

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"
)

func TestAStartGoesOnForAWhileWhenItsRunHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		why := errors.New("interrupted")
		run, stop := context.WithCancelCause(t.Context())
		start, end := lingering(run, time.Minute)
		defer end()
		stop(why)
		time.Sleep(59 * time.Second)
		g.Expect(start.Err()).NotTo(HaveOccurred())
		time.Sleep(2 * time.Second)
		g.Expect(context.Cause(start)).To(MatchError(why))
	})
}

func TestAStartThatHasEndedKeepsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run, stop := context.WithCancel(t.Context())
		start, end := lingering(run, time.Hour)
		stop()
		synctest.Wait()
		end()
		<-start.Done()
		// What still waited would keep this test from ending.
	})
}

func TestNothingIsStartedWhereAllIsBeingRemoved(t *testing.T) {
	g := NewWithT(t)
	f := &Fleet{}
	end, err := f.starts.begin()
	g.Expect(err).NotTo(HaveOccurred())
	settled := make(chan struct{})
	go func() {
		f.Settle(t.Context())
		close(settled)
	}()
	g.Consistently(settled, 50*time.Millisecond).ShouldNot(BeClosed(), "one that had begun is waited for")
	end()
	g.Eventually(settled, soon).Should(BeClosed())
	_, err = f.starts.begin()
	g.Expect(err).To(MatchError(errOver))
	f.Settle(t.Context())
}

func TestAStartThatHangsIsNotWaitedForForLong(t *testing.T) {
	f := &Fleet{}
	end, err := f.starts.begin()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	defer end()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	f.Settle(ctx) // or this test would never end
}
