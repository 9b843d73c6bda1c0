package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"qmconformance/harness/verdict"
)

// Write writes the files of a run to dir. results.json comes first and replaces
// the older one in one step, so that an interrupt leaves a whole one. What can
// be written is written; any error means that a file is missing, and the caller
// must say so to the user.
func Write(dir string, r Results, x Extra) error {
	r = r.whole()
	var faults []error
	for _, f := range []struct {
		name   string
		render func(Results, Extra) ([]byte, error)
	}{
		{ResultsFile, renderJSON},
		{JUnitFile, renderJUnit},
		{SummaryFile, renderMarkdown},
		{HTMLFile, renderHTML},
	} {
		text, err := f.render(r, x)
		if err == nil {
			err = replace(dir, f.name, text)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("write %s: %w", filepath.Join(dir, f.name), err))
		}
	}
	return errors.Join(faults...)
}

// Unended is the message of a run that was killed: nobody else can write it.
const Unended = "the run did not come to its end: it was killed, or this machine stopped"

// Begin writes the results that hold until others take their place. Whatever becomes
// of the run, its folder tells no older outcome, and never none.
func Begin(dir string, r Results) error {
	r.Outcome, r.Message = verdict.HarnessError, Unended
	text, err := renderJSON(r.whole(), Extra{})
	if err == nil {
		err = replace(dir, ResultsFile, text)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Join(dir, ResultsFile), err)
	}
	return nil
}

func renderJSON(r Results, _ Extra) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	// People read the file too: < and & need no escape outside HTML.
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(r)
	return b.Bytes(), err
}

// temporary is the name of a file while it is being written.
func temporary(name string) string { return "." + name + ".new" }

// replace writes a file beside its place and renames it. It is synced first:
// some file systems tell only then that the disk is full.
func replace(dir, name string, text []byte) (err error) {
	path := filepath.Join(dir, temporary(name))
	f, err := os.Create(path)
	if err != nil {
		return cause(err)
	}
	defer func() {
		if err != nil {
			os.Remove(path)
			err = cause(err)
		}
	}()
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(path, filepath.Join(dir, name))
}
