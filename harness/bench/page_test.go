package bench

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// A page of an earlier run can be drawn again: PAGE_FROM=bench.json PAGE_TO=file.
func TestDrawAgain(t *testing.T) {
	from, to := os.Getenv("PAGE_FROM"), os.Getenv("PAGE_TO")
	if from == "" {
		t.Skip("PAGE_FROM is not set")
	}
	g := NewWithT(t)
	text, err := os.ReadFile(from)
	g.Expect(err).NotTo(HaveOccurred())
	d := NewDocument()
	g.Expect(json.Unmarshal(text, d)).To(Succeed())
	page, err := Page(d)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile(to, page, 0o644)).To(Succeed())
	var b bytes.Buffer
	g.Expect(Table(&b, d, "results")).To(Succeed())
	t.Log(b.String())
}

func TestTheTerminalPointsToNoFileThatCouldNotBeWritten(t *testing.T) {
	g := NewWithT(t)
	for dir, want := range map[string]bool{"results": true, "": false} {
		var b bytes.Buffer
		g.Expect(Table(&b, NewDocument(), dir)).To(Succeed())
		g.Expect(strings.Contains(b.String(), "bench.json")).To(Equal(want), dir)
	}
}

func TestAPageOfNothingIsWhole(t *testing.T) {
	g := NewWithT(t)
	page, err := Page(NewDocument())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(page)).To(HaveSuffix("</html>\n"))
	g.Expect(strings.Contains(string(page), "<svg")).To(BeFalse())
}
