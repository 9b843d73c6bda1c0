package agent

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// unpack lays a tar archive over a root: files replace what is there, links are
// kept as links, directories that exist keep their mode. Everything belongs to
// root, whatever the archive says.
func unpack(archive []byte, root string) error {
	r := tar.NewReader(bytes.NewReader(archive))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("unpack: %w", err)
		}
		if err := unpackOne(r, h, root); err != nil {
			return fmt.Errorf("unpack %s: %w", h.Name, err)
		}
	}
}

func unpackOne(r io.Reader, h *tar.Header, root string) error {
	path := filepath.Join(root, filepath.Clean("/"+h.Name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeDir:
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return nil
		}
		if err := os.Mkdir(path, 0o755); err != nil {
			return err
		}
	case tar.TypeSymlink:
		if err := removeFile(path); err != nil {
			return err
		}
		return os.Symlink(h.Linkname, path)
	case tar.TypeReg:
		if err := writeWhole(path, r); err != nil {
			return err
		}
	default:
		return fmt.Errorf("a package holds files, directories and symbolic links only, not type %q", h.Typeflag)
	}
	// After the content: chown clears set-id bits, and the umask cut the mode.
	if err := os.Chown(path, 0, 0); err != nil {
		return err
	}
	return syscall.Chmod(path, uint32(h.Mode)&0o7777)
}

// writeWhole replaces a file by rename, so that a program that is running from
// it keeps its own, and nobody reads half of it.
func writeWhole(path string, r io.Reader) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".conformance-*")
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		if err = os.Rename(f.Name(), path); err == nil {
			return nil
		}
	}
	if errors.Is(err, syscall.EBUSY) {
		// Docker mounts /etc/hosts and two others: such a file can only be overwritten.
		err = overwrite(path, f.Name())
	}
	if removed := removeFile(f.Name()); err == nil {
		err = removed
	}
	return err
}

func overwrite(path, with string) error {
	text, err := os.ReadFile(with)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}

func removeFile(path string) error {
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// walk lists a tree, the root first. Symbolic links are not followed, except
// that the root itself may be one: a package may install its tree by a link.
func walk(root string, limit int) ([]Entry, error) {
	resolved, err := filepath.EvalSymlinks(root)
	if err != nil {
		return nil, err
	}
	var list []Entry
	err = filepath.WalkDir(resolved, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // a session's work file that came and went
			}
			return err
		}
		if len(list) >= limit {
			return fmt.Errorf("more than %d files", limit)
		}
		e, err := stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		e.Path = filepath.Join(root, strings.TrimPrefix(path, resolved))
		list = append(list, e)
		return nil
	})
	return list, err
}

func stat(path string) (Entry, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Path: path, Mode: info.Mode(), Size: info.Size()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		e.UID, e.GID = st.Uid, st.Gid
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		e.Link, _ = os.Readlink(path)
	}
	return e, nil
}

func readDir(path string) ([]Entry, error) {
	names, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var list []Entry
	for _, name := range names {
		e, err := stat(filepath.Join(path, name.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}
