package cli

import (
	"os"
	"strings"

	"github.com/spf13/cobra"

	"qmconformance/harness/settings"
)

// variable is one of the harness's, as a flag: --package is PACKAGE.
type variable struct {
	help string
	// bare is the value of a flag that is given without one.
	bare   string
	values []string
}

// variables are all that a command may take; their names are those of the README.
var variables = map[string]variable{
	"package":  {help: "`DIR` of the package, or none: judge what the base image holds (default: the reference package)"},
	"qmsys":    {help: "`DIR` of an installed ScarletDME, standin, or image: what the base holds (default: /usr/qmsys, else standin)", values: []string{"standin", "image"}},
	"base":     {help: "bookworm, trixie, or the `NAME` of any image with xinetd in it (default: bookworm)", values: settings.Releases},
	"focus":    {help: "only what matches this regular `EXPRESSION`: an ID, a service, a word of the sentence"},
	"labels":   {help: "only what this label `FILTER` takes, as in 'identity && MUST'"},
	"results":  {help: "`DIR` for the results; older ones in it are removed first (default: results)"},
	"profile":  {help: "full, or quick: without what takes a long `WAIT` (default: full)", values: []string{"full", "quick"}},
	"strict":   {help: "count a failing SHOULD", bare: "1", values: []string{"0", "1"}},
	"procs":    {help: "looks at targets, or packages of the faults, that are under way at once, a `NUMBER` (default: from the cores)"},
	"annotate": {help: "mark the package's lines in GitHub Actions' words, 0 or 1 (default: where they run)", bare: "1", values: []string{"0", "1"}},
	"baseline": {help: "what is compared with: `DIR` of a package, a bench.json, or an image"},
	"fault":    {help: "only the fault or variant of this `NAME`; several with blanks between"},
}

// take gives a command flags. What is set on the command line goes into the
// environment before the command runs: it is where the harness reads, and where
// what it starts in turn reads.
func take(c *cobra.Command, names ...string) {
	for _, name := range names {
		v := variables[name]
		c.Flags().String(name, "", v.help)
		if v.bare != "" {
			c.Flags().Lookup(name).NoOptDefVal = v.bare
		}
		if len(v.values) > 0 {
			// An error means a flag that does not exist, or is completed twice.
			if err := c.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(v.values, cobra.ShellCompDirectiveDefault)); err != nil {
				panic(err)
			}
		}
	}
	c.Long += "\n\nEach flag may be set in the environment as well, by its name in capitals: PACKAGE for\n--package. The command line wins."
	c.PreRunE = func(c *cobra.Command, _ []string) error {
		for _, name := range names {
			if f := c.Flags().Lookup(name); f.Changed {
				if err := os.Setenv(strings.ToUpper(name), f.Value.String()); err != nil {
					return err
				}
			}
		}
		return nil
	}
}
