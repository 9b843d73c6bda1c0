package requirement_test

import (
	"strings"
	"testing"
	"testing/fstest"

	. "github.com/onsi/gomega"

	"qmconformance/harness/requirement"
)

func TestTheBuiltInCatalogueIsSound(t *testing.T) {
	g := NewWithT(t)
	c, err := requirement.Load()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.All()).NotTo(BeEmpty())
	g.Expect(c.Rank("SERV-01")).To(Equal(0))
	g.Expect(c.Rank("NONE-01")).To(Equal(len(c.All())))
}

const sound = `
- id: SERV-01
  level: MUST
  services: [host]
  sentence: A sentence.
  why: A reason.
  source: A source.
  hint: A hint.
`

func with(changes ...string) string {
	return strings.NewReplacer(changes...).Replace(sound)
}

func TestEveryFaultOfTheDataIsNamed(t *testing.T) {
	second := strings.TrimPrefix(with("SERV-01", "SERV-02"), "\n")
	for name, c := range map[string]struct{ text, wants string }{
		"a sound one":          {sound, ""},
		"a foreign prefix":     {with("SERV-01", "STDIO-01"), "an ID of this area"},
		"three digits":         {with("SERV-01", "SERV-001"), "two digits"},
		"an unknown level":     {with("MUST", "MAY"), "neither MUST nor SHOULD"},
		"an unknown service":   {with("[host]", "[ftp]"), `unknown service "ftp"`},
		"no service":           {with("[host]", "[]"), "for no service"},
		"no source":            {with("A source.", `""`), "has no source"},
		"no hint":              {with("A hint.", `" "`), "has no hint"},
		"a named service":      {with("A sentence.", "qmclient works."), "names a service"},
		"an unknown field":     {sound + "  colour: red\n", "colour"},
		"an ID given twice":    {sound + strings.TrimPrefix(sound, "\n"), "given twice"},
		"an unknown link":      {sound + "  requires: [SERV-99]\n", "unknown requirement SERV-99"},
		"an unknown need":      {sound + "  needs: [magic]\n", `unknown capability "magic"`},
		"a link to itself":     {sound + "  follows: [SERV-01]\n", "through SERV-01"},
		"a circle":             {sound + "  requires: [SERV-02]\n" + second + "  follows: [SERV-01]\n", "requires or follows itself"},
		"a link nobody judges": {strings.Replace(sound, "[host]", "[qmserver]", 1) + "  requires: [SERV-02]\n" + strings.Replace(second, "[host]", "[qmclient]", 1), "judged neither for qmserver"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			_, err := requirement.Read(fstest.MapFS{"services.yaml": {Data: []byte(c.text)}})
			if c.wants == "" {
				g.Expect(err).NotTo(HaveOccurred())
				return
			}
			g.Expect(err).To(MatchError(ContainSubstring(c.wants)))
		})
	}
}

func TestAFileMustBeNamedAfterAnArea(t *testing.T) {
	_, err := requirement.Read(fstest.MapFS{"weather.yaml": {Data: []byte(sound)}})
	NewWithT(t).Expect(err).To(MatchError(ContainSubstring("not named after an area")))
}

func TestACounterpartIsTheSameServiceOrTheHost(t *testing.T) {
	both := requirement.Requirement{Services: requirement.NetworkServices}
	host := requirement.Requirement{Services: []requirement.Service{requirement.Host}}
	one := requirement.Requirement{Services: []requirement.Service{requirement.QMClient}}
	for name, c := range map[string]struct{ got, want []requirement.Service }{
		"itself":               {both.Counterparts(requirement.QMClient), one.Services},
		"the host's":           {host.Counterparts(requirement.QMClient), host.Services},
		"both, for the host":   {both.Counterparts(requirement.Host), requirement.NetworkServices},
		"none for its sister":  {one.Counterparts(requirement.QMServer), nil},
		"the host for itself":  {host.Counterparts(requirement.Host), host.Services},
		"its only one for all": {one.Counterparts(requirement.Host), one.Services},
	} {
		t.Run(name, func(t *testing.T) { NewWithT(t).Expect(c.got).To(Equal(c.want)) })
	}
}
