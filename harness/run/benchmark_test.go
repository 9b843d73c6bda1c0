package run

import (
	"testing"

	. "github.com/onsi/gomega"
)

func TestABenchmarkIsAskedForByName(t *testing.T) {
	for filter, want := range map[string]bool{
		"": false, "MUST": false, "!slow": false, "!benchmark": false, "MUST && !benchmark": false, "(": false, "benchmark &&": false,
		"benchmark": true, "benchmark && gate-check": true, "benchmark && !gate-check": true, "MUST || benchmark": true,
	} {
		NewWithT(t).Expect(benchmarks(filter)).To(Equal(want), filter)
	}
	NewWithT(t).Expect(benchmarks("", "benchmark")).To(BeTrue(), "either filter")
}

func TestTheGateIsTriedOnlyWhereThatIsAskedFor(t *testing.T) {
	for filter, want := range map[string]bool{
		"": false, "benchmark": false, "benchmark && !gate-check": false, "(benchmark) && (!gate-check)": false, "benchmark && gate-check": true, "gate-check": true,
	} {
		NewWithT(t).Expect(wantsCheck(filter)).To(Equal(want), filter)
	}
}
