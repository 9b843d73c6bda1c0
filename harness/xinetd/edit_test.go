package xinetd

import (
	"testing"
	"testing/fstest"

	. "github.com/onsi/gomega"
)

const editable = `defaults
{
	instances = 10
}
service qmclient
{
	flags = REUSE
	only_from = 10.0.0.1
	only_from += 10.0.0.2
	disable = no
}
`

func TestEdit(t *testing.T) {
	for name, c := range map[string]struct {
		changes []Change
		want    string
	}{
		"replaces where it stands": {[]Change{Set("qmclient", "flags", "REUSE IPv4")}, "\tflags = REUSE IPv4\n\tonly_from = 10.0.0.1"},
		"replaces all lines of it": {[]Change{Set("qmclient", "only_from", "127.0.0.1")}, "\tonly_from = 127.0.0.1\n\n\tdisable"},
		"an empty value":           {[]Change{Set("qmclient", "only_from", "")}, "\tonly_from =\n\n"},
		"adds before the brace":    {[]Change{Set("qmclient", "cps", "3 4")}, "\tdisable = no\n\tcps = 3 4\n}"},
		"adds beside":              {[]Change{Add("qmclient", "only_from", "10.0.0.3")}, "\tonly_from += 10.0.0.2\n\tdisable = no\n\tonly_from += 10.0.0.3\n}"},
		"removes":                  {[]Change{Remove("qmclient", "flags")}, "{\n\n\tonly_from = 10.0.0.1"},
		"the defaults":             {[]Change{Set("", "instances", "1")}, "defaults\n{\n\tinstances = 1\n}"},
		"several":                  {[]Change{Set("qmclient", "cps", "3 4"), Set("qmclient", "nice", "5"), Remove("qmclient", "disable")}, "\n\n\tcps = 3 4\n\tnice = 5\n}"},
		"interface is bind":        {[]Change{Set("qmclient", "bind", "::1"), Set("qmclient", "flags", "REUSE")}, "\tbind = ::1\n}"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			config, _ := Parse(fstest.MapFS{"x.conf": {Data: []byte(editable)}}, "/x.conf")
			texts := map[string]string{config.Files[0]: editable}
			out, err := Edit(config, texts, c.changes...)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(out[config.Files[0]]).To(ContainSubstring(c.want))
		})
	}
}

func TestEditNeedsABlock(t *testing.T) {
	config, _ := Parse(fstest.MapFS{"x.conf": {Data: []byte(editable)}}, "/x.conf")
	_, err := Edit(config, map[string]string{config.Files[0]: editable}, Set("qmserver", "nice", "1"))
	NewWithT(t).Expect(err).To(MatchError(ContainSubstring(`no block of "qmserver"`)))
}

func TestEditMakesTheDefaultsWhereThereAreNone(t *testing.T) {
	g := NewWithT(t)
	const text = "service qmclient\n{\n}\n"
	config, _ := Parse(fstest.MapFS{"x.conf": {Data: []byte(text)}}, "/x.conf")
	out, err := Edit(config, map[string]string{"/x.conf": text}, Set("", "instances", "1"), Set("qmclient", "nice", "1"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(out["/x.conf"]).To(Equal("defaults\n{\n\tinstances = 1\n}\nservice qmclient\n{\n\tnice = 1\n}\n"))
}
