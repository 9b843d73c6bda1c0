package benchmark

import (
	"github.com/onsi/ginkgo/v2"

	"qmconformance/harness/bench"
)

// Not a part of the benchmark: whether its gate can be believed on this machine.
var _ = ginkgo.Describe("the gate", ginkgo.Label(bench.Label, bench.CheckLabel), ginkgo.Serial, func() {
	part("tried on what it is to tell apart", (*bench.Session).CheckGate)
})
