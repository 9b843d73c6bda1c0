package cli

import (
	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func newMan() *cobra.Command {
	return &cobra.Command{
		Use:   "man [DIR]",
		Short: "Print the manual page, or write one for each command into a directory",
		Example: `  conformance man | man -l -
  conformance man /usr/local/share/man/man1`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			header := &doc.GenManHeader{Section: "1", Source: Name, Manual: "Conformance of ScarletDME's network services"}
			root := c.Root()
			// Without the day: the page of one version is one page.
			root.DisableAutoGenTag = true
			if len(args) == 0 {
				return doc.GenMan(root, header, c.OutOrStdout())
			}
			if err := doc.GenManTree(root, header, args[0]); err != nil {
				return unknown("the pages cannot be written to %s: %v", args[0], err)
			}
			return nil
		},
	}
}
