// Package benchmark holds the parts of the connection benchmark. They carry the
// label benchmark, measure and judge nothing, and never run beside others.
package benchmark

import (
	"context"

	"github.com/onsi/ginkgo/v2"

	"qmconformance/harness/bench"
)

// part is a spec that takes one measurement. What it finds is in the document; it
// fails where it could not be taken.
func part(text string, take func(*bench.Session, context.Context) error) {
	ginkgo.It(text, func(ctx ginkgo.SpecContext) {
		s := bench.Current()
		s.Note("%s", text)
		if err := take(s, ctx); err != nil {
			ginkgo.Fail(err.Error(), 1)
		}
	})
}

// The order is that of the report, and of what builds on what: loads are sized by
// the closed ones before them.
var _ = ginkgo.Describe("connections", ginkgo.Label(bench.Label), ginkgo.Serial, ginkgo.Ordered, ginkgo.ContinueOnFailure, func() {
	part("one at a time, beside the yardsticks", (*bench.Session).Sequential)
	part("followed inside the target", (*bench.Session).Trace)
	part("compared with the kernel's packets", (*bench.Session).Packets)
	part("many at once", (*bench.Session).Concurrency)
	part("at a rate", (*bench.Session).Rates)
	part("at the highest rate", (*bench.Session).HighestRate)
	part("beside open sessions", (*bench.Session).OpenSessions)
	part("by access list and log", (*bench.Session).Configurations)
	part("by the size of the group file", (*bench.Session).GroupFile)
	part("by address family", (*bench.Session).Families)
	part("against the baseline", (*bench.Session).Compare)
})
