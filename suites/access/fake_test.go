package access

import (
	"net/netip"
	"strings"

	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/wire"
)

// addresses of the clients of a trial.
var addresses = map[string]string{"A": "10.1.2.3", "B": "10.1.2.4", "C": "10.1.2.5", "D": "10.1.2.6", "A6": "fd00::3", "B6": "fd00::4", "inside": "127.0.0.1"}

// knocks are what came of a trial for both services, "A" for a client that was
// served and "B:address" for one that was refused for a reason.
func knocks(words ...string) (list []observe.Knock) {
	for _, service := range requirement.NetworkServices {
		for _, w := range words {
			who, reason, refused := strings.Cut(w, ":")
			name, _, _ := strings.Cut(who, " ")
			k := observe.Knock{Service: service, Who: who, Client: netip.MustParseAddr(addresses[name])}
			switch {
			case reason == closed:
				k.Result, k.Outcome = wire.Refused, "connection refused"
			case refused:
				k.Connected, k.Result, k.Outcome, k.Logged, k.Reason = true, wire.EndedByFIN, "FIN after 0 bytes", true, reason
			default:
				k.Connected, k.Result, k.Served = true, wire.Enough, true
			}
			list = append(list, k)
		}
	}
	return list
}

// trial is one of which the counts agree.
func trial(name string, words ...string) observe.Trial {
	t := observe.Trial{Name: name, Rules: []string{"a rule (service block)"}, Knocks: knocks(words...)}
	for _, k := range t.Knocks {
		if k.Served {
			t.Executed++
		}
	}
	return t
}

// facts are several trials of both services.
func facts(list ...observe.Trial) observe.Ruled {
	f := observe.Ruled{Trials: map[string]observe.Trial{}, Places: map[requirement.Service]observe.Place{
		requirement.QMServer: {ID: "qmserver", Daemon: "qm"}, requirement.QMClient: {ID: "qmclient", Daemon: "qm"},
	}}
	for _, t := range list {
		f.Trials[t.Name] = t
	}
	return f
}

// but changes facts.
func but(f observe.Ruled, change func(*observe.Ruled)) observe.Ruled {
	change(&f)
	return f
}
