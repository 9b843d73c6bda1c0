package main

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

func TestABlockCountsOnceWhoeverRanIt(t *testing.T) {
	g := NewWithT(t)
	var out strings.Builder
	g.Expect(summary(&out, strings.NewReader(`mode: set
m/a/x.go:1.2,3.4 2 0
m/a/x.go:5.1,6.2 2 0
m/b/y.go:1.2,3.4 4 1
mode: set
m/a/x.go:1.2,3.4 2 1
`))).To(Succeed())
	g.Expect(out.String()).To(Equal(` 50.0 %      2 of     4 statements  m/a
100.0 %      4 of     4 statements  m/b
 75.0 %      6 of     8 statements  total
`))
	g.Expect(summary(&out, strings.NewReader("nonsense\n"))).To(MatchError(ContainSubstring("no line of a profile")))
}
