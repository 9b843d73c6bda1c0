package fault

import (
	"testing"

	. "github.com/onsi/gomega"
)

// Nothing shows that a requirement can fail at all until a mistake makes it lead.
func TestEveryMustIsLedByAFault(t *testing.T) {
	g := NewWithT(t)
	c := catalogue(t)
	list, err := Load(fixtures, c)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(Unkilled(c, list)).To(BeEmpty())
}

// A check that only tries the ports must not be able to find most mistakes, and
// good packages must be many enough to show a false alarm.
func TestTheFixturesAreManyAndSubtle(t *testing.T) {
	g := NewWithT(t)
	list, err := Load(fixtures, catalogue(t))
	g.Expect(err).NotTo(HaveOccurred())
	var mistakes, subtle, variants int
	for _, f := range list {
		switch {
		case f.Kind == Variant:
			variants++
		case f.PortCheckPasses:
			subtle++
			fallthrough
		default:
			mistakes++
		}
	}
	g.Expect(mistakes).To(BeNumerically(">=", 60))
	g.Expect(subtle).To(BeNumerically(">", mistakes/2))
	g.Expect(variants).To(BeNumerically(">=", 20))
}
