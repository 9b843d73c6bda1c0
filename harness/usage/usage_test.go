package usage_test

import (
	"errors"
	"fmt"
	"testing"

	. "github.com/onsi/gomega"

	"qmconformance/harness/usage"
)

func TestAMistakeIsToldFromOtherErrors(t *testing.T) {
	g := NewWithT(t)
	err := usage.Errorf("PROCS=%d is too many; leave it out", 99)
	g.Expect(err).To(MatchError("PROCS=99 is too many; leave it out"))
	g.Expect(usage.Is(err)).To(BeTrue())
	g.Expect(usage.Is(fmt.Errorf("read: %w", err))).To(BeTrue())
	g.Expect(usage.Is(errors.Join(errors.New("other"), err))).To(BeTrue())
	g.Expect(usage.Is(errors.New("other"))).To(BeFalse())
	g.Expect(usage.Is(nil)).To(BeFalse())
}
