package agent

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
)

func TestExecutionsAreCounted(t *testing.T) {
	g := NewWithT(t)
	program := filepath.Join(t.TempDir(), "program")
	text, err := os.ReadFile("/bin/true")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile(program, text, 0o755)).To(Succeed())
	a := New("")
	var n int
	g.Expect(a.Opened(program, &n)).NotTo(Succeed(), "nobody watches it")
	g.Expect(a.Watch(program, nil)).To(Succeed())
	for want := 1; want <= 20; want++ {
		g.Expect(exec.Command(program).Run()).To(Succeed())
		g.Expect(a.Opened(program, &n)).To(Succeed())
		g.Expect(n).To(Equal(want), "what came before the question is in the answer")
	}
	g.Expect(a.Watch(program, nil)).To(Succeed())
	g.Expect(a.Opened(program, &n)).To(Succeed())
	g.Expect(n).To(BeZero(), "a new watch begins at nought")
	g.Expect(a.Watch(filepath.Join(t.TempDir(), "none"), nil)).NotTo(Succeed())
}
