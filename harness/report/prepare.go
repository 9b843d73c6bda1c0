package report

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"qmconformance/harness/evidence"
	"qmconformance/harness/usage"
)

// The files of a run, relative to RESULTS.
const (
	ResultsFile = "results.json"
	JUnitFile   = "junit.xml"
	SummaryFile = "summary.md"
	HTMLFile    = "report.html"
	BenchFile   = "bench.json"
	BenchPage   = "bench.html"
	BuildLog    = "build.log" // what the making of images said
)

// Files are those that a command may leave in RESULTS; Prepare removes them, what a
// killed run left half-written, and nothing else.
type Files struct {
	Names []string
	// Evidence says that it leaves evidence too.
	Evidence bool
}

// The files of the commands. Neither removes the other's: a measurement takes minutes,
// and may be the baseline of the next one.
var (
	OfRun       = Files{Names: []string{ResultsFile, JUnitFile, SummaryFile, HTMLFile, BuildLog}, Evidence: true}
	OfBenchmark = Files{Names: []string{BenchFile, BenchPage, BuildLog}}
)

// evidenceName is the form of a folder in evidence/. Anything else there is the
// user's and stays.
var evidenceName = regexp.MustCompile(`^[A-Z]+-\d{2}-(host|qmserver|qmclient)$`)

// Prepare is the first act of a run: it creates the folder, removes older
// results of its kind from it and proves that it can be written. Every error is a
// usage error: the user named a folder that cannot hold results.
func Prepare(dir string, of Files) error {
	path, err := filepath.Abs(dir)
	if err != nil {
		return usage.Errorf("RESULTS=%s cannot be found: %v; name a folder of your own", dir, err)
	}
	if err := acceptable(dir, path); err != nil {
		return err
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return usage.Errorf("RESULTS=%s cannot be created: %v; name a folder that you may write", dir, cause(err))
	}
	if err := of.clear(path); err != nil {
		return usage.Errorf("RESULTS=%s: older results cannot be removed: %v; remove them by hand or name another folder", dir, err)
	}
	// Permission bits say too little: a read-only or full file system shows only
	// when something is written. A byte must be written, since an empty file needs
	// no block.
	probe := filepath.Join(path, temporary(ResultsFile))
	err = os.WriteFile(probe, []byte("\n"), 0o644)
	os.Remove(probe)
	if err != nil {
		return usage.Errorf("RESULTS=%s cannot be written: %v; name a folder that you may write, on a disk with room", dir, cause(err))
	}
	return nil
}

// acceptable refuses folders where the names of ours may well be a user's files.
func acceptable(dir, path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return usage.Errorf("RESULTS=%s cannot be looked at: %v; name a folder that you may write", dir, cause(err))
	case !info.IsDir():
		return usage.Errorf("RESULTS=%s is a file; name a folder", dir)
	}
	if same(info, "/") {
		return usage.Errorf("RESULTS=%s is the root of the file system; name a folder of its own, such as results", dir)
	}
	if home, err := os.UserHomeDir(); err == nil && same(info, home) {
		return usage.Errorf("RESULTS=%s is your home directory; name a folder of its own, such as results", dir)
	}
	if _, err := os.Lstat(filepath.Join(path, "go.mod")); err == nil {
		return usage.Errorf("RESULTS=%s holds source code (go.mod); name a folder of its own, such as results", dir)
	}
	return nil
}

// same compares by identity, so that neither a link nor a dot hides the place.
func same(info os.FileInfo, path string) bool {
	other, err := os.Stat(path)
	return err == nil && os.SameFile(info, other)
}

func (of Files) clear(path string) error {
	for _, name := range of.Names {
		for _, n := range []string{name, temporary(name)} {
			if err := os.Remove(filepath.Join(path, n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	if !of.Evidence {
		return nil
	}
	folder := filepath.Join(path, evidence.Dir)
	info, err := os.Lstat(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a folder", evidence.Dir)
	}
	list, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	foreign := false
	for _, e := range list {
		if !e.IsDir() || !evidenceName.MatchString(e.Name()) {
			foreign = true
			continue
		}
		if err := os.RemoveAll(filepath.Join(folder, e.Name())); err != nil {
			return err
		}
	}
	if foreign {
		return nil
	}
	return os.Remove(folder)
}

// cause is the error without the path, which the message has already.
func cause(err error) error {
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		return p.Err
	case errors.As(err, &l):
		return l.Err
	}
	return err
}
