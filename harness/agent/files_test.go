package agent

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	. "github.com/onsi/gomega"
)

// part is one entry of an archive.
type part struct {
	name string
	kind byte
	mode int64
	text string // content, or where a link leads to
}

func archive(t *testing.T, parts ...part) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, p := range parts {
		h := &tar.Header{Name: p.name, Typeflag: p.kind, Mode: p.mode, Uid: 4711, Gid: 4712, Uname: "nobody"}
		switch p.kind {
		case tar.TypeReg:
			h.Size = int64(len(p.text))
		case tar.TypeSymlink, tar.TypeLink:
			h.Linkname = p.text
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if p.kind == tar.TypeReg {
			if _, err := w.Write([]byte(p.text)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestAnOverlayIsLaidOverTheRoot(t *testing.T) {
	asRoot(t)
	g := NewWithT(t)
	c, root := connected(t)
	// What is there already: a directory with a mode of its own, a directory behind
	// a link, a file that somebody has open, a link that a file takes the place of.
	put(t, root, "etc/old", "old", 0o600)
	g.Expect(os.Chmod(filepath.Join(root, "etc"), 0o711)).To(Succeed())
	put(t, root, "usr/lib/x", "x", 0o644)
	g.Expect(os.Symlink("usr/lib", filepath.Join(root, "lib"))).To(Succeed())
	open, err := os.Open(filepath.Join(root, "etc", "old"))
	g.Expect(err).NotTo(HaveOccurred())
	defer open.Close()
	put(t, root, "elsewhere", "untouched", 0o644)
	g.Expect(os.Symlink("../elsewhere", filepath.Join(root, "etc", "wasalink"))).To(Succeed())

	g.Expect(c.Unpack(limited(t), archive(t,
		part{"etc/", tar.TypeDir, 0o700, ""},
		part{"etc/old", tar.TypeReg, 0o640, "new"},
		part{"etc/wasalink", tar.TypeReg, 0o644, "a file"},
		part{"etc/link", tar.TypeSymlink, 0o777, "/nowhere"},
		part{"etc/fresh/", tar.TypeDir, 0o2775, ""},
		part{"etc/fresh/tool", tar.TypeReg, 0o4755, "#!"},
		part{"lib", tar.TypeDir, 0o755, ""},
		part{"lib/y", tar.TypeReg, 0o644, "y"},
		part{"srv/deep/down", tar.TypeReg, 0o644, "without its directories"},
	))).To(Succeed())

	entry := func(name string) Entry {
		e, err := c.Stat(limited(t), name)
		g.Expect(err).NotTo(HaveOccurred(), name)
		return e
	}
	g.Expect(entry("/etc").Mode.Perm()).To(BeEquivalentTo(0o711), "a directory that exists keeps its mode")
	g.Expect(entry("/etc/old").Mode).To(BeEquivalentTo(0o640))
	g.Expect(text(t, root, "etc/old")).To(Equal("new"))
	before := make([]byte, 3)
	_, err = open.Read(before)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(before)).To(Equal("old"), "whoever has the file open keeps it")
	g.Expect(text(t, root, "elsewhere")).To(Equal("untouched"), "a link is replaced, not written through")
	g.Expect(text(t, root, "etc/wasalink")).To(Equal("a file"))
	g.Expect(entry("/etc/link").Link).To(Equal("/nowhere"))
	g.Expect(entry("/etc/fresh").Mode).To(Equal(os.ModeDir | os.ModeSetgid | 0o775))
	g.Expect(entry("/etc/fresh/tool").Mode).To(Equal(os.ModeSetuid | 0o755))
	g.Expect(entry("/lib").Mode&os.ModeSymlink).NotTo(BeZero(), "a link to a directory stays")
	g.Expect(text(t, root, "usr/lib/y")).To(Equal("y"))
	g.Expect(entry("/srv/deep").Mode.Perm()).To(BeEquivalentTo(0o755))
	for _, name := range []string{"/etc/old", "/etc/fresh", "/etc/fresh/tool", "/etc/link"} {
		e := entry(name)
		g.Expect([]uint32{e.UID, e.GID}).To(Equal([]uint32{0, 0}), "whatever the archive says: "+name)
	}
	names, err := os.ReadDir(filepath.Join(root, "etc"))
	g.Expect(err).NotTo(HaveOccurred())
	for _, n := range names {
		g.Expect(n.Name()).NotTo(HavePrefix(".conformance"), "a file on its way was left behind")
	}

	// The same again changes nothing: a link may be there already.
	g.Expect(c.Unpack(limited(t), archive(t, part{"etc/link", tar.TypeSymlink, 0o777, "/other"}))).To(Succeed())
	g.Expect(entry("/etc/link").Link).To(Equal("/other"))
}

func TestHostileNamesStayBelowTheRoot(t *testing.T) {
	asRoot(t)
	g := NewWithT(t)
	above := t.TempDir()
	root := filepath.Join(above, "root")
	g.Expect(os.Mkdir(root, 0o755)).To(Succeed())
	for _, name := range []string{"../one", "../../two", "/three", "a/../../four", "./five", "a/b/../../../../six"} {
		g.Expect(unpack(archive(t, part{name, tar.TypeReg, 0o644, "x"}), root)).To(Succeed(), name)
	}
	list, err := os.ReadDir(above)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(list).To(HaveLen(1))
	for _, name := range []string{"one", "two", "three", "four", "five", "six"} {
		g.Expect(filepath.Join(root, name)).To(BeARegularFile())
	}
}

func TestWhatCannotBeUnpackedIsNamed(t *testing.T) {
	asRoot(t)
	root := t.TempDir()
	put(t, root, "dir/file", "", 0o644)
	put(t, root, "plain", "", 0o644)
	for name, c := range map[string]struct {
		archive []byte
		says    string
	}{
		"a device":                      {archive(t, part{"null", tar.TypeChar, 0o666, ""}), "unpack null: a package holds files, directories and symbolic links only"},
		"a hard link":                   {archive(t, part{"hard", tar.TypeLink, 0o644, "plain"}), "unpack hard: a package holds"},
		"a file for a directory":        {archive(t, part{"dir", tar.TypeReg, 0o644, ""}), "unpack dir"},
		"a link for a directory":        {archive(t, part{"dir", tar.TypeSymlink, 0o777, "x"}), "unpack dir"},
		"a directory for a file":        {archive(t, part{"plain", tar.TypeDir, 0o755, ""}), "unpack plain"},
		"below a file":                  {archive(t, part{"plain/x", tar.TypeReg, 0o644, ""}), "unpack plain/x"},
		"no archive":                    {bytes.Repeat([]byte("no archive "), 100), "unpack: "},
		"an archive that ends too soon": {archive(t, part{"x", tar.TypeReg, 0o644, strings.Repeat("x", 2000)})[:1024], "unpack x"},
	} {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(unpack(c.archive, root)).To(MatchError(ContainSubstring(c.says)))
		})
	}
	t.Run("and nothing is left of it", func(t *testing.T) {
		g := NewWithT(t)
		list, err := os.ReadDir(root)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(list).To(HaveLen(2), "%v", list)
	})
}

func TestWalk(t *testing.T) {
	g := NewWithT(t)
	c, root := connected(t)
	put(t, root, "real/a", "12345", 0o640)
	put(t, root, "real/b/c", "", 0o644)
	g.Expect(os.Symlink("b", filepath.Join(root, "real", "loop"))).To(Succeed())
	g.Expect(os.Symlink("real", filepath.Join(root, "tree"))).To(Succeed())
	paths := func(list []Entry) (all []string) {
		for _, e := range list {
			all = append(all, e.Path)
		}
		return all
	}
	list, err := c.Walk(limited(t), "/real", 100)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(paths(list)).To(Equal([]string{"/real", "/real/a", "/real/b", "/real/b/c", "/real/loop"}))
	g.Expect(list[1].Size).To(BeEquivalentTo(5))
	g.Expect(list[4].Link).To(Equal("b"), "a link within is not followed")

	list, err = c.Walk(limited(t), "/tree", 100)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(paths(list)).To(Equal([]string{"/tree", "/tree/a", "/tree/b", "/tree/b/c", "/tree/loop"}), "the root may be a link")

	_, err = c.Walk(limited(t), "/real", 4)
	g.Expect(err).To(MatchError(ContainSubstring("more than 4 files")))
	list, err = c.Walk(limited(t), "/real", 5)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(list).To(HaveLen(5))
}

func TestADirectoryIsReadWithItsSmallFiles(t *testing.T) {
	g := NewWithT(t)
	c, root := connected(t)
	put(t, root, "d/empty", "", 0o600)
	put(t, root, "d/large", strings.Repeat("x", smallFile+1), 0o600)
	put(t, root, "d/small", "text", 0o600)
	put(t, root, "d/sub/x", "", 0o644)
	g.Expect(os.Symlink("small", filepath.Join(root, "d", "link"))).To(Succeed())
	g.Expect(syscall.Mkfifo(filepath.Join(root, "d", "pipe"), 0o600)).To(Succeed())
	list, err := c.ReadFiles(limited(t), "/d")
	g.Expect(err).NotTo(HaveOccurred())
	read := map[string]string{}
	var names []string
	for _, f := range list {
		names = append(names, f.Path)
		if f.Read {
			read[f.Path] = string(f.Text)
		}
	}
	g.Expect(names).To(Equal([]string{"/d/empty", "/d/large", "/d/link", "/d/pipe", "/d/small", "/d/sub"}))
	g.Expect(read).To(Equal(map[string]string{"/d/empty": "", "/d/small": "text"}))
}

func TestReadDirAndStat(t *testing.T) {
	g := NewWithT(t)
	c, root := connected(t)
	put(t, root, "d/b", "1", 0o600)
	put(t, root, "d/a/x", "", 0o644)
	g.Expect(os.Symlink("b", filepath.Join(root, "d", "c"))).To(Succeed())
	list, err := c.ReadDir(limited(t), "/d")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(list).To(HaveLen(3))
	g.Expect([]string{list[0].Path, list[1].Path, list[2].Path}).To(Equal([]string{"/d/a", "/d/b", "/d/c"}))
	g.Expect(list[0].Mode.IsDir()).To(BeTrue())
	e, err := c.Stat(limited(t), "/d/c")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(e.Link).To(Equal("b"), "lstat, not stat")
	g.Expect(e.UID).To(BeEquivalentTo(os.Getuid()))
}
