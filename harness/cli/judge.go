package cli

import (
	"github.com/spf13/cobra"

	"qmconformance/harness/judge"
	"qmconformance/harness/observation"
	"qmconformance/harness/retrial"
	"qmconformance/harness/verdict"
)

func newJudge() *cobra.Command {
	return &cobra.Command{
		Use:   "judge DIR",
		Short: "Judge recorded evidence again; needs no Docker",
		Long: oneParagraph(`Reads what a run observed, from a results folder or from one of the folders in its evidence, judges it by the
			rules of this program, and says whether each verdict is the one that was recorded. So a failure of another machine can
			be looked into, and a changed rule be tried on old ones.`) + "\n\n" +
			oneParagraph(`Exit codes: 0 every verdict is the same, 1 at least one is another, 2 there is nothing recorded at that place,
			3 a record could not be judged: it is damaged, or of a version that observed something else.`),
		Example: "  conformance judge results\n  conformance judge results/evidence/IDENT-13-qmserver",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			known, err := judge.Known()
			if err != nil {
				return broken{err}
			}
			cases, err := retrial.Open(args[0], func(o observation.Observation) (verdict.Verdict, error) {
				return judge.Registered().Again(judge.Catalogue, known, o)
			})
			if err != nil {
				return err
			}
			if err := retrial.Text(c.OutOrStdout(), cases); err != nil {
				return broken{err}
			}
			return code(retrial.ExitCode(cases))
		},
	}
}
