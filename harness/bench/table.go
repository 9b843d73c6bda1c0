package bench

import (
	"fmt"
	"io"
)

// Table prints a document for a person at a terminal.
func Table(w io.Writer, d *Document, dir string) error {
	_, err := fmt.Fprintln(w, d.Outcome, d.Message)
	return err
}
func Page(d *Document) ([]byte, error) { return nil, nil }
