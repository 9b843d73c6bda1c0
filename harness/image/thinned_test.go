package image

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	. "github.com/onsi/gomega"
)

func TestAThinnedTreeKeepsAllButRecords(t *testing.T) {
	g := NewWithT(t)
	root := sampleTree(t)
	whole, err := readTree(root)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(whole.thinned()).To(BeIdenticalTo(whole), "a small tree stays as it is")

	records := filepath.Join(root, "MESSAGES")
	g.Expect(os.Mkdir(records, 0o770)).To(Succeed())
	for i := range thinnedFrom + recordsKept {
		g.Expect(os.WriteFile(filepath.Join(records, fmt.Sprintf("%04d", i)), []byte("text"), 0o660)).To(Succeed())
	}
	// A further name of a record that is left out goes with it, one of a record that
	// stays is kept.
	g.Expect(os.Link(filepath.Join(records, "0400"), filepath.Join(root, "late"))).To(Succeed())
	g.Expect(os.Link(filepath.Join(records, "0001"), filepath.Join(root, "early"))).To(Succeed())
	full, err := readTree(root)
	g.Expect(err).NotTo(HaveOccurred())
	thin := full.thinned()
	names := func(tr *tree) (list []string) {
		for _, e := range tr.entries {
			list = append(list, e.name)
		}
		return list
	}
	want := slices.Concat(names(whole), []string{"MESSAGES", "early"})
	for i := range recordsKept {
		want = append(want, fmt.Sprintf("MESSAGES/%04d", i))
	}
	g.Expect(names(thin)).To(ConsistOf(want))
	a, err := full.digest()
	g.Expect(err).NotTo(HaveOccurred())
	b, err := thin.digest()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(a).NotTo(Equal(b), "each is cached by its own content")
}
