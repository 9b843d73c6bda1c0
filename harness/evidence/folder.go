package evidence

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Dir is the folder of evidence under RESULTS.
const Dir = "evidence"

// Observation is the file of a folder that holds what was observed.
const Observation = "observation.json"

// Folder is where the evidence of one verdict goes, relative to RESULTS. ID and
// service together are unique, so folders never collide.
func Folder(id, service string) string { return filepath.Join(Dir, id+"-"+service) }

// Write writes a bundle and what was observed under results/folder; both go
// through the bundle's list of secrets. reproduce is a shell script that judges
// just this again.
func Write(results, folder string, b *Bundle, observed any, reproduce string) error {
	dir := filepath.Join(results, folder)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write evidence: %w", err)
	}
	files := b.Files()
	packets, err := b.packetFiles()
	if err != nil {
		return fmt.Errorf("write evidence: %w", err)
	}
	files = append(files, packets...)
	if observed != nil {
		text, err := observation(observed, b)
		if err != nil {
			return fmt.Errorf("write evidence: %w", err)
		}
		files = append(files, Text{Observation, text + "\n"})
	}
	files = append(files, Text{"reproduce.sh", reproduce})
	for _, f := range files {
		mode := os.FileMode(0o644)
		if strings.HasSuffix(f.Name, ".sh") {
			mode = 0o755
		}
		if err := os.WriteFile(filepath.Join(dir, f.Name), []byte(f.Text), mode); err != nil {
			return fmt.Errorf("write evidence: %w", err)
		}
	}
	return nil
}
