package report

import (
	"fmt"
	"testing"
	"time"

	"qmconformance/harness/evidence"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
	"qmconformance/harness/wire"
)

func catalogue(t *testing.T) *requirement.Catalogue {
	t.Helper()
	c, err := requirement.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// frame is a run without verdicts.
func frame() Results {
	return Results{
		Subject: Subject{
			Package: "fixtures/reference", Base: "bookworm", Xinetd: "2.3.15.3", Kernel: "6.1.0",
			QM: QM{Kind: "scarletdme", Version: "2.6-6", Source: "/usr/qmsys"},
		},
		Profile: "full", Catalogue: requirement.Version, Started: "2026-01-02T03:04:05Z", DurationMS: 12345,
	}
}

// rank is an order for samples whose IDs need not be in the catalogue.
func rank(id string) int {
	var n int
	var prefix rune
	fmt.Sscanf(id, "%c", &prefix)
	fmt.Sscanf(id[len(id)-2:], "%d", &n)
	return int(map[rune]int{'S': 0, 'I': 1}[prefix])*100 + n
}

func judged(list ...verdict.Verdict) Results {
	r := frame()
	r.Judge(list, rank, false, true)
	return r
}

// one is a verdict with its usual texts.
func one(id string, s requirement.Service, k verdict.Kind) verdict.Verdict {
	v := verdict.Verdict{
		ID: id, Area: "services", Level: requirement.Must, Service: s, Kind: k, DurationMS: 250,
		Sentence: "The sentence of " + id + ".", Expected: "what is right", Actual: "what was seen",
		Source: "xinetd.conf(5)",
	}
	switch k {
	case verdict.Fail, verdict.NotTestable, verdict.Error:
		v.Hint = "Change the line."
		v.Evidence = evidence.Folder(id, string(s))
	case verdict.KnownFailing:
		v.Hint = "A defect of this version (https://example.org/1)"
	}
	return v
}

func because(v verdict.Verdict, id string) verdict.Verdict {
	v.BecauseOf = id
	return v
}

func should(v verdict.Verdict) verdict.Verdict {
	v.Level = requirement.Should
	return v
}

// conformant is every requirement of the catalogue, kept.
func conformant(t *testing.T) Results {
	var list []verdict.Verdict
	c := catalogue(t)
	for _, q := range c.All() {
		for _, s := range q.Services {
			f := verdict.Kept("as the requirement says", "as the requirement says")
			list = append(list, verdict.New(q, s, f, 40_000_000))
		}
	}
	r := frame()
	r.Judge(list, c.Rank, false, true)
	return r
}

// broken is a run with something of everything: a cause with what follows from
// it, an error of the harness, a warning, a known failure, what this target
// cannot answer, and what is kept.
func broken() (Results, Extra) {
	access := one("STDIO-10", requirement.QMClient, verdict.Error)
	access.Area = "stdio"
	follows := because(one("IDENT-13", requirement.QMServer, verdict.Fail), "SERV-17")
	untested := because(one("IDENT-14", requirement.QMClient, verdict.NotTestable), "SERV-17")
	follows.Area, untested.Area = "identity", "identity"
	r := judged(
		one("SERV-01", requirement.Host, verdict.Pass),
		should(one("SERV-07", requirement.QMClient, verdict.Fail)),
		one("SERV-17", requirement.QMServer, verdict.Fail),
		one("SERV-17", requirement.QMClient, verdict.Fail),
		one("SERV-18", requirement.QMServer, verdict.KnownFailing),
		one("SERV-19", requirement.QMServer, verdict.NotApplicable),
		access, follows, untested,
	)
	x := Extra{Rerun: again, Evidence: map[string]Evidence{}}
	for _, v := range r.Verdicts {
		if v.Evidence != "" {
			x.Evidence[v.Evidence] = kept()
		}
	}
	return r, x
}

// kept is evidence of every kind.
func kept() Evidence {
	at := func(d time.Duration, k wire.Kind, data string) wire.Event {
		return wire.Event{At: d, Kind: k, Data: []byte(data), Size: len(data)}
	}
	return Evidence{
		Files: []evidence.Text{{Name: "users.txt", Text: "nobody <b>\n"}, {Name: "empty.txt"}},
		Links: []string{"connection.pcap", "reproduce.sh"},
		Record: evidence.Record{
			Where:   verdict.Place{File: "/etc/xinetd.d/qm", Line: 2},
			Sources: []evidence.Text{{Name: "/etc/xinetd.d/qm", Text: "{\n\tumask = 022\n}\n"}},
			Logs:    []evidence.Text{{Name: "xinetd.log", Text: "START: qmserver\nFAIL: qmserver address\n"}},
			Comparisons: []evidence.Comparison{{Name: "at the prompt", Rows: []evidence.Row{
				{Fact: "umask", Contract: "0002", Seen: "0022", Differs: true}, {Fact: "user ids", Contract: "0", Seen: "0"},
			}}},
			Transcripts: []evidence.Transcript{{Name: "qmserver", Wire: wire.Transcript{Events: []wire.Event{
				at(0, wire.KindConnected, ""), at(time.Millisecond, wire.KindReceived, "QM<\x06"),
				at(2001*time.Millisecond, wire.KindTimeout, ""), at(2002*time.Millisecond, wire.KindFIN, ""),
			}}}},
		},
	}
}

func again(v verdict.Verdict) string {
	return "make conformance FOCUS='" + v.ID + " " + string(v.Service) + "'"
}
