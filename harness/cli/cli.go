// Package cli is the command line of the program that is carried: the harness's
// commands as subcommands, every variable as a flag. Shell completion and the
// manual page come from the library.
package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"qmconformance/harness/requirement"
	"qmconformance/harness/run"
	"qmconformance/harness/usage"
	"qmconformance/harness/verdict"
)

// Name is what the program is called.
const Name = "conformance"

// exit is the error of a command that has told its outcome already.
type exit struct{ code int }

func (e exit) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// code is nil for 0, so that a command can return it.
func code(n int) error {
	if n == 0 {
		return nil
	}
	return exit{n}
}

// Main runs the command line and returns the exit code.
func Main(args []string, specs run.RunSpecs) int {
	return execute(newRoot(specs), args, os.Stdout, os.Stderr)
}

func execute(root *cobra.Command, args []string, out, errs io.Writer) int {
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errs)
	err := root.Execute()
	var e exit
	switch {
	case err == nil:
		return verdict.Conformant.ExitCode()
	case errors.As(err, &e):
		return e.code
	case errors.As(err, new(broken)):
		fmt.Fprintln(errs, "HARNESS ERROR:", err)
		return verdict.HarnessError.ExitCode()
	}
	// What is left is a mistake on the command line, the library's or ours.
	text := err.Error()
	if !usage.Is(err) {
		text += fmt.Sprintf("; see %q", Name+" --help")
	}
	fmt.Fprintln(errs, "USAGE ERROR:", text)
	return verdict.UsageError.ExitCode()
}

// broken is an error that is not the user's.
type broken struct{ error }

func newRoot(specs run.RunSpecs) *cobra.Command {
	root := &cobra.Command{
		Use:   Name,
		Short: "Judge how ScarletDME's network services are set up",
		Long: oneParagraph(`ScarletDME opens no sockets: xinetd starts one qm for each connection, on port 4242 (qmserver, terminals)
			and 4243 (qmclient, programs). This program boots xinetd, qm and a package in containers, and says for each requirement
			whether the set-up keeps it, and where not, which line to change.`) + "\n\n" +
			"First steps:\n" +
			"  conformance run --package ./debian/qm-network   judge a package\n" +
			"  conformance explain IDENT-13                    what a requirement is about\n" +
			"  conformance judge results                       judge recorded evidence again, without Docker\n\n" +
			"Exit codes: 0 conformant, 1 violations, 2 a mistake in how it was called, 3 the harness\ncould not tell, 4 a benchmark got worse.",
		Version:       "with catalogue " + requirement.Version,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.AddCommand(newRun(specs), newList(), newExplain(), newJudge(), newFaults(), newBench(specs), newMan())
	return root
}

// oneParagraph joins the lines of a text in the source.
func oneParagraph(s string) string {
	words := strings.Fields(s)
	var b strings.Builder
	width := 0
	for _, w := range words {
		switch {
		case width == 0:
		case width+1+len(w) > 92:
			b.WriteByte('\n')
			width = 0
		default:
			b.WriteByte(' ')
			width++
		}
		b.WriteString(w)
		width += len(w)
	}
	return b.String()
}
