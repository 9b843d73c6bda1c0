package kit

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"qmconformance/harness/programs"
	"qmconformance/harness/usage"
)

// What a carried program lays out must be what is in a checkout, whatever the
// umask of whoever runs it: modes are part of a package.
func TestWhatIsCarriedIsWhatTheCheckoutHolds(t *testing.T) {
	g := NewWithT(t)
	t.Setenv("TMPDIR", t.TempDir())
	k, err := unpack(programs.Set{"agent": []byte("x")})
	g.Expect(err).NotTo(HaveOccurred())
	checkout := filepath.Join("..", "..", "fixtures")
	files := 0
	for _, part := range []string{"reference", "faults", "variants"} {
		g.Expect(filepath.WalkDir(filepath.Join(checkout, part), func(path string, d fs.DirEntry, err error) error {
			g.Expect(err).NotTo(HaveOccurred())
			rel, err := filepath.Rel(checkout, path)
			g.Expect(err).NotTo(HaveOccurred())
			info, err := d.Info()
			g.Expect(err).NotTo(HaveOccurred())
			got, err := os.Lstat(filepath.Join(k.Fixtures, rel))
			g.Expect(err).NotTo(HaveOccurred())
			// A mode that differs between checkouts, by umask, is not of the package.
			g.Expect(got.Mode()&^0o022).To(Equal(info.Mode()&^0o022), rel)
			if d.IsDir() {
				return nil
			}
			files++
			want, err := os.ReadFile(path)
			g.Expect(err).NotTo(HaveOccurred())
			text, err := os.ReadFile(filepath.Join(k.Fixtures, rel))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(string(text)).To(Equal(string(want)), rel)
			return nil
		})).To(Succeed())
	}
	g.Expect(files).To(BeNumerically(">", 100))
	g.Expect(k.Carried()).To(BeTrue())
	g.Expect(k.Programs(t.Context())).To(HaveKey("agent"))
	k.Close()
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(left).To(BeEmpty())
}

func TestWithoutACargoACheckoutIsNeeded(t *testing.T) {
	g := NewWithT(t)
	if _, carried := programs.Carried(); carried {
		t.Skip("this program carries its own")
	}
	_, err := Open(t.TempDir())
	g.Expect(usage.Is(err)).To(BeTrue())
	here, err := os.Getwd()
	g.Expect(err).NotTo(HaveOccurred())
	k, err := Open(here)
	g.Expect(err).NotTo(HaveOccurred())
	defer k.Close()
	g.Expect(k.Carried()).To(BeFalse())
	g.Expect(strings.TrimSuffix(k.Reference(), "/fixtures/reference")).To(Equal(k.Root))
}
