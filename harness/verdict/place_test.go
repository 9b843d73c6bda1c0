package verdict_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"qmconformance/harness/verdict"
)

func TestOnlyAViolationHasAPlace(t *testing.T) {
	g := NewWithT(t)
	const file = "/etc/xinetd.d/qmserver"
	g.Expect(verdict.Violated("", "", "").At(file, 13).Where).To(Equal(verdict.Place{File: file, Line: 13}))
	g.Expect(verdict.Kept("", "").At(file, 13).Where.Known()).To(BeFalse())
	g.Expect(verdict.Unmet("").At(file, 13).Where.Known()).To(BeFalse())
	g.Expect(verdict.Violated("", "", "").At("", 0).Where.Known()).To(BeFalse(), "a line of no file")
}

func TestAPlaceIsWrittenAsEditorsTakeIt(t *testing.T) {
	g := NewWithT(t)
	g.Expect(verdict.Place{File: "/etc/services", Line: 7}.String()).To(Equal("/etc/services:7"))
	g.Expect(verdict.Place{File: "setup.sh"}.String()).To(Equal("setup.sh"))
}
