package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

const (
	server = requirement.QMServer
	client = requirement.QMClient
	host   = requirement.Host
)

func fail(id string, s requirement.Service) verdict.Verdict { return one(id, s, verdict.Fail) }

// outline writes entries as "ID services (what follows)".
func outline(list []entry) string {
	var out []string
	for _, e := range list {
		text := e.ID + " " + series(e.services)
		if len(e.follows) > 0 {
			text += " (" + strings.Join(names(e.follows), ", ") + ")"
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}

func TestCauses(t *testing.T) {
	other := fail("SERV-02", client)
	other.Actual = "something else"
	for name, c := range map[string]struct {
		list []verdict.Verdict
		want string
	}{
		"none":             {[]verdict.Verdict{one("SERV-01", host, verdict.Pass)}, ""},
		"both services":    {[]verdict.Verdict{fail("SERV-02", server), fail("SERV-02", client)}, "SERV-02 qmserver and qmclient"},
		"different actual": {[]verdict.Verdict{fail("SERV-02", server), other}, "SERV-02 qmserver; SERV-02 qmclient"},
		"follows": {
			[]verdict.Verdict{fail("SERV-01", host), because(fail("SERV-02", server), "SERV-01"), because(fail("SERV-02", client), "SERV-01")},
			"SERV-01 host (SERV-02 qmserver/qmclient)",
		},
		"follows its own service": {
			[]verdict.Verdict{fail("SERV-02", server), other, because(fail("SERV-03", client), "SERV-02")},
			"SERV-02 qmserver; SERV-02 qmclient (SERV-03 qmclient)",
		},
		"a chain": {
			[]verdict.Verdict{fail("SERV-01", host), because(fail("SERV-02", host), "SERV-01"), because(fail("SERV-03", host), "SERV-02")},
			"SERV-01 host (SERV-02 host, SERV-03 host)",
		},
		"a cause that is not red": {
			[]verdict.Verdict{one("SERV-01", host, verdict.KnownFailing), because(fail("SERV-02", host), "SERV-01")},
			"SERV-02 host",
		},
		"a cause that was not selected": {[]verdict.Verdict{because(fail("SERV-02", host), "SERV-01")}, "SERV-02 host"},
		"its own cause":                 {[]verdict.Verdict{because(fail("SERV-02", host), "SERV-02")}, "SERV-02 host"},
		"in a circle": {
			[]verdict.Verdict{because(fail("SERV-01", host), "SERV-02"), because(fail("SERV-02", host), "SERV-01")},
			"SERV-01 host; SERV-02 host",
		},
		"an error from an error": {
			[]verdict.Verdict{one("SERV-01", host, verdict.Error), because(one("SERV-02", host, verdict.Error), "SERV-01")},
			"SERV-01 host (SERV-02 host)",
		},
		"a warning is not red": {[]verdict.Verdict{should(fail("SERV-01", host))}, ""},
	} {
		if got := outline(causes(c.list, false)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := outline(causes([]verdict.Verdict{should(fail("SERV-01", host))}, true)); got != "SERV-01 host" {
		t.Errorf("strict: %q", got)
	}
}

// Whatever the chains of causes are, no red verdict may be missing from the
// summary, and none may be there twice.
func TestEveryRedVerdictIsInOneCause(t *testing.T) {
	seed := uint32(1)
	random := func(n int) int {
		seed = seed*1664525 + 1013904223
		return int(seed>>8) % n
	}
	kinds := []verdict.Kind{verdict.Pass, verdict.Fail, verdict.Fail, verdict.NotTestable, verdict.Error, verdict.KnownFailing}
	for range 500 {
		var list []verdict.Verdict
		want := map[string]bool{}
		for i := range 6 {
			for _, s := range []requirement.Service{host, server, client}[random(3):] {
				v := one(fmt.Sprintf("SERV-%02d", i), s, kinds[random(len(kinds))])
				if random(2) == 0 {
					v.BecauseOf = fmt.Sprintf("SERV-%02d", random(7))
				}
				list = append(list, v)
				if v.Red(false) {
					want[v.ID+string(s)] = true
				}
			}
		}
		got := map[string]int{}
		for _, e := range causes(list, false) {
			for _, s := range e.services {
				got[e.ID+string(s)]++
			}
			for _, v := range e.follows {
				got[v.ID+string(v.Service)]++
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%d red, %d shown", len(want), len(got))
		}
		for k, n := range got {
			if n != 1 || !want[k] {
				t.Fatalf("%s is shown %d times", k, n)
			}
		}
	}
}

func TestFolders(t *testing.T) {
	for want, list := range map[string][]string{
		"":                   nil,
		"e/A-01-host":        {"e/A-01-host"},
		"e/A-01-{b,c}":       {"e/A-01-b", "e/A-01-c"},
		"e/A-01-b, e/A-02-b": {"e/A-01-b", "e/A-02-b"},
		"x, y":               {"x", "y"},
	} {
		if got := folders(list); got != want {
			t.Errorf("%v: %q, want %q", list, got, want)
		}
	}
}

func TestNamesGiveEachIDOnce(t *testing.T) {
	got := names([]verdict.Verdict{fail("SERV-01", server), fail("SERV-02", host), fail("SERV-01", client)})
	if !slices.Equal(got, []string{"SERV-01 qmserver/qmclient", "SERV-02 host"}) {
		t.Error(got)
	}
}
