package subject

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"qmconformance/harness/usage"
)

// The two scripts at a package's top; they are run and never copied.
const (
	SetupScript = "setup.sh"
	StartScript = "start.sh"
)

// Overlay is a package as it goes into a target.
type Overlay struct {
	// Archive is a tar of everything but the scripts.
	Archive []byte
	// Setup and Start are the texts of the scripts; nil where there is none.
	Setup, Start []byte
	// Files are the paths of the overlay, absolute in the target.
	Files []string
}

// overlayCap bounds a package: it is a few configuration files and perhaps a
// program, and it is held in memory.
const overlayCap = 256 << 20

// Pack reads a package. Modes and links are kept; owners are not, since
// everything of a package belongs to root in the target. An empty dir gives an
// empty overlay.
func Pack(dir string) (Overlay, error) {
	var o Overlay
	if dir == "" {
		return o, nil
	}
	// The directory may be named by a link, which a walk would not enter.
	at, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return o, usage.Errorf("PACKAGE=%s cannot be read: %v", dir, err)
	}
	if o.Setup, err = script(dir, SetupScript); err != nil {
		return o, err
	}
	if o.Start, err = script(dir, StartScript); err != nil {
		return o, err
	}
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	err = filepath.WalkDir(at, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(at, path)
		if err != nil {
			return err
		}
		if rel == "." || rel == SetupScript || rel == StartScript {
			return nil
		}
		if buf.Len() > overlayCap {
			return usage.Errorf("PACKAGE=%s is larger than %d MiB; a package is what is laid over the root, without the qm tree", dir, overlayCap>>20)
		}
		return add(w, path, rel, d, &o)
	})
	if err != nil {
		if usage.Is(err) {
			return o, err
		}
		return o, usage.Errorf("PACKAGE=%s cannot be read: %v", dir, err)
	}
	if err := w.Close(); err != nil {
		return o, err
	}
	o.Archive = buf.Bytes()
	return o, nil
}

func add(w *tar.Writer, path, rel string, d fs.DirEntry, o *Overlay) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	link := ""
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		if link, err = os.Readlink(path); err != nil {
			return err
		}
	case info.IsDir(), info.Mode().IsRegular():
	default:
		return fmt.Errorf("%s is neither a file, a directory nor a symbolic link", rel)
	}
	h, err := tar.FileInfoHeader(info, link)
	if err != nil {
		return err
	}
	h.Name = filepath.ToSlash(rel)
	h.Uid, h.Gid, h.Uname, h.Gname = 0, 0, "", ""
	if err := w.WriteHeader(h); err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	o.Files = append(o.Files, "/"+h.Name)
	_, err = w.Write(text)
	return err
}

func script(dir, name string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(dir, name))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, usage.Errorf("the package's %s cannot be read: %v", name, err)
	}
	return text, nil
}
