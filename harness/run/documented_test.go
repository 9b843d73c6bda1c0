package run_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// The table of traps names tests; one that was renamed would leave a trap unguarded in
// silence.
func TestEveryTestThatTheDocumentNamesIsThere(t *testing.T) {
	g := NewWithT(t)
	at, err := root()
	g.Expect(err).NotTo(HaveOccurred())
	text, err := os.ReadFile(filepath.Join(at, "docs", "self-tests.md"))
	g.Expect(err).NotTo(HaveOccurred())
	names := regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w+`).FindAllString(string(text), -1)
	g.Expect(len(names)).To(BeNumerically(">", 20))
	var all strings.Builder
	for _, folder := range []string{"harness", "suites", "docker", "fixtures"} {
		err = filepath.WalkDir(filepath.Join(at, folder), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := os.ReadFile(path)
			all.Write(source)
			return err
		})
		g.Expect(err).NotTo(HaveOccurred())
	}
	for _, name := range names {
		g.Expect(all.String()).To(ContainSubstring("\nfunc "+name+"("), name)
	}
}
