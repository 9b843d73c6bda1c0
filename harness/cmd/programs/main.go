// Command programs builds the programs of the targets, for a program that is to
// carry them within itself.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"qmconformance/harness/programs"
)

func main() {
	if err := build(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func build(ctx context.Context) error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	root, err := programs.Root(dir)
	if err != nil {
		return err
	}
	set, err := programs.Build(ctx, root)
	if err != nil {
		return err
	}
	to := filepath.Join(root, programs.CarriedDir)
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	return set.Write(to)
}
