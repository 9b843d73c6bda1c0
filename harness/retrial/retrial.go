// Package retrial judges recorded evidence again, without a target: a maintainer
// sees another machine's failure, and what a changed rule makes of old ones.
package retrial

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"qmconformance/harness/evidence"
	"qmconformance/harness/observation"
	"qmconformance/harness/usage"
	"qmconformance/harness/verdict"
)

// Case is one record, judged again.
type Case struct {
	// Path is where the record was found.
	Path     string
	Seen     observation.Observation
	Old, New verdict.Verdict
	// Err says why it could not be judged again.
	Err error
}

// Changed says that the verdict is another one. Other words for the same verdict
// are no change: a message may get better.
func (c Case) Changed() bool { return c.Err == nil && c.Old.Kind != c.New.Kind }

// Reworded says that the verdict is the same and something else is said of it.
func (c Case) Reworded() bool {
	return c.Err == nil && !c.Changed() &&
		(c.Old.Expected != c.New.Expected || c.Old.Actual != c.New.Actual || c.Old.Hint != c.New.Hint || c.Old.BecauseOf != c.New.BecauseOf)
}

// Judge is what judges a record again.
type Judge func(observation.Observation) (verdict.Verdict, error)

// Open judges everything again that was recorded in a folder: one folder of
// evidence, or all of a results folder.
func Open(dir string, judge Judge) ([]Case, error) {
	paths, err := find(dir)
	if err != nil {
		return nil, err
	}
	var cases []Case
	for _, path := range paths {
		c := Case{Path: path}
		if c.Seen, c.Err = observation.Load(path); c.Err == nil {
			c.Old = c.Seen.Verdict
			c.New, c.Err = judge(c.Seen)
		}
		cases = append(cases, c)
	}
	return cases, nil
}

// find are the records in a folder, sorted.
func find(dir string) ([]string, error) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, usage.Errorf("%s does not exist; name a results folder, or one of the folders in its %s", dir, evidence.Dir)
	case err != nil:
		return nil, usage.Errorf("%s cannot be read: %v", dir, err)
	case !info.IsDir():
		return nil, usage.Errorf("%s is a file; name the folder that it is in", dir)
	}
	for _, below := range []string{".", filepath.Join(evidence.Dir, "*"), "*"} {
		// Glob takes the folder's own name for a pattern, so that it is left out.
		paths, err := fs.Glob(os.DirFS(dir), filepath.ToSlash(filepath.Join(below, evidence.Observation)))
		if err != nil {
			return nil, fmt.Errorf("look for records: %w", err)
		}
		if len(paths) > 0 {
			slices.Sort(paths)
			for i := range paths {
				paths[i] = filepath.Join(dir, paths[i])
			}
			return paths, nil
		}
	}
	return nil, usage.Errorf("%s holds no record (%s); name a results folder, or one of the folders in its %s; a run without red verdicts leaves none", dir, evidence.Observation, evidence.Dir)
}
