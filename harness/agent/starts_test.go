package agent

import (
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
)

func TestStartsAreCounted(t *testing.T) {
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "starts")
	a := New("")
	var n int
	g.Expect(a.Starts(path, &n)).NotTo(Succeed(), "nobody counts")
	g.Expect(a.CountStarts(path, nil)).To(Succeed())
	info, err := os.Stat(path)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(info.Mode().Perm()).To(BeEquivalentTo(0o666))
	for want := 0; want <= 20; want++ {
		g.Expect(a.Starts(path, &n)).To(Succeed())
		g.Expect(n).To(Equal(want), "what came before the question is in the answer")
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		g.Expect(err).NotTo(HaveOccurred())
		_, err = f.WriteString(".")
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(f.Close()).To(Succeed())
	}
	g.Expect(a.CountStarts(path, nil)).To(Succeed())
	g.Expect(a.Starts(path, &n)).To(Succeed())
	g.Expect(n).To(BeZero(), "a new count begins at nought")
	g.Expect(a.CountStarts(filepath.Join(t.TempDir(), "none", "starts"), nil)).NotTo(Succeed())
}
