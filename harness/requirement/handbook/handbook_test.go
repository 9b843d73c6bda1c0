package handbook

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"qmconformance/harness/requirement"
)

func pages(t *testing.T) (*requirement.Catalogue, map[string][]byte) {
	t.Helper()
	c, err := requirement.Load()
	if err != nil {
		t.Fatal(err)
	}
	p, err := Pages(c)
	if err != nil {
		t.Fatal(err)
	}
	return c, p
}

func TestThePagesAreUpToDate(t *testing.T) {
	g := NewWithT(t)
	_, want := pages(t)
	dir := filepath.Join("..", "..", "..", filepath.FromSlash(Dir))
	entries, err := os.ReadDir(dir)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(entries).To(HaveLen(len(want)), "a page of no area, or an area without one: run make docs")
	for name, text := range want {
		got, err := os.ReadFile(filepath.Join(dir, name))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(string(got)).To(Equal(string(text)), "%s is not what the catalogue says: run make docs", name)
	}
}

// A link into a page, ours or a report's, must meet a heading.
func TestEveryLinkMeetsAHeading(t *testing.T) {
	g := NewWithT(t)
	c, all := pages(t)
	headings := map[string]bool{}
	for name, text := range all {
		for _, m := range regexp.MustCompile(`(?m)^## (\S+)$`).FindAllStringSubmatch(string(text), -1) {
			headings[name+"#"+Anchor(m[1])] = true
		}
	}
	for _, r := range c.All() {
		g.Expect(headings).To(HaveKey(strings.TrimPrefix(Link(r), Dir+"/")))
	}
	links := 0
	for name, text := range all {
		for _, m := range regexp.MustCompile(`\]\(([^)]*)\)`).FindAllStringSubmatch(string(text), -1) {
			links++
			file, anchor, _ := strings.Cut(m[1], "#")
			if file == "" {
				file = name
			}
			g.Expect(all).To(HaveKey(file))
			if anchor != "" {
				g.Expect(headings).To(HaveKey(file+"#"+anchor), name)
			}
		}
	}
	g.Expect(links).To(BeNumerically(">", len(c.All())))
}

// Pages that people write lead there as well.
func TestTheOtherPagesLeadToHeadings(t *testing.T) {
	g := NewWithT(t)
	c, _ := pages(t)
	known := map[string]bool{}
	for _, r := range c.All() {
		known[strings.TrimPrefix(Link(r), "docs/")] = true
	}
	docs := filepath.Join("..", "..", "..", "docs")
	links := 0
	others, err := filepath.Glob(filepath.Join(docs, "*.md"))
	g.Expect(err).NotTo(HaveOccurred())
	for _, path := range others {
		text, err := os.ReadFile(path)
		g.Expect(err).NotTo(HaveOccurred())
		for _, m := range regexp.MustCompile(`\[([^\]]*)\]\(([^)#]*)(#[^)]*)?\)`).FindAllStringSubmatch(string(text), -1) {
			g.Expect(filepath.Join(docs, m[2])).To(BeAnExistingFile(), path)
			if strings.HasPrefix(m[2], "requirements/") && m[3] != "" {
				links++
				g.Expect(known).To(HaveKey(m[2]+m[3]), path)
				g.Expect(m[3]).To(Equal("#"+Anchor(m[1])), "%s is named, and another one is led to", m[1])
			}
		}
	}
	g.Expect(links).To(BeNumerically(">", 20))
}

func TestEveryAreaIsDescribed(t *testing.T) {
	for _, a := range requirement.Areas {
		if about[a.Name] == "" {
			t.Errorf("nothing is said of area %s", a.Name)
		}
	}
	if len(about) != len(requirement.Areas) {
		t.Error("something is said of an area that there is not")
	}
}
