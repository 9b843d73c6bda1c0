package cli

import (
	"os"

	"github.com/spf13/cobra"

	"qmconformance/harness/run"
)

func newBench(specs run.RunSpecs) *cobra.Command {
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure what a connection costs, and whether it costs more than with a baseline",
		Long: oneParagraph(`Measures the set-up of connections on the package, and with --baseline on another one beside it, and writes
			bench.json and bench.html. Exit code 4 says that it got worse than the baseline.`),
		Example: "  conformance bench --package ./new --baseline ./old",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			self, err := os.Executable()
			if err != nil {
				return broken{err}
			}
			// The label chooses the benchmark among what a run can do, as "make bench" has it.
			labels := "benchmark"
			if more := os.Getenv("LABELS"); more != "" {
				labels += " && (" + more + ")"
			}
			if err := os.Setenv("LABELS", labels); err != nil {
				return broken{err}
			}
			return code(run.Judge(specs, []string{self}))
		},
	}
	take(c, "package", "baseline", "qmsys", "base", "focus", "labels", "results", "profile")
	return c
}
