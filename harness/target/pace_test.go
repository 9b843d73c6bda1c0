package target

import (
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"

	"qmconformance/harness/xinetd"
)

// allows is xinetd's own account: it says whether a connection closes the port.
type allows struct {
	cps, n int
	first  int64
}

func (a *allows) connect(now time.Time) bool {
	seconds := now.Unix() - a.first
	if a.n == 0 || seconds >= int64(a.cps) {
		a.n, a.first = 1, now.Unix()
		return true
	}
	a.n++
	return int64(a.n)/max(1, seconds) <= int64(a.cps)
}

// However eager the looks are, and whenever in a second they begin, a rate that a
// package may set is kept to.
func TestAPaceKeepsBelowTheRate(t *testing.T) {
	for _, cps := range []int{10, 11, 20, 49} {
		for _, begin := range []time.Duration{0, 300 * time.Millisecond, 990 * time.Millisecond} {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(begin)
				some := func(n int) xinetd.Optional { return xinetd.Optional{Set: true, Value: n} }
				tg := &Target{}
				tg.Pace(xinetd.Dump{Services: []xinetd.Settings{{Service: "qmserver", Port: some(4242), ConnectionsPerSecond: some(cps)}}})
				server := &allows{cps: cps}
				began := time.Now()
				for i := range 5 * cps {
					tg.paces.await(t.Context(), 4242)
					if !server.connect(time.Now()) {
						t.Fatalf("cps %d: connection %d closes the port after %v", cps, i+1, time.Since(began))
					}
				}
				if took := time.Since(began); took > 15*time.Second {
					t.Errorf("cps %d: %d connections took %v", cps, 5*cps, took)
				}
			})
		}
	}
}

func TestWhatNeedsNoPace(t *testing.T) {
	g := NewWithT(t)
	some := func(n int) xinetd.Optional { return xinetd.Optional{Set: true, Value: n} }
	paced := func(service, defaults xinetd.Optional) bool {
		tg := &Target{}
		d := xinetd.Dump{Services: []xinetd.Settings{{Service: "qmserver", Port: some(4242), ConnectionsPerSecond: service}}}
		d.Defaults.ConnectionsPerSecond = defaults
		tg.Pace(d)
		return len(tg.paces.of) > 0
	}
	g.Expect(paced(xinetd.Optional{}, xinetd.Optional{})).To(BeFalse(), "xinetd's own rate is enough")
	g.Expect(paced(some(50), xinetd.Optional{})).To(BeFalse())
	g.Expect(paced(some(0), xinetd.Optional{})).To(BeFalse(), "no limit")
	g.Expect(paced(some(3), xinetd.Optional{})).To(BeFalse(), "a violation, and nothing waits for it")
	g.Expect(paced(xinetd.Optional{}, some(10))).To(BeTrue(), "what a service inherits")
	(&Target{}).paces.await(t.Context(), 4242)
}
