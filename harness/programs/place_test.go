package programs

import (
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
)

func TestProgramsAreBuiltWhereTheyStayUnlessAnotherRunDoesSo(t *testing.T) {
	g := NewWithT(t)
	root := t.TempDir()
	stays := filepath.Join(root, "build", "programs")
	first, done, err := place(root)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(first).To(Equal(stays))
	second, passes, err := place(root)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(second).NotTo(Equal(stays), "two builds into one folder")
	passes()
	g.Expect(second).NotTo(BeADirectory())
	done()
	third, done, err := place(root)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(third).To(Equal(stays))
	done()
	g.Expect(third).To(BeADirectory())

	elsewhere, done, err := place(filepath.Join(stays, ".lock")) // below a file
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(elsewhere).To(BeADirectory())
	done()
}
