package observe

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"qmconformance/harness/agent"
	"qmconformance/harness/requirement"
	"qmconformance/harness/xinetd"
)

// Answer is how the identity server of a client's host answered, and what the
// refused client and the log made of it.
type Answer struct {
	Manner string
	Trail
	// Asked is what the server was asked, in order.
	Asked []string
	// Query is what it should have been asked: the ports of the connection.
	Query string
}

// Identified is a refused client whose host has an identity server.
type Identified struct {
	Service requirement.Service
	Logging Logging
	// Well are the answers that name a user, Ill all the others.
	Well, Ill []Answer
	// Forged are answers with a line feed in the user's name, in the package's own
	// log and in one that is sure to be a file.
	Forged, ForgedInFile []Answer
}

// IdentUser is the user that a good answer names.
const IdentUser = "conformance"

// ForgedClient is the client of the line that a bad answer tries to put into the
// log: an address for documentation (RFC 5737), nobody's.
var ForgedClient = netip.MustParseAddr("203.0.113.9")

// manners are the ways to answer that make no difference to the client. Every one
// of them ends at once.
func manners() []manner {
	return []manner{
		{"an error", agent.IdentRequest{Manner: agent.IdentAnswers, Reply: "{ports} : ERROR : NO-USER\r\n"}},
		{"nobody listens", agent.IdentRequest{Manner: agent.IdentRefuses}},
		{"a reset", agent.IdentRequest{Manner: agent.IdentResets}},
		{"10 kB", agent.IdentRequest{Manner: agent.IdentAnswers, Reply: strings.Repeat("x", 10<<10) + "\r\n"}},
		{"no line", agent.IdentRequest{Manner: agent.IdentAnswers, Reply: "\x00\x1b\xff\xfe{[("}},
		{"junk", agent.IdentRequest{Manner: agent.IdentAnswers, Reply: "\xff\xfe\x1b[2J : : ,,\r\n"}},
		{"nothing", agent.IdentRequest{Manner: agent.IdentAnswers}},
	}
}

type manner struct {
	name    string
	request agent.IdentRequest
}

// Identities refuses clients whose hosts have identity servers of many manners.
var Identities = &Look[Identified]{
	Name: "identities", Takes: 250 * time.Millisecond, Stage: WithProbe, Last: true, Each: true, Limit: 90 * time.Second,
	Take: func(ctx context.Context, s *Scene) (f Identified, err error) {
		f.Service = s.Service
		t, err := newTracer(ctx, s)
		if err != nil {
			return f, err
		}
		f.Logging = t.logging
		defer func() { err = t.end(ctx, err) }()
		if err := f.own(ctx, t); err != nil {
			return f, err
		}
		f.ForgedInFile, err = t.inFile(ctx)
		return f, err
	},
}

// own asks for users with the package's own log.
func (f *Identified) own(ctx context.Context, t *tracer) (err error) {
	e, err := t.edit(ctx, refused)
	if e != nil {
		defer func() { err = orUndo(ctx, e, err) }()
	}
	if err != nil {
		return err
	}
	well := manner{"a user", agent.IdentRequest{Manner: agent.IdentAnswers, Reply: "{ports} : USERID : UNIX : " + IdentUser + "\r\n"}}
	for _, from := range []netip.Addr{t.v4, t.v6} {
		if from.Is6() {
			if err := t.s.AwaitIPv6(ctx); err != nil {
				return err
			}
		}
		if f.Well, err = t.answer(ctx, f.Well, well, from); err != nil {
			return err
		}
		for _, m := range manners() {
			if f.Ill, err = t.answer(ctx, f.Ill, m, from); err != nil {
				return err
			}
		}
		if f.Forged, err = t.answer(ctx, f.Forged, forging(t.logging.ID), from); err != nil {
			return err
		}
	}
	return nil
}

// forging ends the line of the log in the middle of the user's name, and begins
// one that tells of a session that never was.
func forging(id string) manner {
	line := fmt.Sprintf("26/11/22@08:00:00: START: %s pid=1 from=%v", id, ForgedClient)
	return manner{"a line feed", agent.IdentRequest{Manner: agent.IdentAnswers, Reply: "{ports} : USERID : UNIX : x\n" + line + "\r\n"}}
}

func (t *tracer) inFile(ctx context.Context) (list []Answer, err error) {
	e, err := t.edit(ctx, refused, t.set("log_type", "FILE "+otherFile))
	if e != nil {
		defer func() { err = orUndo(ctx, e, err) }()
	}
	if err != nil {
		return nil, err
	}
	return t.answer(ctx, nil, forging(t.logging.ID), t.v4)
}

// answer has one client refused whose host answers in a manner. A family that the
// service is not open on is left out.
func (t *tracer) answer(ctx context.Context, list []Answer, m manner, from netip.Addr) ([]Answer, error) {
	m.request.At = from
	if err := t.host.Ident(ctx, m.request); err != nil {
		return list, err
	}
	before, err := t.host.IdentQueries(ctx, 0)
	if err != nil {
		return list, err
	}
	a := Answer{Manner: m.name}
	a.Trail, err = t.connect(ctx, xinetd.ReasonInstances, refused.Line, from, func(records []xinetd.Record) bool {
		return logsFailure(t.logging.ID)(records) && (m.request.Manner == agent.IdentRefuses || aboutUser(records, t.logging.ID))
	})
	if err != nil || !a.Connected && from.Is6() {
		return list, err
	}
	queries, err := t.host.IdentQueries(ctx, len(before))
	for _, q := range queries {
		if q.To.Addr() == from {
			a.Asked = append(a.Asked, q.Line)
		}
	}
	a.Query = fmt.Sprintf("%d,%d", a.Local.Port(), t.s.Port)
	return append(list, a), err
}

// aboutUser says whether the log tells what came of the question for the user.
func aboutUser(records []xinetd.Record, id string) bool {
	return len(xinetd.Entries(records, xinetd.UserID, id)) > 0 || len(IdentComplaints(records)) > 0
}

// IdentComplaints are xinetd's own messages on an identity server.
func IdentComplaints(records []xinetd.Record) []xinetd.Record {
	return slices.DeleteFunc(xinetd.Messages(records), func(r xinetd.Record) bool {
		return !strings.Contains(r.Text, "identity server")
	})
}
