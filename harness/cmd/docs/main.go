// Command docs writes the pages of the requirements from the catalogue.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"qmconformance/harness/programs"
	"qmconformance/harness/requirement"
	"qmconformance/harness/requirement/handbook"
)

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write() error {
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	root, err := programs.Root(here)
	if err != nil {
		return err
	}
	catalogue, err := requirement.Load()
	if err != nil {
		return err
	}
	pages, err := handbook.Pages(catalogue)
	if err != nil {
		return err
	}
	dir := filepath.Join(root, handbook.Dir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
