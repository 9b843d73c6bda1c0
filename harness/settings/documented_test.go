package settings

import (
	"os"
	"regexp"
	"testing"

	. "github.com/onsi/gomega"
)

// elsewhere are variables of the README that other commands read.
var elsewhere = map[string]bool{"FAULT": true}

// surroundings are variables that the machine sets, not the user: they have no row of
// their own in the README's table.
var surroundings = map[string]bool{"GITHUB_ACTIONS": true}

// A documented variable that nothing reads is worse than one that is not documented.
func TestEveryDocumentedVariableIsRead(t *testing.T) {
	g := NewWithT(t)
	text, err := os.ReadFile("../../README.md")
	g.Expect(err).NotTo(HaveOccurred())
	asked := map[string]bool{}
	_, err = Read(func(name string) string { asked[name] = true; return "" }, "/", func(string) bool { return false })
	g.Expect(err).NotTo(HaveOccurred())
	documented := map[string]bool{}
	row := regexp.MustCompile("(?m)^\\| ((?:`[A-Z]+`(?:, )?)+) \\|")
	name := regexp.MustCompile("[A-Z]+")
	for _, m := range row.FindAllStringSubmatch(string(text), -1) {
		for _, n := range name.FindAllString(m[1], -1) {
			documented[n] = true
			g.Expect(asked[n] || elsewhere[n]).To(BeTrue(), "%s is in the README, and nothing reads it", n)
		}
	}
	for n := range asked {
		if surroundings[n] {
			continue
		}
		g.Expect(documented).To(HaveKey(n), "%s is read, and not in the README", n)
	}
	g.Expect(len(documented)).To(BeNumerically(">=", 8), "the README's table was found")
}
