package programs_test

import (
	"bytes"
	"debug/elf"
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"

	"qmconformance/harness/programs"
	"qmconformance/harness/settings"
	"qmconformance/harness/usage"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestTheRootIsAtOrAbove(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module qmconformance\n\ngo 1.26\n")
	// Another module in between is passed over, and so is one whose name begins so.
	write(t, filepath.Join(dir, "a", "go.mod"), "module other\n")
	write(t, filepath.Join(dir, "a", "b", "go.mod"), "module qmconformance/more\n")
	for _, at := range []string{"", "a", "a/b", "a/b/c"} {
		root, err := programs.Root(filepath.Join(dir, at))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(root).To(Equal(dir), at)
	}
	_, err := programs.Root(t.TempDir())
	g.Expect(usage.Is(err)).To(BeTrue())
}

func TestWithoutGoItIsTheUsersTurn(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := programs.Build(t.Context(), ".")
	g := NewWithT(t)
	g.Expect(usage.Is(err)).To(BeTrue())
	g.Expect(err.Error()).To(ContainSubstring("install Go"))
}

func TestABuildThatFailsSaysWhatTheCompilerSaid(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module qmconformance\n\ngo 1.26\n")
	write(t, filepath.Join(dir, "docker", "agent", "main.go"), "package main\n\nfunc main() { thisIsNothing() }\n")
	_, err := programs.Build(t.Context(), dir)
	g.Expect(err).To(MatchError(And(ContainSubstring("docker/agent"), ContainSubstring("thisIsNothing"))))
	g.Expect(usage.Is(err)).To(BeFalse())
}

func TestTheProgramsAreStatic(t *testing.T) {
	g := NewWithT(t)
	root, err := programs.Root(must(os.Getwd()))
	g.Expect(err).NotTo(HaveOccurred())
	set, err := programs.Build(t.Context(), root)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(set).To(HaveLen(3))
	for _, name := range []string{"agent", "standin", "probe"} {
		f, err := elf.NewFile(bytes.NewReader(set[name]))
		g.Expect(err).NotTo(HaveOccurred(), name)
		for _, p := range f.Progs {
			g.Expect(p.Type).NotTo(Equal(elf.PT_INTERP), name+" needs a dynamic loader")
		}
	}
	dir := t.TempDir()
	g.Expect(set.StandInTree(dir)).To(Succeed())
	g.Expect(settings.HasTree(dir)).To(BeTrue())
	g.Expect(os.ReadFile(filepath.Join(dir, "bin", "qm"))).To(Equal(set["standin"]))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
