package subject_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"

	"qmconformance/harness/subject"
	"qmconformance/harness/usage"
)

type packed struct {
	header tar.Header
	text   string
}

func unpack(t *testing.T, archive []byte) map[string]packed {
	t.Helper()
	all := map[string]packed{}
	r := tar.NewReader(bytes.NewReader(archive))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all[h.Name] = packed{*h, string(text)}
	}
}

func TestPackKeepsModesAndLinks(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "etc", "xinetd.d", "qmserver"), "service qmserver\n", 0o640)
	write(t, filepath.Join(dir, "usr", "bin", "tool"), "#!/bin/sh\n", 0o755)
	write(t, filepath.Join(dir, "setup.sh"), "set up\n", 0o600)
	write(t, filepath.Join(dir, "start.sh"), "start\n", 0o600)
	write(t, filepath.Join(dir, "etc", "setup.sh"), "another\n", 0o644)
	g.Expect(os.Chmod(filepath.Join(dir, "usr", "bin", "tool"), 0o755|os.ModeSetuid)).To(Succeed())
	g.Expect(os.Mkdir(filepath.Join(dir, "srv"), 0o755)).To(Succeed())
	g.Expect(os.Chmod(filepath.Join(dir, "srv"), 0o775|os.ModeSetgid)).To(Succeed())
	g.Expect(os.Symlink("../etc", filepath.Join(dir, "usr", "link"))).To(Succeed())
	g.Expect(os.Symlink("/nowhere", filepath.Join(dir, "broken"))).To(Succeed())
	if os.Getuid() == 0 {
		g.Expect(os.Chown(filepath.Join(dir, "srv"), 1234, 1234)).To(Succeed())
		g.Expect(os.Chmod(filepath.Join(dir, "srv"), 0o775|os.ModeSetgid)).To(Succeed())
	}

	o, err := subject.Pack(dir)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(o.Setup)).To(Equal("set up\n"))
	g.Expect(string(o.Start)).To(Equal("start\n"))
	all := unpack(t, o.Archive)
	g.Expect(all).NotTo(HaveKey("setup.sh"))
	g.Expect(all).NotTo(HaveKey("start.sh"))
	g.Expect(all["etc/setup.sh"].text).To(Equal("another\n"), "only those at the top are scripts")
	g.Expect(all["etc/xinetd.d/qmserver"].text).To(Equal("service qmserver\n"))
	g.Expect(all["etc/xinetd.d/qmserver"].header.Mode).To(BeEquivalentTo(0o640))
	g.Expect(all["usr/bin/tool"].header.Mode).To(BeEquivalentTo(0o4755))
	g.Expect(all["srv/"].header.Mode | all["srv"].header.Mode).To(BeEquivalentTo(0o2775))
	g.Expect(all["usr/link"].header.Linkname).To(Equal("../etc"))
	g.Expect(all["broken"].header.Linkname).To(Equal("/nowhere"))
	for name, p := range all {
		g.Expect([]any{p.header.Uid, p.header.Gid, p.header.Uname, p.header.Gname}).To(Equal([]any{0, 0, "", ""}), name)
	}
	g.Expect(o.Files).To(ConsistOf("/etc/xinetd.d/qmserver", "/usr/bin/tool", "/etc/setup.sh"))
}

func TestAPackageMayBeNamedByALink(t *testing.T) {
	g := NewWithT(t)
	o, err := subject.Pack(link(t, reference(t)))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(unpack(t, o.Archive)).To(HaveKey("etc/services"))
	g.Expect(o.Files).To(Equal([]string{"/etc/services"}))
}

func TestNoPackageIsAnEmptyOverlay(t *testing.T) {
	o, err := subject.Pack("")
	g := NewWithT(t)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(o.Archive).To(BeEmpty())
	g.Expect(o.Setup).To(BeNil())
}

func TestAMissingScriptIsNil(t *testing.T) {
	g := NewWithT(t)
	dir := reference(t)
	o, err := subject.Pack(dir)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(o.Setup).To(BeNil())
	g.Expect(o.Start).To(BeNil())
	// An empty one is one: it is run, and does nothing.
	write(t, filepath.Join(dir, "start.sh"), "", 0o644)
	o, err = subject.Pack(dir)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(o.Start).NotTo(BeNil())
}

func TestWhatCannotBePackedIsToldInOneLine(t *testing.T) {
	socket := t.TempDir()
	listener, err := net.Listen("unix", filepath.Join(socket, "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	scriptDir := t.TempDir()
	write(t, filepath.Join(scriptDir, "setup.sh", "x"), "", 0o644)
	startDir := t.TempDir()
	write(t, filepath.Join(startDir, "start.sh", "x"), "", 0o644)
	for name, c := range map[string]struct{ at, says string }{
		"a socket":                {socket, "s is neither a file, a directory nor a symbolic link"},
		"setup.sh is a directory": {scriptDir, "setup.sh cannot be read"},
		"start.sh is a directory": {startDir, "start.sh cannot be read"},
		"gone":                    {filepath.Join(socket, "nowhere"), "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			_, err := subject.Pack(c.at)
			g.Expect(usage.Is(err)).To(BeTrue(), "%v", err)
			g.Expect(err.Error()).To(And(ContainSubstring(c.says), Not(ContainSubstring("\n"))))
		})
	}
}
