package access

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
	"qmconformance/harness/xinetd"
)

var _ = judge.Section(area, "the way to the program", func() {
	judge.On("ACCESS-09", observe.WayRules, wrappers)
	judge.On("ACCESS-10", observe.WayRules, daemonName)
	judge.On("ACCESS-16", observe.WayRules, disabled)
	judge.On("ACCESS-17", observe.WayRules, reloaded)
	judge.On("ACCESS-18", observe.WayRules, resources)
	judge.On("ACCESS-19", observe.WayRules, boundAndRedirected)
})

const libwrap = xinetd.ReasonLibwrap

func wrappers(c judge.Case, f observe.Ruled) verdict.Finding {
	v := verdict.First(
		ruled(f, c.Service, observe.HostsDeny, due{"A": libwrap, "B": libwrap, "C": served}),
		ruled(f, c.Service, observe.HostsAllow, due{"A": served, "B": libwrap}),
	)
	if allows := f.Own.Hosts["/etc/hosts.allow"]; v.Kind == verdict.Fail && len(allows) > 0 {
		v.Hint = "/etc/hosts.allow is read first, and the package's has: " + strings.Join(allows, "; ")
	}
	return v
}

func daemonName(c judge.Case, f observe.Ruled) verdict.Finding {
	v := ruled(f, c.Service, observe.HostsDeny, due{"C": served, "D": libwrap})
	if place := f.Places[c.Service]; v.Kind == verdict.Fail && place.Daemon != "qm" {
		v.Hint = fmt.Sprintf("the name that counts is %s, that of the program that the service starts or of the attribute libwrap", place.Daemon)
	}
	return v
}

// disabled judges the service that was disabled, and that its sister goes on.
func disabled(c judge.Case, f observe.Ruled) verdict.Finding {
	findings := []verdict.Finding{ruled(f, c.Service, observe.Disabled+string(c.Service), due{"A": closed})}
	other := requirement.QMServer
	if c.Service == other {
		other = requirement.QMClient
	}
	if _, offered := f.Places[other]; offered {
		findings = append(findings, ruled(f, c.Service, observe.Disabled+string(other), due{"A": served}))
	}
	return verdict.First(findings...)
}

func reloaded(c judge.Case, f observe.Ruled) verdict.Finding {
	return ruled(f, c.Service, observe.RulesChanged, due{"A": served, "B": served, "A again": served, "B again": address})
}

func resources(c judge.Case, f observe.Ruled) verdict.Finding {
	v := ruled(f, c.Service, observe.Resources, due{"A": served})
	if v.Kind != verdict.Pass {
		return v
	}
	t := f.Trials[observe.Resources]
	want := observe.ResourceLimits()
	var wrong, said []string
	for _, k := range t.Of(c.Service) {
		for _, name := range slices.Sorted(maps.Keys(want)) {
			text := fmt.Sprintf("%s %s", name, k.Limits[name])
			said = append(said, text)
			if k.Limits[name] != want[name] {
				wrong = append(wrong, fmt.Sprintf("%s, not %s", text, want[name]))
			}
		}
		if said = append(said, fmt.Sprintf("nice %d", k.Nice)); k.Nice != observe.ResourceNice {
			wrong = append(wrong, fmt.Sprintf("nice %d, not %d", k.Nice, observe.ResourceNice))
		}
	}
	expected := "the program has the limits of the block: " + strings.Join(t.Rules, ", ")
	return verdict.That(len(wrong) == 0, expected, strings.Join(append(wrong, said[len(said)*min(1, len(wrong)):]...), "; ")+complained(t), "")
}

func boundAndRedirected(c judge.Case, f observe.Ruled) verdict.Finding {
	findings := []verdict.Finding{ruled(f, c.Service, observe.BoundToOne, due{"A": closed, observe.Inside: served})}
	name := observe.Redirected + string(c.Service)
	if t, tried := f.Trials[name]; tried {
		findings = append(findings, ruled(f, c.Service, name, due{"A": served}))
		for _, k := range t.Of(c.Service) {
			there := strings.Contains(k.Peer, "127.0.0.1")
			findings = append(findings, verdict.That(!k.Served || there, "the program of the other port is the one that serves, on a connection from 127.0.0.1",
				"it was served on a connection from "+k.Peer, ""))
		}
	}
	return verdict.First(findings...)
}
