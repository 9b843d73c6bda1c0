package report

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"qmconformance/harness/evidence"
	"qmconformance/harness/usage"
)

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func tree(t *testing.T, dir string) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			list = append(list, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return list
}

func TestPrepareCreatesTheFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	if err := Prepare(dir, OfRun); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, dir); len(got) != 0 {
		t.Errorf("left %v", got)
	}
}

func TestPrepareRemovesOlderResultsAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	for _, n := range OfRun.Names {
		put(t, filepath.Join(dir, n), "old")
		put(t, filepath.Join(dir, temporary(n)), "half")
	}
	put(t, filepath.Join(dir, evidence.Folder("IDENT-13", "qmserver"), "wire.txt"), "old")
	put(t, filepath.Join(dir, evidence.Folder("SERV-01", "host"), "deep", "log"), "old")
	mine := []string{BenchPage, BenchFile, "evidence/SERV-01-host.txt", "evidence/court-case/photo", "notes.txt", "sub/results.json"}
	for _, n := range mine {
		put(t, filepath.Join(dir, n), "mine")
	}
	if err := Prepare(dir, OfRun); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, dir); !slices.Equal(got, mine) {
		t.Errorf("left %v, want %v", got, mine)
	}
}

func TestABenchmarkLeavesTheResultsOfARun(t *testing.T) {
	dir := t.TempDir()
	run := []string{filepath.Join(evidence.Folder("SERV-01", "host"), "log"), HTMLFile, ResultsFile}
	for _, n := range append([]string{BenchFile, temporary(BenchPage)}, run...) {
		put(t, filepath.Join(dir, n), "old")
	}
	if err := Prepare(dir, OfBenchmark); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, dir); !slices.Equal(got, run) {
		t.Errorf("left %v, want %v", got, run)
	}
}

func TestPrepareRemovesTheEmptyEvidenceFolder(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, evidence.Folder("SERV-01", "host"), "log"), "old")
	if err := Prepare(dir, OfRun); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, evidence.Dir)); !os.IsNotExist(err) {
		t.Errorf("evidence is still there: %v", err)
	}
}

func TestPrepareRemovesWhatWriteWrites(t *testing.T) {
	dir := t.TempDir()
	r, x := broken()
	if err := Write(dir, r, x); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, dir); len(got) != 4 {
		t.Fatalf("wrote %v", got)
	}
	if err := Prepare(dir, OfRun); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, dir); len(got) != 0 {
		t.Errorf("left %v", got)
	}
}

func TestPrepareRefuses(t *testing.T) {
	scratch := t.TempDir()
	home := filepath.Join(scratch, "home")
	put(t, filepath.Join(home, "evidence", "mine"), "")
	t.Setenv("HOME", home)
	if err := os.Symlink(home, filepath.Join(scratch, "link")); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(scratch, "file"), "")
	put(t, filepath.Join(scratch, "source", "go.mod"), "")
	put(t, filepath.Join(scratch, "source", "results.json"), "mine")
	put(t, filepath.Join(scratch, "odd", "evidence"), "a file of the user's")
	put(t, filepath.Join(scratch, "odd2", "results.json", "x"), "a folder of the user's")
	before := tree(t, scratch)
	for dir, want := range map[string]string{
		"/":                                  "root",
		"/../":                               "root",
		home:                                 "home",
		home + "/sub/..":                     "home",
		filepath.Join(scratch, "link"):       "home",
		filepath.Join(scratch, "file"):       "is a file",
		filepath.Join(scratch, "file", "x"):  "not a directory",
		filepath.Join(scratch, "source"):     "go.mod",
		filepath.Join(scratch, "odd"):        "not a folder",
		filepath.Join(scratch, "odd2"):       "cannot be removed",
		"/proc":                              "cannot be written",
		"/proc/conformance":                  "cannot be created",
		filepath.Join(scratch, "a\x00b"):     "invalid",
		filepath.Join(scratch, "odd2") + "/": "cannot be removed",
	} {
		err := Prepare(dir, OfRun)
		switch {
		case err == nil:
			t.Errorf("%q is taken", dir)
		case !usage.Is(err):
			t.Errorf("%q: not a usage error: %v", dir, err)
		case !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "RESULTS="):
			t.Errorf("%q: %q does not say %q", dir, err, want)
		case strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "; "):
			t.Errorf("%q: not one line with what to do: %q", dir, err)
		}
	}
	if after := tree(t, scratch); !slices.Equal(before, after) {
		t.Errorf("a refused folder was touched:\n%v\n%v", before, after)
	}
}
