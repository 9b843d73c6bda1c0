package services

import (
	"fmt"
	"strings"

	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
	"qmconformance/harness/xinetd"
)

var _ = judge.Section(area, "names and ports", func() {
	judge.On("SERV-05", observe.Configuration, nameIsKnown)
	judge.On("SERV-06", observe.Configuration, portOfItsOwn)
	judge.On("SERV-07", observe.Configuration, usualPort)
	judge.On("SERV-08", observe.Configuration, definedOnce)
})

// portOf is the service's port: that of the services database, else the one of a
// block that names its own (type UNLISTED), which needs no entry.
func portOf(f observe.Configured) (int, string) {
	if f.NamedOK {
		return f.Named.Port, fmt.Sprintf("%d/tcp by the services database", f.Named.Port)
	}
	for _, s := range f.Effective {
		if s.Port.Set {
			return s.Port.Value, fmt.Sprintf("%d/tcp by the service block itself", s.Port.Value)
		}
	}
	return 0, "no entry"
}

func nameIsKnown(c judge.Case, f observe.Configured) verdict.Finding {
	expected := fmt.Sprintf("getservbyname(%q, \"tcp\") finds a port", c.Service)
	port, said := portOf(f)
	hint := fmt.Sprintf("add the line %q to /etc/services", fmt.Sprintf("%s\t%d/tcp", c.Service, c.Service.UsualPort()))
	for _, n := range f.Near {
		hint = fmt.Sprintf("/etc/services:%d: %s", n.Line, n.Text)
		break
	}
	return verdict.That(port != 0, expected, said, hint).At(servicesFile, nearLine(f))
}

func portOfItsOwn(c judge.Case, f observe.Configured) verdict.Finding {
	port, said := portOf(f)
	other := requirement.QMClient
	if c.Service == other {
		other = requirement.QMServer
	}
	expected := fmt.Sprintf("a port that is neither %d nor the one of %s", other.UsualPort(), other)
	hint := fmt.Sprintf("%s gives %s the port %d: the usual ports are %d for %s and %d for %s", servicesLine(f), c.Service, port,
		c.Service.UsualPort(), c.Service, other.UsualPort(), other)
	switch {
	case port == int(other.UsualPort()):
		return verdict.Violated(expected, said+", the usual one of "+string(other), hint).At(servicesFile, nearLine(f))
	case f.SisterOK && f.SisterSet.Port == port:
		return verdict.Violated(expected, said+", which "+string(other)+" has too", hint).At(servicesFile, nearLine(f))
	}
	return verdict.Kept(expected, said)
}

// servicesLine names the line where one decides: getent doesn't tell it, the near
// misses do.
func servicesLine(f observe.Configured) string {
	return verdict.Place{File: servicesFile, Line: nearLine(f)}.String()
}

const servicesFile = "/etc/services"

// nearLine is the line of the services file that decides, 0 where none is known.
func nearLine(f observe.Configured) int {
	for _, n := range f.Near {
		return n.Line
	}
	return 0
}

func usualPort(c judge.Case, f observe.Configured) verdict.Finding {
	port, said := portOf(f)
	return verdict.That(port == int(c.Service.UsualPort()), fmt.Sprintf("%d/tcp", c.Service.UsualPort()), said, "").At(servicesFile, nearLine(f))
}

func definedOnce(c judge.Case, f observe.Configured) verdict.Finding {
	const expected = "one block in the files that xinetd reads"
	var places []string
	var last xinetd.Block
	for _, b := range f.Blocks {
		if b.Disabled {
			continue
		}
		places = append(places, fmt.Sprintf("%s:%d", b.File, b.Line))
		last = b
	}
	hint := ""
	if len(places) > 1 {
		hint = fmt.Sprintf("xinetd takes %s and fails to bind for %s: remove the file that should not be there", places[0], strings.Join(places[1:], " and "))
	}
	// None at all is judged by what xinetd offers.
	return verdict.That(len(places) <= 1, expected, fmt.Sprintf("%d: %s", len(places), orNone(places)), hint).At(last.File, last.Line)
}
