package observe

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"qmconformance/harness/requirement"
	"qmconformance/harness/xinetd"
)

// Trail is one connection and what it left in the log.
type Trail struct {
	// Rule is the reason that xinetd should give, and Line what was written into
	// the block for it.
	Rule, Line string
	// From is the client's own address, Local its end of the connection.
	From      netip.Addr
	Local     netip.AddrPort
	Connected bool
	// Refused: the connection ended without a byte.
	Refused bool
	Outcome string
	Took    time.Duration
	// Executed is how often the server was executed meanwhile.
	Executed int
	Logged   []xinetd.Record
}

// Reasons are those of the FAIL entries under an id.
func (t Trail) Reasons(id string) []xinetd.Record { return xinetd.Entries(t.Logged, xinetd.Fail, id) }

// LogFile is a file that xinetd is to log to.
type LogFile struct {
	Path string
	// Missing says that there is no such file, after something was to be logged.
	Missing bool
	Size    int64
}

// Logging is how a service is told to log.
type Logging struct {
	// ID is the name under which the service logs.
	ID      string
	Config  xinetd.Config
	Remarks []xinetd.Remark
	Files   []LogFile
}

// Traces is what refused clients leave in the log.
type Traces struct {
	Service requirement.Service
	Logging Logging
	// RunsAs is the command line of what listens on the service's port.
	RunsAs string
	// Limits are refusals that xinetd itself decides, Children those of its child.
	Limits, Children []Trail
	// IPv6 is one of a client with such an address; it is not Connected where the
	// service is not open there.
	IPv6 Trail
	// Rate is the refusal that begins a pause, and Unexecutable a server that
	// cannot be executed.
	Rate, Unexecutable Trail
	// Other is a refusal where the service logs the other way: to syslog if the
	// package logs to a file, else to a file.
	Other Trail
}

// otherFile is where a service logs to when it is told another route.
const otherFile = "/var/log/conformance.log"

// RefusalTraces refuses clients for every reason that can be produced at will.
var RefusalTraces = &Look[Traces]{
	Name: "refusal-traces", Takes: 600 * time.Millisecond, Stage: WithRules, Each: true, Limit: 90 * time.Second,
	Take: func(ctx context.Context, s *Scene) (f Traces, err error) {
		f.Service = s.Service
		t, err := newTracer(ctx, s)
		if err != nil {
			return f, err
		}
		defer func() { err = t.end(ctx, err) }()
		f.Logging = t.logging
		if f.RunsAs, err = runsAs(ctx, s); err != nil {
			return f, err
		}
		if err := f.limits(ctx, t); err != nil {
			return f, err
		}
		f.Logging.Files = t.files(ctx)
		if err := f.children(ctx, t); err != nil {
			return f, err
		}
		if f.Rate, err = t.rate(ctx); err != nil {
			return f, err
		}
		if f.Unexecutable, err = t.unexecutable(ctx); err != nil {
			return f, err
		}
		if f.Other, err = t.other(ctx); err != nil {
			return f, err
		}
		// Last, since a target's address may be tentative for its first seconds.
		if err = s.AwaitIPv6(ctx); err != nil {
			return f, err
		}
		f.IPv6, err = t.refusal(ctx, xinetd.ReasonInstances, t.v6, refused)
		return f, err
	},
}

// runsAs is the command line of the process that holds the service's port.
func runsAs(ctx context.Context, s *Scene) (string, error) {
	snap, err := s.Snapshot(ctx)
	if err != nil {
		return "", err
	}
	for _, l := range snap.Listeners(s.Port) {
		for _, p := range snap.Holders(l.Inode) {
			return strings.Join(p.Args, " "), nil
		}
	}
	return "", nil
}

// refused is a rule that refuses everybody from the first connection on.
var refused = xinetd.Change{Attribute: "instances", Line: "instances = 0"}

func (f *Traces) limits(ctx context.Context, t *tracer) error {
	keep := func(trail Trail, err error) error {
		f.Limits = append(f.Limits, trail)
		return err
	}
	if err := keep(t.refusal(ctx, xinetd.ReasonInstances, t.v4, refused)); err != nil {
		return err
	}
	window, err := t.closedHours(ctx)
	if err != nil {
		return err
	}
	if err := keep(t.refusal(ctx, xinetd.ReasonTime, t.v4, t.set("access_times", window))); err != nil {
		return err
	}
	if err := keep(t.second(ctx)); err != nil {
		return err
	}
	// A machine that has had nothing to do has no load that a limit could be below.
	load, err := t.s.ReadFile(ctx, "/proc/loadavg")
	if err != nil || strings.HasPrefix(string(load), "0.00") {
		return err
	}
	return keep(t.refusal(ctx, xinetd.ReasonLoad, t.v4, t.set("max_load", "0.0001")))
}

func (f *Traces) children(ctx context.Context, t *tracer) error {
	trail, err := t.refusal(ctx, xinetd.ReasonAddress, t.v4, t.set("no_access", t.v4.String()))
	if err != nil {
		return err
	}
	f.Children = append(f.Children, trail)
	trail, err = t.wrappers(ctx)
	f.Children = append(f.Children, trail)
	return err
}
