package observe

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"qmconformance/harness/process"
)

// A time of day that jumps, in either direction, is told apart from the time that passed.
func TestAClockThatIsSetIsNoticed(t *testing.T) {
	g := NewWithT(t)
	from := reading()
	for _, set := range []time.Duration{0, time.Hour, -time.Hour, 24 * 365 * time.Hour} {
		to := moment{day: from.day.Add(3*time.Second + set), since: from.since + 3*time.Second}
		took, jump := lasted(from, to)
		g.Expect(took).To(Equal(3 * time.Second))
		g.Expect(jump).To(Equal(set))
	}
	took, jump := lasted(from, reading())
	g.Expect(took).To(BeNumerically(">=", 0))
	g.Expect(jump.Abs()).To(BeNumerically("<", time.Second), "nobody sets the clock of this machine now")
}

// What a process uses is measured by a clock that nobody sets: the snapshots' time of
// day is for readers alone.
func TestTheTimeOfDayOfASnapshotChangesNothing(t *testing.T) {
	g := NewWithT(t)
	s, _ := scene(t)
	first, err := s.Snapshot(limited(t))
	g.Expect(err).NotTo(HaveOccurred())
	second, err := s.Snapshot(limited(t))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(second.Clock).To(BeNumerically(">", first.Clock), "it outlives the way through the agent")
	g.Expect(second.Clock - first.Clock).To(BeNumerically("<", soon))
	g.Expect(process.Snapshot{Taken: first.Taken}.Clock).To(BeZero())
}
