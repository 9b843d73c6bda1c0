package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"qmconformance/harness/report"
)

// NewDocument is a document of nothing: every list is there.
func NewDocument() *Document {
	return &Document{
		Format: Format, Outcome: HarnessError, Conditions: []string{}, RawColumns: rawColumns, Lines: []Line{},
		Trace: Attribution{Services: []Traced{}}, Capture: Agreement{Lines: []AgreementRow{}},
		Concurrency: []Load{}, Rates: []Load{}, Highest: []Highest{}, Growth: []Growth{}, Gate: []Gate{},
	}
}

// Write writes bench.json and bench.html. Each replaces an older one in one step.
func Write(dir string, d *Document) error {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(d); err != nil {
		return fmt.Errorf("write %s: %w", report.BenchFile, err)
	}
	if err := replace(filepath.Join(dir, report.BenchFile), text.Bytes()); err != nil {
		return err
	}
	page, err := Page(d)
	if err != nil {
		return fmt.Errorf("write %s: %w", report.BenchPage, err)
	}
	return replace(filepath.Join(dir, report.BenchPage), page)
}

func replace(path string, text []byte) error {
	half := path + ".new"
	if err := os.WriteFile(half, text, 0o644); err != nil {
		return err
	}
	return os.Rename(half, path)
}
