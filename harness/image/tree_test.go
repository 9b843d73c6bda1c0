package image

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	. "github.com/onsi/gomega"
)

func digestOf(t *testing.T, dir string) string {
	t.Helper()
	tr, err := readTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := tr.digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

func TestDigestSeesEveryChangeThatTheCopyWouldShow(t *testing.T) {
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, change := range map[string]func(root string){
		"content of the same length": func(r string) { must(os.WriteFile(r+"/errlog", []byte("#!/bin/sh\n# errloh\n"), 0o600)) },
		"mode":                       func(r string) { must(os.Chmod(r+"/errlog", 0o640)) },
		"mode of a directory":        func(r string) { must(os.Chmod(r+"/gcat", 0o700)) },
		"set-gid directory":          func(r string) { must(os.Chmod(r+"/gcat", 0o775|os.ModeSetgid)) },
		"name":                       func(r string) { must(os.Rename(r+"/errlog", r+"/errlog2")) },
		"new empty file":             func(r string) { must(os.WriteFile(r+"/new", nil, 0o644)) },
		"new empty directory":        func(r string) { must(os.Mkdir(r+"/new", 0o755)) },
		"target of a link":           func(r string) { must(os.Remove(r + "/bin/qmlink")); must(os.Symlink("./qm", r+"/bin/qmlink")) },
		"hard link made a copy": func(r string) {
			text, err := os.ReadFile(r + "/gcat/hard")
			must(err)
			must(os.Remove(r + "/gcat/hard"))
			must(os.WriteFile(r+"/gcat/hard", text, 0o664))
			must(os.Chmod(r+"/gcat/hard", 0o664))
		},
		"file gone": func(r string) { must(os.Remove(r + "/errlog")) },
	} {
		t.Run(name, func(t *testing.T) {
			root := sampleTree(t)
			before := digestOf(t, root)
			if again := digestOf(t, root); again != before {
				t.Fatal("the digest of the same tree differs from call to call")
			}
			change(root)
			if digestOf(t, root) == before {
				t.Error("the digest did not change")
			}
		})
	}
}

func TestDigestIgnoresPlaceAndTime(t *testing.T) {
	one, other := digestOf(t, sampleTree(t)), digestOf(t, sampleTree(t))
	if one != other {
		t.Error("two equal trees in different places, written at different times, have different digests")
	}
}

func TestDigestFollowsALinkToTheTree(t *testing.T) {
	root := sampleTree(t)
	link := filepath.Join(t.TempDir(), "qmsys")
	if err := os.Symlink(root, link); err != nil {
		t.Fatal(err)
	}
	if digestOf(t, link) != digestOf(t, root) {
		t.Error("a link to a tree is another tree")
	}
}

func TestArchiveKeepsModesAndLinksAndBelongsToRoot(t *testing.T) {
	g := NewWithT(t)
	root := sampleTree(t)
	tr, err := readTree(root)
	g.Expect(err).NotTo(HaveOccurred())
	digest, err := tr.digest()
	g.Expect(err).NotTo(HaveOccurred())
	var archive bytes.Buffer
	tw := tar.NewWriter(&archive)
	wrote, err := tr.write(tw, treePrefix)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(wrote).To(Equal(digest))
	g.Expect(tw.Close()).To(Succeed())

	got := map[string]*tar.Header{}
	var names []string
	for r := tar.NewReader(&archive); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect([]any{h.Uid, h.Gid, h.Uname, h.Gname}).To(Equal([]any{0, 0, "root", "root"}), h.Name)
		got[h.Name] = h
		names = append(names, h.Name)
	}
	g.Expect(names[0]).To(Equal("usr/qmsys/"), "the root comes first")
	g.Expect(names).To(HaveLen(9))
	g.Expect(got["usr/qmsys/bin/qm"].Mode).To(BeEquivalentTo(0o755))
	g.Expect(got["usr/qmsys/errlog"].Mode).To(BeEquivalentTo(0o600))
	g.Expect(got["usr/qmsys/bin/qmlink"].Linkname).To(Equal("qm"))
	g.Expect(got["usr/qmsys/gcat/hard"].Typeflag).To(BeEquivalentTo(tar.TypeLink))
	g.Expect(got["usr/qmsys/gcat/hard"].Linkname).To(Equal("usr/qmsys/gcat/$LOGIN"))
	g.Expect(got["usr/qmsys/$IPC/"].Typeflag).To(BeEquivalentTo(tar.TypeDir))
}

func TestTreeThatChangesWhileItIsCopied(t *testing.T) {
	g := NewWithT(t)
	root := sampleTree(t)
	tr, err := readTree(root)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.Truncate(root+"/errlog", 3)).To(Succeed())
	_, err = tr.write(tar.NewWriter(io.Discard), treePrefix)
	g.Expect(err).To(BeAssignableToTypeOf(&UsageError{}))
	g.Expect(err).To(MatchError(ContainSubstring("stop ScarletDME")))

	// Same length: only the second digest notices.
	root = sampleTree(t)
	tr, err = readTree(root)
	g.Expect(err).NotTo(HaveOccurred())
	digest, err := tr.digest()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile(root+"/errlog", []byte("#!/bin/sh\n# ERRLOG\n"), 0o600)).To(Succeed())
	err = tr.nested(tar.NewWriter(io.Discard), digest, false)
	g.Expect(err).To(MatchError(ContainSubstring("stop ScarletDME")))
}

func TestSpecialFilesAreRefused(t *testing.T) {
	for kind, create := range map[string]func(path string) error{
		"named pipe": func(p string) error { return syscall.Mkfifo(p, 0o600) },
		"socket": func(p string) error {
			l, err := net.ListenUnix("unix", &net.UnixAddr{Name: p, Net: "unix"})
			if err == nil {
				l.SetUnlinkOnClose(false)
				l.Close()
			}
			return err
		},
	} {
		root, err := os.MkdirTemp("", "tree") // a socket's path is short
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(root)
		if err := create(filepath.Join(root, "odd")); err != nil {
			t.Fatal(err)
		}
		g := NewWithT(t)
		_, err = readTree(root)
		g.Expect(err).To(BeAssignableToTypeOf(&UsageError{}))
		g.Expect(err).To(MatchError(ContainSubstring("odd is a " + kind)))
	}
}

// header is a minimal ELF header for a machine.
func header(machine uint16) []byte {
	h := make([]byte, 64)
	copy(h, "\x7fELF\x02\x01\x01")
	binary.LittleEndian.PutUint16(h[16:], 2)
	binary.LittleEndian.PutUint16(h[18:], machine)
	binary.LittleEndian.PutUint32(h[20:], 1)
	binary.LittleEndian.PutUint16(h[52:], 64)
	return h
}

func TestCheckTree(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	withQM := func(content []byte) string {
		root := sampleTree(t)
		if err := os.WriteFile(root+"/bin/qm", content, 0o755); err != nil {
			t.Fatal(err)
		}
		return root
	}
	foreign := uint16(183) // EM_AARCH64
	if runtime.GOARCH == "arm64" {
		foreign = 62 // EM_X86_64
	}
	for name, c := range map[string]struct{ dir, want string }{
		"a tree":              {sampleTree(t), ""},
		"missing":             {"/no/such/tree", "name an installed ScarletDME tree"},
		"a file":              {file, "is not a directory"},
		"no bin/qm":           {t.TempDir(), "has no bin/qm"},
		"another machine":     {withQM(header(foreign)), "tree built for it"},
		"this machine":        {withQM(header(uint16(elfMachines[runtime.GOARCH]))), ""},
		"an empty file as qm": {withQM(nil), ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			err := CheckTree(c.dir)
			if c.want == "" {
				g.Expect(err).NotTo(HaveOccurred())
				return
			}
			g.Expect(err).To(BeAssignableToTypeOf(&UsageError{}))
			g.Expect(err).To(MatchError(ContainSubstring(c.want)))
			g.Expect(strings.Count(err.Error(), "\n")).To(BeZero())
		})
	}
}
