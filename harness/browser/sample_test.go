package browser

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"qmconformance/harness/evidence"
	"qmconformance/harness/report"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
	"qmconformance/harness/wire"
)

const (
	causeID = "SERV-17"
	change  = `/etc/xinetd.d/qmserver:8 says "umask = 022": write "umask = 002"`
)

// attached is a page of another command's.
var attached = `<!doctype html><title>plots</title><h1>plots</h1><svg width="20" height="20"><rect width="20" height="20"/></svg>`

const block = "service qmserver\n{\n\tprotocol    = tcp\n\tflags       = REUSE\n\tsocket_type = stream\n\twait        = no\n\tuser        = root\n\tumask       = 022\n\tserver      = /usr/qmsys/bin/qm\n}\n"

// judged is the whole catalogue, kept, but for what spoil says.
func judged(t *testing.T, spoil map[string]verdict.Finding) (report.Results, *requirement.Catalogue) {
	t.Helper()
	c, err := requirement.Load()
	if err != nil {
		t.Fatal(err)
	}
	var list []verdict.Verdict
	for _, q := range c.All() {
		for _, s := range q.Services {
			f, spoilt := spoil[q.ID+" "+string(s)]
			if !spoilt {
				f = verdict.Kept("as the requirement says", "as the requirement says")
			}
			v := verdict.New(q, s, f, 20*time.Millisecond)
			if spoilt {
				v.Evidence = evidence.Folder(q.ID, string(s))
			}
			list = append(list, v)
		}
	}
	r := report.Results{
		Profile: "full", Catalogue: requirement.Version, Started: "2026-01-02T03:04:05Z", DurationMS: 18500,
		Subject: report.Subject{Package: "debian/qm-network", Base: "bookworm", Xinetd: "2.3.15.3", Kernel: "6.1.0", QM: report.QM{Kind: "standin", Version: "1", Source: "standin"}},
	}
	r.Judge(list, c.Rank, false, true)
	return r, c
}

// write makes a report of results with the evidence of each verdict that has some.
func write(t *testing.T, r report.Results, c *requirement.Catalogue) string {
	t.Helper()
	dir := t.TempDir()
	for _, v := range r.Verdicts {
		if v.Evidence == "" {
			continue
		}
		b := &evidence.Bundle{}
		b.Source("/etc/xinetd.d/qmserver", block)
		b.Log("xinetd.log", "26/1/2@03:04:05: START: qmserver pid=50 from=10.0.0.2\n26/1/2@03:04:06: FAIL: qmserver address from=10.0.0.3\n")
		b.Compare("at the prompt", []evidence.Row{{Fact: "umask", Contract: "0002", Seen: "0022", Differs: true}, {Fact: "user ids", Contract: "0 0 0 0", Seen: "0 0 0 0"}})
		b.Wire(string(v.Service), conversation())
		b.Text("a-very-long-name-of-a-file-that-a-trial-left-in-the-folder", strings.Repeat("x", 400))
		where := verdict.Place{}
		if v.ID == causeID {
			where = verdict.Place{File: "/etc/xinetd.d/qmserver", Line: 8}
		}
		must(t, evidence.Write(dir, v.Evidence, b, nil, "make conformance"))
		must(t, evidence.WriteRecord(dir, v.Evidence, b, where))
		must(t, os.WriteFile(filepath.Join(dir, v.Evidence, "connection.pcap"), []byte{0xd4, 0xc3, 0xb2, 0xa1, 0}, 0o644))
	}
	must(t, os.WriteFile(filepath.Join(dir, "bench.html"), []byte(attached), 0o644))
	must(t, report.Write(dir, r, report.Extra{
		Evidence: report.Collect(dir, r.Verdicts), Attachments: report.Attachments(dir),
		Rerun: func(v verdict.Verdict) string {
			return "make conformance FOCUS='" + v.ID + " " + string(v.Service) + "' PACKAGE=./debian/qm-network"
		},
		Why: func(id string) string { q, _ := c.Get(id); return q.Why },
	}))
	return filepath.Join(dir, report.HTMLFile)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func conversation() wire.Transcript {
	at := func(ms int, k wire.Kind, data string) wire.Event {
		return wire.Event{At: time.Duration(ms) * time.Millisecond, Kind: k, Data: []byte(data), Size: len(data)}
	}
	return wire.Transcript{Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Events: []wire.Event{
		at(1, wire.KindConnected, ""), at(3, wire.KindReceived, "\xff\xfd\x18"), at(4, wire.KindSent, "\xff\xfb\x18"),
		at(30, wire.KindReceived, "[ScarletDME]\r\n\r\nUsername: "), at(5030, wire.KindTimeout, ""), at(5031, wire.KindFIN, ""), at(5032, wire.KindClosed, ""),
	}}
}

// broken is a package with one mistake, what follows from it, and a known failure.
func broken(t *testing.T) string {
	follows := verdict.Violated("0002", "0022", "")
	follows.BecauseOf = causeID
	known := verdict.Finding{Kind: verdict.KnownFailing, Expected: "refused", Actual: "served", Hint: "A defect of this version (https://example.org/1)"}
	r, c := judged(t, map[string]verdict.Finding{
		causeID + " qmserver": verdict.Violated("umask = 002", "umask = 022 in effect", change),
		"IDENT-13 qmserver":   follows,
		"ACCESS-04 qmclient":  known,
	})
	return write(t, r, c)
}

func conformant(t *testing.T) string {
	r, c := judged(t, nil)
	return write(t, r, c)
}
