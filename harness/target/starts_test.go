package target

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

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
