package suites

import (
	"testing"

	. "github.com/onsi/gomega"

	"qmconformance/harness/judge"
)

// A run asks the same before it boots anything; here it is told where it is cheap.
func TestTheSpecsAndTheCatalogueFitTogether(t *testing.T) {
	NewWithT(t).Expect(judge.Integrity(judge.Catalogue)).To(BeEmpty())
}
