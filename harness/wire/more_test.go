package wire

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"
)

// TestMoreWaitsForEventsAndIsNone: a wait for news leaves no trace in what it is about.
func TestMoreWaitsForEventsAndIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		inbox := NewInbox(netip.MustParseAddrPort("192.0.2.1:4242"))
		few, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		g.Expect(inbox.More(few, 0)).To(BeFalse())
		g.Expect(time.Since(began)).To(Equal(time.Second))
		g.Expect(inbox.Transcript().Events).To(BeEmpty())

		go func() {
			time.Sleep(time.Second)
			inbox.Deliver(Event{Kind: KindConnected})
			time.Sleep(time.Second)
			inbox.Deliver(Event{Kind: KindReceived, Data: []byte("x")})
		}()
		began = time.Now()
		g.Expect(inbox.More(t.Context(), 1)).To(BeTrue())
		g.Expect(time.Since(began)).To(Equal(2 * time.Second))
		g.Expect(inbox.More(t.Context(), 1)).To(BeTrue(), "what came before is not waited for")
		g.Expect(inbox.Transcript().Events).To(HaveLen(2))
	})
}
