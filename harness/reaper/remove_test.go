package reaper

import (
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"qmconformance/harness/reaper/dockertest"
)

// quick are limits for tests with a daemon that does not answer, or in which the
// reaper is to end soon.
var quick = limits{
	Call: 300 * time.Millisecond, List: 300 * time.Millisecond, Poll: 10 * time.Millisecond, Settle: 300 * time.Millisecond,
	Unreachable: 300 * time.Millisecond, Total: 3 * time.Second, Ready: patience, Stop: 5 * time.Second,
	Guard: 5 * time.Second,
}

// plenty are limits for tests with a daemon that answers at once, if it gets a turn:
// none of them is reached.
var plenty = limits{
	Call: patience, List: patience, Poll: 10 * time.Millisecond, Settle: 300 * time.Millisecond,
	Unreachable: patience, Total: 3 * patience, Ready: patience, Stop: patience,
	Guard: patience,
}

// populated is a daemon with two objects of each kind that are ours and some that are not.
func populated(mine Session) *dockertest.Daemon {
	d := dockertest.New()
	other := Session{ID: "other", Owner: mine.Owner}
	for _, kind := range []string{dockertest.Containers, dockertest.Networks, dockertest.Images} {
		d.Add(kind, kind+"-mine-1", mine.Labels())
		d.Add(kind, kind+"-mine-2", mine.With(map[string]string{"role": "x"}))
		d.Add(kind, kind+"-other-run", other.Labels())
		d.Add(kind, kind+"-foreign", map[string]string{"com.example": "1"})
		d.Add(kind, kind+"-bare", nil)
		// Somebody else's label of the same session ID, without our own label.
		d.Add(kind, kind+"-lookalike", map[string]string{LabelSession: mine.ID})
	}
	d.Add(dockertest.Images, "images-cached", map[string]string{LabelOurs: Ours})
	return d
}

func notOurs(d *dockertest.Daemon) []string {
	var keep []string
	for _, id := range d.IDs() {
		if !strings.Contains(id, "-mine-") {
			keep = append(keep, id)
		}
	}
	return keep
}

func TestSessionRemovesItsOwnAndNothingElse(t *testing.T) {
	for _, careless := range []bool{false, true} {
		g := NewWithT(t)
		mine := Session{ID: "s1", Owner: Owner{BootID: "b", PID: 1, StartTime: 1}}
		d := populated(mine)
		d.IgnoreFilters = careless
		keep := notOurs(d)
		r := remover{d.Serve(t), plenty}

		seen, left, err := r.session(t.Context(), "s1")

		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(seen).To(Equal(6))
		g.Expect(left).To(BeEmpty())
		g.Expect(d.IDs()).To(Equal(keep))
	}
}

func TestRequestsCarryTheFilterAndForce(t *testing.T) {
	g := NewWithT(t)
	mine := Session{ID: "s1"}
	d := populated(mine)
	_, _, err := remover{d.Serve(t), plenty}.session(t.Context(), "s1")
	g.Expect(err).NotTo(HaveOccurred())
	asked := strings.Join(d.Asked(), "\n")
	for _, kind := range []string{"/containers/json", "/networks", "/images/json"} {
		g.Expect(asked).To(MatchRegexp(`GET %s\?.*%%22qmconformance\.dev%%3D1%%22`, kind))
		g.Expect(asked).To(MatchRegexp(`GET %s\?.*%%22qmconformance\.dev\.session%%3Ds1%%22`, kind))
	}
	g.Expect(asked).To(ContainSubstring("DELETE /containers/containers-mine-1?force=1&v=1"))
	g.Expect(asked).To(ContainSubstring("all=1"), "stopped containers count")
}

func TestOrderIsContainersNetworksImages(t *testing.T) {
	g := NewWithT(t)
	d := populated(Session{ID: "s1"})
	_, _, err := remover{d.Serve(t), plenty}.session(t.Context(), "s1")
	g.Expect(err).NotTo(HaveOccurred())
	var order []string
	for _, a := range d.Asked() {
		if rest, ok := strings.CutPrefix(a, "DELETE /"); ok {
			kind, _, _ := strings.Cut(rest, "/")
			order = append(order, kind)
		}
	}
	g.Expect(order).To(Equal([]string{"containers", "containers", "networks", "networks", "images", "images"}))
}

func TestWhatResistsIsReportedAndTheRestGoes(t *testing.T) {
	g := NewWithT(t)
	d := populated(Session{ID: "s1"})
	d.Refuse["containers-mine-1"] = true
	seen, left, err := remover{d.Serve(t), plenty}.session(t.Context(), "s1")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(seen).To(Equal(6))
	g.Expect(left).To(HaveLen(1))
	g.Expect(left[0].String()).To(And(HavePrefix("container containers-m"), ContainSubstring("in use")))
	g.Expect(d.IDs()).NotTo(ContainElement("images-mine-1"))
}

func TestEmptySessionIsRefused(t *testing.T) {
	g := NewWithT(t)
	d := populated(Session{ID: "s1"})
	before := d.IDs()
	_, _, err := remover{d.Serve(t), quick}.session(t.Context(), "")
	g.Expect(err).To(HaveOccurred())
	g.Expect(d.IDs()).To(Equal(before))
}

func TestHangingDaemonIsBounded(t *testing.T) {
	g := NewWithT(t)
	d := dockertest.New()
	d.Hang = true
	r := remover{d.Serve(t), quick}
	begin := time.Now()
	g.Expect(reap(t.Context(), r, "s1")).To(BeFalse())
	// Three lists at the call limit each, twice at most: 2 s, and room for a busy machine.
	g.Expect(time.Since(begin)).To(BeNumerically("<", patience))
}

func TestDaemonGoneEndsQuietly(t *testing.T) {
	g := NewWithT(t)
	d := dockertest.New()
	r := remover{d.Serve(t), quick}
	d.Close()
	begin := time.Now()
	g.Expect(reap(t.Context(), r, "s1")).To(BeFalse())
	g.Expect(time.Since(begin)).To(BeNumerically("<", patience))
}

func TestReapWaitsForWhatIsStillComing(t *testing.T) {
	g := NewWithT(t)
	mine := Session{ID: "s1"}
	d := dockertest.New()
	r := remover{d.Serve(t), plenty}
	done := make(chan bool, 1)
	go func() { done <- reap(t.Context(), r, "s1") }()
	g.Eventually(d.Asked).WithTimeout(patience).ShouldNot(BeEmpty())
	d.Add(dockertest.Images, "late", mine.Labels())
	g.Eventually(done).WithTimeout(patience).Should(Receive(BeTrue()))
	g.Expect(d.IDs()).To(BeEmpty())
}
