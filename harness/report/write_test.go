package report

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"qmconformance/harness/evidence"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

func TestWriteWritesResultsFirst(t *testing.T) {
	dir := t.TempDir()
	r, x := broken()
	if err := Write(dir, r, x); err != nil {
		t.Fatal(err)
	}
	first := stat(t, dir, ResultsFile)
	for _, name := range []string{JUnitFile, SummaryFile, HTMLFile} {
		if stat(t, dir, name).Before(first) {
			t.Errorf("%s was written before %s", name, ResultsFile)
		}
	}
}

func TestWriteWritesAWholeFileOfWhateverIsKnown(t *testing.T) {
	dir := t.TempDir()
	if err := Write(dir, Results{Message: "one\nline"}, Extra{}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, ResultsFile))
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	noNull(t, "", doc)
	if doc["outcome"] != "harness-error" || doc["message"] != "one / line" || doc["format"] != 1.0 {
		t.Errorf("%s", text)
	}
}

func stat(t *testing.T, dir, name string) time.Time {
	t.Helper()
	info, err := os.Stat(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() == 0 {
		t.Errorf("%s is empty", name)
	}
	return info.ModTime()
}

// A link in place of the temporary file leads the write to a device that is
// always full.
func TestADiskThatIsFullIsAnErrorAndLeavesTheOldFile(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("this system has no /dev/full")
	}
	r, x := broken()
	for _, name := range []string{ResultsFile, JUnitFile, SummaryFile, HTMLFile} {
		dir := t.TempDir()
		put(t, filepath.Join(dir, name), "old")
		if err := os.Symlink("/dev/full", filepath.Join(dir, temporary(name))); err != nil {
			t.Fatal(err)
		}
		err := Write(dir, r, x)
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
		if text, _ := os.ReadFile(filepath.Join(dir, name)); string(text) != "old" {
			t.Errorf("%s was replaced by %q", name, text)
		}
		if got := tree(t, dir); len(got) != 4 {
			t.Errorf("%s: the other files are not all there, or a temporary one is: %v", name, got)
		}
	}
}

func TestAFolderThatIsGoneIsAnError(t *testing.T) {
	err := Write(filepath.Join(t.TempDir(), "gone"), Results{}, Extra{})
	for _, name := range []string{ResultsFile, JUnitFile, SummaryFile, HTMLFile} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v does not name %s", err, name)
		}
	}
}

func TestWriteSaysWhenARenameFails(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, ResultsFile, "in the way"), "")
	err := Write(dir, Results{}, Extra{})
	if err == nil || !strings.Contains(err.Error(), ResultsFile) {
		t.Errorf("error %v", err)
	}
	if _, err := os.Lstat(filepath.Join(dir, temporary(ResultsFile))); err == nil {
		t.Error("the temporary file was left")
	}
}

type deaf struct{}

func (deaf) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestASummaryThatCannotBePrintedIsAnError(t *testing.T) {
	r, _ := broken()
	if err := Summary(deaf{}, r, Options{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("error %v", err)
	}
}

func TestCollectReadsTheEvidenceOfWhatIsNotGreen(t *testing.T) {
	dir := t.TempDir()
	red := one("SERV-01", requirement.Host, verdict.Fail)
	big := one("SERV-02", requirement.Host, verdict.Error)
	gone := one("SERV-03", requirement.Host, verdict.Fail)
	known := one("SERV-04", requirement.Host, verdict.KnownFailing)
	known.Evidence = evidence.Folder("SERV-04", "host")
	put(t, filepath.Join(dir, red.Evidence, "log"), "line\n")
	put(t, filepath.Join(dir, big.Evidence, "log"), strings.Repeat("x", collectLimit+1))
	put(t, filepath.Join(dir, known.Evidence, "log"), "line\n")
	got := Collect(dir, []verdict.Verdict{red, big, gone, known})
	if text := got[red.Evidence].Files; len(text) != 1 || text[0] != (evidence.Text{Name: "log", Text: "line\n"}) {
		t.Errorf("red: %v", text)
	}
	if text := got[big.Evidence].Files[0].Text; len(text) > collectLimit+100 || !strings.Contains(text, "262145 bytes") {
		t.Errorf("big: %d bytes, end %q", len(text), text[len(text)-40:])
	}
	if text := got[gone.Evidence].Files; len(text) != 1 || !strings.Contains(text[0].Text, "cannot be read: no such file") {
		t.Errorf("gone: %v", text)
	}
	if len(got[known.Evidence].Files) != 1 {
		t.Error("a known failure's evidence is left out")
	}
}
