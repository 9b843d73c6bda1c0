// Cover sums up a coverage profile by package: which share of the statements the tests
// ran, where a statement counts once, whichever package's tests ran it.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: cover PROFILE")
		os.Exit(2)
	}
	f, err := os.Open(os.Args[1])
	if err == nil {
		defer f.Close()
		err = summary(os.Stdout, f)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// share is how many statements there are, and how many of them ran.
type share struct{ ran, all int }

func (s *share) add(statements int, ran bool) {
	s.all += statements
	if ran {
		s.ran += statements
	}
}

func (s share) String() string {
	return fmt.Sprintf("%5.1f %%  %5d of %5d statements", 100*float64(s.ran)/float64(max(1, s.all)), s.ran, s.all)
}

func summary(w io.Writer, profile io.Reader) error {
	type block struct {
		statements int
		ran        bool
	}
	blocks := map[string]block{} // each is told of once for every package whose tests were run
	lines := bufio.NewScanner(profile)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "mode:") {
			continue
		}
		var place string
		var statements, count int
		if _, err := fmt.Sscan(lines.Text(), &place, &statements, &count); err != nil {
			return fmt.Errorf("%q is no line of a profile: %w", lines.Text(), err)
		}
		b := blocks[place]
		blocks[place] = block{statements, b.ran || count > 0}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	packages := map[string]*share{}
	var total share
	for place, b := range blocks {
		file, _, _ := strings.Cut(place, ":")
		name := path.Dir(file)
		if packages[name] == nil {
			packages[name] = &share{}
		}
		packages[name].add(b.statements, b.ran)
		total.add(b.statements, b.ran)
	}
	var names []string
	for name := range packages {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(w, "%s  %s\n", packages[name], name)
	}
	_, err := fmt.Fprintf(w, "%s  total\n", total)
	return err
}
