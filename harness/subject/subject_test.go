package subject_test

import (
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"qmconformance/harness/settings"
	"qmconformance/harness/subject"
	"qmconformance/harness/usage"
)

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// reference is a package that is sound.
func reference(t *testing.T) string {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "etc", "services"), "qmserver 4242/tcp\n", 0o644)
	return dir
}

func TestResolveNamesTheParts(t *testing.T) {
	g := NewWithT(t)
	ref, other, tree := reference(t), reference(t), program(t, thisMachine(t))
	for name, c := range map[string]struct {
		s    settings.Settings
		want subject.Subject
	}{
		"the reference": {
			settings.Settings{QMSys: settings.StandIn, Base: "bookworm"},
			subject.Subject{Package: ref, PackageName: "fixtures/reference", QMSource: "standin", Base: "bookworm"},
		},
		"another package": {
			settings.Settings{Package: other, QMSys: settings.StandIn, Base: "trixie"},
			subject.Subject{Package: other, PackageName: other, QMSource: "standin", Base: "trixie"},
		},
		"what the base holds": {
			settings.Settings{Package: settings.None, QMSys: settings.Image, Base: "product:1"},
			subject.Subject{PackageName: "none", QMSource: "image", Base: "product:1"},
		},
		"an installed tree": {
			settings.Settings{QMSys: tree, Base: "bookworm"},
			subject.Subject{Package: ref, PackageName: "fixtures/reference", Tree: tree, QMSource: tree, Base: "bookworm"},
		},
	} {
		got, err := subject.Resolve(c.s, ref)
		g.Expect(err).NotTo(HaveOccurred(), name)
		g.Expect(got).To(Equal(c.want), name)
	}
}

// wrong expects a usage error of one line that names the variable and says what
// to do.
func wrong(t *testing.T, err error, variable, part string) {
	t.Helper()
	g := NewWithT(t)
	g.Expect(usage.Is(err)).To(BeTrue(), "%v", err)
	g.Expect(err.Error()).To(And(HavePrefix(variable+"="), ContainSubstring(part)))
	g.Expect(strings.Count(err.Error(), "\n")).To(BeZero())
}

func TestAPackageThatIsNone(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file.deb")
	write(t, file, "", 0o644)
	for name, c := range map[string]struct{ at, says string }{
		"missing":       {filepath.Join(dir, "nowhere"), "does not exist"},
		"below a file":  {filepath.Join(file, "x"), "cannot be read"},
		"no directory":  {file, "is not a directory; unpack"},
		"empty":         {t.TempDir(), "is empty"},
		"a broken link": {link(t, filepath.Join(dir, "gone")), "does not exist"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := subject.Resolve(settings.Settings{Package: c.at, QMSys: settings.StandIn}, "")
			wrong(t, err, "PACKAGE", c.says)
		})
	}
}

func link(t *testing.T, to string) string {
	t.Helper()
	at := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(to, at); err != nil {
		t.Fatal(err)
	}
	return at
}

// program makes a tree whose bin/qm is an ELF file of a machine, as far as its
// header goes.
func program(t *testing.T, machine elf.Machine) string {
	dir := t.TempDir()
	h := make([]byte, 64)
	copy(h, elf.ELFMAG)
	h[elf.EI_CLASS], h[elf.EI_DATA], h[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)
	binary.LittleEndian.PutUint16(h[16:], uint16(elf.ET_EXEC))
	binary.LittleEndian.PutUint16(h[18:], uint16(machine))
	binary.LittleEndian.PutUint32(h[20:], uint32(elf.EV_CURRENT))
	binary.LittleEndian.PutUint16(h[52:], 64)
	write(t, filepath.Join(dir, "bin", "qm"), string(h), 0o755)
	return dir
}

func thisMachine(t *testing.T) elf.Machine {
	switch runtime.GOARCH {
	case "amd64":
		return elf.EM_X86_64
	case "arm64":
		return elf.EM_AARCH64
	}
	t.Skip("a machine that this test does not know")
	return 0
}

func TestATreeThatIsNone(t *testing.T) {
	thisMachine(t)
	script := t.TempDir()
	write(t, filepath.Join(script, "bin", "qm"), "#!/bin/sh\n", 0o755)
	directory := t.TempDir()
	write(t, filepath.Join(directory, "bin", "qm", "x"), "", 0o644)
	for name, c := range map[string]struct{ at, says string }{
		"missing":         {filepath.Join(script, "nowhere"), "holds no bin/qm"},
		"empty":           {t.TempDir(), "holds no bin/qm"},
		"a directory":     {directory, "holds no bin/qm"},
		"a script":        {script, "not a Linux program"},
		"another machine": {program(t, elf.EM_SPARCV9), "is built for EM_SPARCV9 and this machine is " + runtime.GOARCH},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := subject.Resolve(settings.Settings{Package: settings.None, QMSys: c.at}, "")
			wrong(t, err, "QMSYS", c.says)
			NewWithT(t).Expect(err.Error()).To(ContainSubstring("QMSYS=standin"))
		})
	}
}

func TestNeitherIsLookedForWhereTheImageHoldsBoth(t *testing.T) {
	_, err := subject.Resolve(settings.Settings{Package: settings.None, QMSys: settings.Image}, "/nowhere")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
}
