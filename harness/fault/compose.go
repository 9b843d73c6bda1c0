package fault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"qmconformance/harness/subject"
)

// Compose makes the package of a fault in a directory that it creates, from the
// reference package. Modes and links are kept. An error says that the fault does
// not fit the reference package.
func Compose(reference string, f Fault, dir string) error {
	if err := copyTree(reference, dir); err != nil {
		return fmt.Errorf("compose %s: %w", f.Name, err)
	}
	if err := f.make(dir); err != nil {
		return fmt.Errorf("compose %s: %w", f.Name, err)
	}
	return nil
}

func (f Fault) make(dir string) error {
	for _, e := range f.Edit {
		if err := e.apply(dir); err != nil {
			return err
		}
	}
	for _, name := range f.Remove {
		path := filepath.Join(dir, name)
		if _, err := os.Lstat(path); err != nil {
			return fmt.Errorf("remove %s: the package has no such file", name)
		}
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	over := filepath.Join(f.Dir, overlayDir)
	if _, err := os.Stat(over); err == nil {
		if err := copyTree(over, dir); err != nil {
			return err
		}
	}
	if f.After != "" {
		if err := appendText(filepath.Join(dir, subject.SetupScript), "\n"+f.After); err != nil {
			return err
		}
	}
	if f.Start != "" {
		return os.WriteFile(filepath.Join(dir, subject.StartScript), []byte(f.Start), 0o644)
	}
	return nil
}

func (e Edit) apply(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, e.File))
	if err != nil {
		return fmt.Errorf("edit of %s: %w", e.File, err)
	}
	if len(files) == 0 {
		return fmt.Errorf("edit of %s: the package has no such file", e.File)
	}
	from := e.pattern()
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		at := from.FindAllIndex(text, -1)
		if len(at) != 1 {
			return fmt.Errorf("edit of %s: %q is found %d times, and must be there once", file, e.From, len(at))
		}
		changed := string(text[:at[0][0]]) + e.To + string(text[at[0][1]:])
		if err := os.WriteFile(file, []byte(changed), info.Mode().Perm()); err != nil {
			return err
		}
	}
	return nil
}

var blanks = regexp.MustCompile(`[ \t]+`)

// pattern is From with any run of blanks for each of its own, so that a fault
// does not depend on how the reference package is laid out.
func (e Edit) pattern() *regexp.Regexp {
	var parts []string
	for _, part := range blanks.Split(e.From, -1) {
		parts = append(parts, regexp.QuoteMeta(part))
	}
	return regexp.MustCompile(strings.Join(parts, `[ \t]+`))
}

func appendText(path, text string) error {
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	mode := fs.FileMode(0o644)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	return os.WriteFile(path, append(old, text...), mode)
}

// copyTree copies a directory's content into another, over what is there.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		at := filepath.Join(to, rel)
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch {
		case d.IsDir():
			return os.MkdirAll(at, info.Mode().Perm()|0o700)
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			if err := os.RemoveAll(at); err != nil {
				return err
			}
			return os.Symlink(target, at)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		// A file that is there keeps its own mode when it is written, and a link leads
		// elsewhere.
		if err := os.Remove(at); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.WriteFile(at, text, info.Mode().Perm()); err != nil {
			return err
		}
		return os.Chmod(at, info.Mode().Perm())
	})
}
