package reaper

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"
)

func TestARequestGoesOnForAWhileWhenItsRunHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		why := errors.New("interrupted")
		run, stop := context.WithCancelCause(t.Context())
		start, end := Lingering(run, time.Minute)
		defer end()
		stop(why)
		time.Sleep(59 * time.Second)
		g.Expect(start.Err()).NotTo(HaveOccurred())
		time.Sleep(2 * time.Second)
		g.Expect(context.Cause(start)).To(MatchError(why))
	})
}

func TestARequestThatHasEndedKeepsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run, stop := context.WithCancel(t.Context())
		start, end := Lingering(run, time.Hour)
		stop()
		synctest.Wait()
		end()
		<-start.Done()
		// What still waited would keep this test from ending.
	})
}
