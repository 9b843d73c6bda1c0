package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/distribution/reference"

	"qmconformance/harness/usage"
)

// Kinds of baseline.
const (
	KindPackage = "package"
	KindImage   = "image"
	KindFile    = "file"
)

// Resolved is a baseline that was found.
type Resolved struct {
	Baseline
	// Package is its directory, Image its name, Document its content, by kind.
	Package  string
	Image    string
	Document *Document
}

// ResolveBaseline finds out what BASELINE names: a directory is a package, a file
// an earlier bench.json, and anything else an image. An empty text is none.
func ResolveBaseline(text string, machine Machine) (Resolved, error) {
	var r Resolved
	if text == "" {
		return r, nil
	}
	r.Name = text
	info, err := os.Stat(text)
	switch {
	case err == nil && info.IsDir():
		r.Kind, r.Gating = KindPackage, true
		if r.Package, err = filepath.Abs(text); err != nil {
			return r, err
		}
		if entries, err := os.ReadDir(text); err != nil || len(entries) == 0 {
			return r, usage.Errorf("BASELINE=%s is empty or cannot be read; name the directory of a package, which holds its etc/", text)
		}
		return r, nil
	case err == nil:
		return r, r.read(text, machine)
	case strings.HasSuffix(text, ".json") || strings.HasPrefix(text, ".") || strings.HasPrefix(text, "/"):
		return r, usage.Errorf("BASELINE=%s does not exist; name a package's directory, the bench.json of an earlier run, or an image", text)
	}
	if _, err := reference.ParseAnyReference(text); err != nil {
		return r, usage.Errorf("BASELINE=%s is neither a directory, a file, nor the name of an image; name a package's directory, the bench.json of an earlier run, or an image", text)
	}
	r.Kind, r.Image, r.Gating = KindImage, text, true
	return r, nil
}

// read reads an earlier document and says whether it may gate.
func (r *Resolved) read(path string, machine Machine) error {
	r.Kind = KindFile
	text, err := os.ReadFile(path)
	if err != nil {
		return usage.Errorf("BASELINE=%s cannot be read: %v; name the bench.json of an earlier run", path, err)
	}
	r.Document = new(Document)
	if err := json.Unmarshal(text, r.Document); err != nil || r.Document.Format == 0 || len(r.Document.Lines) == 0 {
		return usage.Errorf("BASELINE=%s holds no measurements; name the bench.json of a run that went to its end", path)
	}
	switch old := r.Document; {
	case old.Format != Format:
		return usage.Errorf("BASELINE=%s has format %d and this harness writes %d; measure the baseline again", path, old.Format, Format)
	case old.Machine.ID != machine.ID:
		r.Why = fmt.Sprintf("it was measured on another machine (%s, %d cores, Linux %s): shown, not judged", old.Machine.Processor, old.Machine.Cores, old.Machine.Kernel)
	case old.Subject.QM.Kind == "":
		r.Why = "it does not say what was measured: shown, not judged"
	default:
		r.Gating = true
	}
	return nil
}
