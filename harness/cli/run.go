package cli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"qmconformance/harness/fault"
	"qmconformance/harness/kit"
	"qmconformance/harness/matrix"
	"qmconformance/harness/requirement"
	"qmconformance/harness/run"
	"qmconformance/harness/usage"
)

func newRun(specs run.RunSpecs) *cobra.Command {
	c := &cobra.Command{
		Use:   "run",
		Short: "Judge a set-up: boot it, judge every requirement, write the results",
		Long: oneParagraph(`Boots what is to be judged in containers of its own, a base image, a qm and a package, drives both ports,
			and writes results.json, report.html, summary.md, junit.xml and the evidence of every verdict that is not green.
			Needs Docker, and removes whatever it made there.`) + "\n\n" +
			oneParagraph(`A package is a directory that is laid over the target's root, with two optional scripts at its top:
			setup.sh is run after it was laid over, start.sh in place of "qm -start".`),
		Example: `  conformance run --package ./debian/qm-network --qmsys /opt/qmsys
  conformance run --package none --qmsys image --base registry.example/scarletdme:1.2
  conformance run --focus umask
  conformance run --labels 'identity && MUST' --profile quick`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			self, err := os.Executable()
			if err != nil {
				return broken{err}
			}
			return code(run.Judge(specs, []string{self}))
		},
	}
	take(c, "package", "qmsys", "base", "focus", "labels", "results", "profile", "strict", "procs", "annotate")
	return c
}

func newFaults() *cobra.Command {
	c := &cobra.Command{
		Use:   "faults",
		Short: "Run packages with one known mistake each, and see that each is found",
		Long: oneParagraph(`Judges every package that has one known mistake, and every good variant of the reference package, and tells
			which requirement found which mistake, and whether the variants stayed green. It tests the harness, not your package.`),
		Example: "  conformance faults --fault umask-022",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			self, err := os.Executable()
			if err != nil {
				return broken{err}
			}
			return code(matrix.Main([]string{self, "run"}))
		},
	}
	take(c, "fault", "qmsys", "base", "results", "profile", "procs")
	if err := c.RegisterFlagCompletionFunc("fault", completeFaults); err != nil {
		panic(err)
	}
	return c
}

func completeFaults(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	k, err := kit.Open(dir)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	defer k.Close()
	catalogue, err := requirement.Load()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	all, err := fault.Load(k.Fixtures, catalogue)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []cobra.Completion
	for _, f := range all {
		names = append(names, f.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// unknown is a user's mistake in naming something.
func unknown(format string, args ...any) error {
	return usage.Errorf("%s", fmt.Sprintf(format, args...))
}
