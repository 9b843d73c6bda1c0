package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"qmconformance/harness/judge"
	"qmconformance/harness/requirement"
	"qmconformance/harness/requirement/handbook"
)

func newList() *cobra.Command {
	return &cobra.Command{
		Use:   "list [AREA|LEVEL|SERVICE]...",
		Short: "List the requirements; needs no Docker",
		Long:  "Lists the requirements that keep to every word given: an area, a level, a service, or the\nbeginning of an ID.",
		Example: `  conformance list
  conformance list identity MUST
  conformance list qmclient`,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return words(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error { return list(c.OutOrStdout(), args) },
	}
}

// words are what list knows, beside IDs.
func words() []string {
	list := []string{string(requirement.Must), string(requirement.Should)}
	for _, a := range requirement.Areas {
		list = append(list, a.Name)
	}
	return append(list, string(requirement.Host), string(requirement.QMServer), string(requirement.QMClient))
}

func list(w io.Writer, args []string) error {
	found := 0
	for _, r := range judge.Catalogue.All() {
		if !keepsTo(r, args) {
			continue
		}
		found++
		fmt.Fprintf(w, "%-10s  %-6s  %-17s  %s\n", r.ID, r.Level, services(r), oneLine(r.Sentence))
	}
	if found == 0 {
		return unknown("no requirement is all of %s; the words are %s, and the beginnings of IDs", strings.Join(args, " "), strings.Join(words(), ", "))
	}
	return nil
}

func keepsTo(r requirement.Requirement, args []string) bool {
	for _, a := range args {
		if !strings.EqualFold(a, r.Area) && !strings.EqualFold(a, string(r.Level)) &&
			!r.For(requirement.Service(strings.ToLower(a))) && !strings.HasPrefix(r.ID, strings.ToUpper(a)) {
			return false
		}
	}
	return true
}

func services(r requirement.Requirement) string {
	var names []string
	for _, s := range r.Services {
		names = append(names, string(s))
	}
	return strings.Join(names, ",")
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func newExplain() *cobra.Command {
	return &cobra.Command{
		Use:     "explain ID...",
		Short:   "Explain requirements; needs no Docker",
		Long:    "Says what a requirement demands, why, where that is written, what to look at first, and what\nit builds on.",
		Example: "  conformance explain IDENT-13",
		Args:    cobra.MinimumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			var ids []cobra.Completion
			for _, r := range judge.Catalogue.All() {
				ids = append(ids, cobra.CompletionWithDesc(r.ID, oneLine(r.Sentence)))
			}
			return ids, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, ids []string) error {
			for i, id := range ids {
				r, ok := judge.Catalogue.Get(strings.ToUpper(id))
				if !ok {
					return unknown("there is no requirement %s; %q lists them", id, Name+" list")
				}
				if i > 0 {
					fmt.Fprintln(c.OutOrStdout())
				}
				explain(c.OutOrStdout(), r)
			}
			return nil
		},
	}
}

func explain(w io.Writer, r requirement.Requirement) {
	fmt.Fprintf(w, "%s, %s, area %s, judged for %s\n%s\n", r.ID, r.Level, r.Area, services(r), oneParagraph(r.Sentence))
	var needs []string
	for _, n := range r.Needs {
		needs = append(needs, string(n))
	}
	for _, part := range []struct{ name, text string }{
		{"Why", r.Why},
		{"Look at", r.Hint},
		{"Source", r.Source},
		{"Judged once these are kept", strings.Join(r.Requires, ", ")},
		{"Explained by a violation of", strings.Join(r.Follows, ", ")},
		{"Keeps from being judged, if violated", strings.Join(behind(r.ID), ", ")},
		{"The target must be able to", strings.Join(needs, ", ")},
		{"More", handbook.Link(r)},
	} {
		if strings.TrimSpace(part.text) != "" {
			fmt.Fprintf(w, "\n%s\n", oneParagraph(part.name+": "+oneLine(part.text)))
		}
	}
	if r.Slow {
		fmt.Fprintf(w, "\nIt takes a long wait, and is left out of the quick profile.\n")
	}
}

// behind are the requirements that a violation of this one keeps from being judged.
func behind(id string) (ids []string) {
	for _, r := range judge.Catalogue.All() {
		if slices.Contains(r.Requires, id) {
			ids = append(ids, r.ID)
		}
	}
	return ids
}
