// Package kit is what a run needs beside Docker: the programs of the targets, and
// the fixtures. They come from the harness's directory, or from within this
// program, where it was built to be carried.
package kit

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"qmconformance/fixtures"
	"qmconformance/harness/programs"
)

// Kit is opened for one run.
type Kit struct {
	// Root is the harness's directory; empty where there is none.
	Root string
	// Fixtures is a directory with the reference package, faults and variants.
	Fixtures string
	carried  programs.Set
	temp     string
}

// Open finds the harness's directory at or above dir, or unpacks what this
// program carries.
func Open(dir string) (*Kit, error) {
	set, ok := programs.Carried()
	if !ok {
		root, err := programs.Root(dir)
		return &Kit{Root: root, Fixtures: filepath.Join(root, "fixtures")}, err
	}
	return unpack(set)
}

func unpack(set programs.Set) (*Kit, error) {
	k := &Kit{carried: set}
	var err error
	if k.temp, err = os.MkdirTemp("", "qmconformance-kit-*"); err != nil {
		return k, fmt.Errorf("unpack what this program carries: %w", err)
	}
	k.Fixtures = k.temp
	if err := write(fixtures.Packages, k.temp); err != nil {
		k.Close()
		return k, fmt.Errorf("unpack what this program carries: %w", err)
	}
	return k, nil
}

// write writes files with the modes that they have in a checkout, which the
// embedding does not keep.
func write(files fs.FS, to string) error {
	return fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		at := filepath.Join(to, filepath.FromSlash(name))
		mode := fs.FileMode(0o644)
		if d.IsDir() {
			if mode = 0o755; name != "." {
				err = os.Mkdir(at, mode)
			}
		} else {
			var text []byte
			if text, err = fs.ReadFile(files, name); err == nil {
				err = os.WriteFile(at, text, mode)
			}
		}
		if err != nil {
			return err
		}
		return os.Chmod(at, mode) // whatever the umask
	})
}

// Carried says that everything comes from within this program.
func (k *Kit) Carried() bool { return k.carried != nil }

// Reference is the directory of the reference package.
func (k *Kit) Reference() string { return filepath.Join(k.Fixtures, "reference") }

// Programs are those of the targets, built where they are not carried.
func (k *Kit) Programs(ctx context.Context) (programs.Set, error) {
	if k.Carried() {
		return k.carried, nil
	}
	return programs.Build(ctx, k.Root)
}

// Close removes what Open unpacked.
func (k *Kit) Close() {
	if k != nil && k.temp != "" {
		os.RemoveAll(k.temp)
	}
}
