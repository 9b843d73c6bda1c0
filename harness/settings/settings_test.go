package settings_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"qmconformance/harness/settings"
	"qmconformance/harness/usage"
)

// read reads settings from pairs, in directory /work, on a host without a tree.
func read(pairs map[string]string) (settings.Settings, error) {
	return settings.Read(func(name string) string { return pairs[name] }, "/work", func(string) bool { return false })
}

func TestDefaults(t *testing.T) {
	g := NewWithT(t)
	s, err := read(nil)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(s.Package).To(BeEmpty())
	g.Expect(s.QMSys).To(Equal(settings.StandIn))
	g.Expect(s.Base).To(Equal("bookworm"))
	g.Expect(s.Focus).To(BeEmpty())
	g.Expect(s.Labels).To(BeEmpty())
	g.Expect(s.Results).To(Equal("/work/results"))
	g.Expect(s.Profile).To(Equal(settings.Full))
	g.Expect(s.Strict).To(BeFalse())
	g.Expect(s.Procs).To(And(BeNumerically(">=", 2), BeNumerically("<=", 8)))
	for _, name := range []string{"PACKAGE", "QMSYS", "BASE", "FOCUS", "LABELS", "RESULTS", "PROFILE", "BASELINE", "STRICT", "PROCS", "ANNOTATE"} {
		g.Expect(s.Defaulted[name]).To(BeTrue(), name)
	}
}

func TestATreeOfTheHostIsTheDefault(t *testing.T) {
	g := NewWithT(t)
	asked := ""
	s, err := settings.Read(func(string) string { return "" }, "/work", func(dir string) bool { asked = dir; return true })
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(s.QMSys).To(Equal("/usr/qmsys"))
	g.Expect(asked).To(Equal("/usr/qmsys"))
}

func TestEveryVariable(t *testing.T) {
	for _, c := range []struct {
		name, value string
		get         func(settings.Settings) any
		want        any
	}{
		{"PACKAGE", "none", func(s settings.Settings) any { return s.Package }, settings.None},
		{"PACKAGE", "pkg", func(s settings.Settings) any { return s.Package }, "/work/pkg"},
		{"PACKAGE", "../pkg/", func(s settings.Settings) any { return s.Package }, "/pkg"},
		{"PACKAGE", "/opt//pkg/", func(s settings.Settings) any { return s.Package }, "/opt/pkg"},
		{"PACKAGE", "  pkg\n", func(s settings.Settings) any { return s.Package }, "/work/pkg"},
		{"QMSYS", "standin", func(s settings.Settings) any { return s.QMSys }, settings.StandIn},
		{"QMSYS", "image", func(s settings.Settings) any { return s.QMSys }, settings.Image},
		{"QMSYS", "qmsys", func(s settings.Settings) any { return s.QMSys }, "/work/qmsys"},
		{"BASE", "registry.example/x:1", func(s settings.Settings) any { return s.Base }, "registry.example/x:1"},
		{"FOCUS", "qmclient|STDIO", func(s settings.Settings) any { return s.Focus }, "qmclient|STDIO"},
		{"LABELS", "MUST && !slow", func(s settings.Settings) any { return s.Labels }, "MUST && !slow"},
		{"RESULTS", "/tmp/out", func(s settings.Settings) any { return s.Results }, "/tmp/out"},
		{"RESULTS", "out/1", func(s settings.Settings) any { return s.Results }, "/work/out/1"},
		{"BASELINE", "old/bench.json", func(s settings.Settings) any { return s.Baseline }, "old/bench.json"},
		{"PROFILE", "quick", func(s settings.Settings) any { return s.Profile }, settings.Quick},
		{"PROFILE", "full", func(s settings.Settings) any { return s.Profile }, settings.Full},
		{"STRICT", "1", func(s settings.Settings) any { return s.Strict }, true},
		{"STRICT", "0", func(s settings.Settings) any { return s.Strict }, false},
		{"ANNOTATE", "1", func(s settings.Settings) any { return s.Annotate }, true},
		{"ANNOTATE", "0", func(s settings.Settings) any { return s.Annotate }, false},
		{"PROCS", "1", func(s settings.Settings) any { return s.Procs }, 1},
		{"PROCS", "16", func(s settings.Settings) any { return s.Procs }, 16},
	} {
		t.Run(c.name+"="+c.value, func(t *testing.T) {
			g := NewWithT(t)
			s, err := read(map[string]string{c.name: c.value})
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(c.get(s)).To(Equal(c.want))
			g.Expect(s.Defaulted[c.name]).To(BeFalse())
			g.Expect(s.Defaulted).To(HaveLen(10), "the others were left alone")
		})
	}
}

func TestAnnotationsAreOnWhereTheCIReadsThem(t *testing.T) {
	g := NewWithT(t)
	for _, c := range []struct {
		env  map[string]string
		want bool
	}{
		{nil, false},
		{map[string]string{"GITHUB_ACTIONS": "true"}, true},
		{map[string]string{"GITHUB_ACTIONS": "true", "ANNOTATE": "0"}, false},
		{map[string]string{"GITHUB_ACTIONS": "false"}, false},
		{map[string]string{"CI": "true"}, false}, // another system prints them as noise
	} {
		s, err := read(c.env)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(s.Annotate).To(Equal(c.want), "%v", c.env)
	}
}

func TestBlankIsTheSameAsLeftOut(t *testing.T) {
	g := NewWithT(t)
	s, err := read(map[string]string{"PROFILE": "  ", "PROCS": "\t", "BASE": " "})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(s.Base).To(Equal("bookworm"))
	g.Expect(s.Defaulted["PROCS"]).To(BeTrue())
}

func TestABadValueIsAUsageErrorOfOneLine(t *testing.T) {
	for name, value := range map[string][]string{
		"PROFILE":  {"fast", "FULL", "full quick"},
		"STRICT":   {"yes", "true", "2", "-1"},
		"ANNOTATE": {"yes", "github"},
		"PROCS":    {"0", "17", "-1", "many", "1.5", "99999999999999999999"},
	} {
		for _, v := range value {
			t.Run(name+"="+v, func(t *testing.T) {
				g := NewWithT(t)
				_, err := read(map[string]string{name: v})
				g.Expect(usage.Is(err)).To(BeTrue())
				g.Expect(err.Error()).To(HavePrefix(name + "=" + v))
				g.Expect(strings.Count(err.Error(), "\n")).To(BeZero())
				g.Expect(err.Error()).To(MatchRegexp("(leave it out|set "+name+")"), "it says what to do")
			})
		}
	}
}

func TestATreeHasAProgram(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	g.Expect(settings.HasTree(dir)).To(BeFalse())
	g.Expect(os.MkdirAll(filepath.Join(dir, "bin", "qm"), 0o755)).To(Succeed())
	g.Expect(settings.HasTree(dir)).To(BeFalse(), "a directory is no program")
	g.Expect(os.Remove(filepath.Join(dir, "bin", "qm"))).To(Succeed())
	g.Expect(os.WriteFile(filepath.Join(dir, "bin", "qm"), nil, 0o755)).To(Succeed())
	g.Expect(settings.HasTree(dir)).To(BeTrue())
}
