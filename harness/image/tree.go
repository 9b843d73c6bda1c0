package image

import (
	"archive/tar"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// tree is an installed ScarletDME on this machine, listed once.
type tree struct {
	root    string
	entries []entry // in lexical order, the root first
}

type entry struct {
	name string // relative to the root; "." is the root itself
	info fs.FileInfo
	link string // of a symbolic link: its text; of a further hard link: the first name
	hard bool
}

// elfMachines are the machines of debug/elf by the name that Go has for them.
var elfMachines = map[string]elf.Machine{
	"386": elf.EM_386, "amd64": elf.EM_X86_64, "arm": elf.EM_ARM, "arm64": elf.EM_AARCH64,
	"ppc64le": elf.EM_PPC64, "riscv64": elf.EM_RISCV, "s390x": elf.EM_S390,
}

// CheckTree says whether dir can be the tree of a target: a directory whose
// bin/qm is a program for this machine. The error is a [UsageError].
func CheckTree(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return usage(err, "QMSYS=%s cannot be used: name an installed ScarletDME tree, or standin", dir)
	}
	if !info.IsDir() {
		return usage(nil, "QMSYS=%s is not a directory: name an installed ScarletDME tree, or standin", dir)
	}
	program := filepath.Join(dir, "bin/qm")
	if info, err = os.Stat(program); err != nil || !info.Mode().IsRegular() {
		return usage(err, "QMSYS=%s has no bin/qm: name an installed ScarletDME tree, or standin", dir)
	}
	f, err := os.Open(program)
	if err != nil {
		return usage(err, "QMSYS=%s: bin/qm cannot be read", dir)
	}
	defer f.Close()
	binary, err := elf.NewFile(f)
	if err != nil {
		return nil // a script in qm's place; the target will tell what it is worth
	}
	if want, known := elfMachines[runtime.GOARCH]; known && binary.Machine != want {
		return usage(nil, "QMSYS=%s: bin/qm is for %s and this machine is %s: name a tree built for it", dir, binary.Machine, want)
	}
	return nil
}

// readTree lists a tree without reading its files.
func readTree(dir string) (*tree, error) {
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, usage(err, "QMSYS=%s cannot be used", dir)
	}
	t := &tree{root: root}
	type inode struct{ dev, ino uint64 }
	first := map[inode]string{}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		e := entry{name: name, info: info}
		switch mode := info.Mode(); {
		case mode.IsDir():
		case mode&fs.ModeSymlink != 0:
			if e.link, err = os.Readlink(path); err != nil {
				return err
			}
		case mode.IsRegular():
			if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Nlink > 1 {
				key := inode{uint64(st.Dev), st.Ino}
				if e.link, e.hard = first[key]; !e.hard {
					first[key] = name
				}
			}
		default:
			return usage(nil, "QMSYS=%s: %s is a %s; only files, directories and links can be copied", dir, name, describe(mode))
		}
		t.entries = append(t.entries, e)
		return nil
	})
	if err != nil {
		if _, ok := err.(*UsageError); ok {
			return nil, err
		}
		return nil, usage(err, "QMSYS=%s cannot be read: run as a user who can", dir)
	}
	return t, nil
}

func describe(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSocket != 0:
		return "socket"
	case mode&fs.ModeNamedPipe != 0:
		return "named pipe"
	case mode&fs.ModeDevice != 0:
		return "device"
	}
	return "special file"
}

// content is true of entries that have bytes of their own.
func (e entry) content() bool { return e.info.Mode().IsRegular() && !e.hard }

// digest is the cache key: names, modes, link texts and contents. Owners and
// times do not count; the copy belongs to root in any case.
func (t *tree) digest() (string, error) {
	sums := make([][]byte, len(t.entries))
	errs := make([]error, runtime.NumCPU())
	var wg sync.WaitGroup
	for w := range errs {
		wg.Add(1)
		go func() {
			defer wg.Done()
			h, buffer := sha256.New(), make([]byte, 64<<10)
			for i := w; i < len(t.entries) && errs[w] == nil; i += len(errs) {
				if !t.entries[i].content() {
					continue
				}
				h.Reset()
				errs[w] = t.copyFile(h, t.entries[i], buffer)
				sums[i] = h.Sum(nil)
			}
		}()
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return "", err
		}
	}
	return t.combine(sums), nil
}

func (t *tree) combine(sums [][]byte) string {
	h := sha256.New()
	for i, e := range t.entries {
		fmt.Fprintf(h, "%q %o %q %t %x\n", e.name, uint32(e.info.Mode()), e.link, e.hard, sums[i])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// write puts the tree into an archive below prefix and returns the digest of
// what was written, so that a tree that changed meanwhile is noticed.
func (t *tree) write(tw *tar.Writer, prefix string) (string, error) {
	sums := make([][]byte, len(t.entries))
	buffer := make([]byte, 64<<10)
	for i, e := range t.entries {
		header, err := tar.FileInfoHeader(e.info, e.link)
		if err != nil {
			return "", fmt.Errorf("%s: %w", e.name, err)
		}
		header.Name = prefix
		if e.name != "." {
			header.Name = prefix + "/" + e.name
		}
		if e.info.IsDir() {
			header.Name += "/"
		}
		if e.hard {
			header.Typeflag, header.Linkname, header.Size = tar.TypeLink, prefix+"/"+e.link, 0
		}
		header.Uid, header.Gid, header.Uname, header.Gname = 0, 0, "root", "root"
		// Fractions of a second would need an extended header for each file.
		header.ModTime = header.ModTime.Truncate(time.Second)
		header.AccessTime, header.ChangeTime = time.Time{}, time.Time{}
		if err := tw.WriteHeader(header); err != nil {
			return "", fmt.Errorf("%s: %w", e.name, err)
		}
		if !e.content() {
			continue
		}
		h := sha256.New()
		if err := t.copyFile(io.MultiWriter(tw, h), e, buffer); err != nil {
			return "", err
		}
		sums[i] = h.Sum(nil)
	}
	return t.combine(sums), nil
}

// copyFile copies exactly as many bytes as the listing says the file has.
func (t *tree) copyFile(w io.Writer, e entry, buffer []byte) error {
	f, err := os.OpenFile(filepath.Join(t.root, e.name), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return usage(err, "QMSYS=%s cannot be read: run as a user who can", t.root)
	}
	defer f.Close()
	// The wrapper hides ReadFrom and WriteTo, which would allocate a buffer for each file.
	n, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{io.LimitReader(f, e.info.Size())}, buffer)
	if err != nil {
		return fmt.Errorf("%s: %w", e.name, err)
	}
	if n < e.info.Size() {
		return t.changed(e.name)
	}
	return nil
}

func (t *tree) changed(what string) error {
	return usage(nil, "QMSYS=%s changes while it is copied (%s): stop ScarletDME there, or name a copy", t.root, strings.TrimPrefix(what, "./"))
}
