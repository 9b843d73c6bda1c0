package observe

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"qmconformance/harness/agent"
	"qmconformance/harness/requirement"
	"qmconformance/harness/target"
	"qmconformance/harness/wire"
	"qmconformance/harness/xinetd"
)

// tracer is what the looks at traces share.
type tracer struct {
	s       *Scene
	host    *target.ClientHost
	v4, v6  netip.Addr
	logging Logging
	// mute says that nothing was logged when something should have been: no use in
	// waiting for each further line.
	mute bool
}

func newTracer(ctx context.Context, s *Scene) (*tracer, error) {
	host, err := s.Clients(ctx)
	if err != nil {
		return nil, err
	}
	t := &tracer{s: s, host: host}
	if t.logging.Config, t.logging.Remarks, err = s.Configuration(ctx); err != nil {
		return nil, err
	}
	t.logging.ID = LogID(t.logging.Config, s.Service)
	if t.v4, err = host.TakeAddress(ctx, false); err != nil {
		return nil, err
	}
	if t.v6, err = host.TakeAddress(ctx, true); err != nil {
		return nil, err
	}
	return t, s.CountStarts(ctx)
}

// LogID is the name under which a service logs.
func LogID(config xinetd.Config, service requirement.Service) string {
	for _, b := range config.Service(string(service)) {
		if b.Dropped == "" {
			return b.ID()
		}
	}
	return string(service)
}

// end leaves xinetd with the package's own configuration.
func (t *tracer) end(ctx context.Context, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), agent.CallLimit)
	defer cancel()
	if _, again := t.s.Respawn(ctx); err == nil {
		err = again
	}
	return err
}

func (t *tracer) set(attribute, value string) xinetd.Change {
	return xinetd.Set(string(t.s.Service), attribute, value)
}

// lifted takes the package's own limits away, so that a connection is refused by
// the rule at hand and for no other reason.
var lifted = []xinetd.Change{
	{Attribute: "cps", Line: "cps = 0 0"},
	{Attribute: "instances", Line: "instances = UNLIMITED"},
	{Attribute: "per_source", Line: "per_source = UNLIMITED"},
	{Attribute: "access_times"},
	{Attribute: "max_load"},
	{Attribute: "only_from"},
	{Attribute: "no_access"},
}

// edit puts rules into the package's configuration and starts xinetd with it.
func (t *tracer) edit(ctx context.Context, rules ...xinetd.Change) (*target.Edition, error) {
	e, err := t.s.Edit(ctx, alone(t.s.Service, rules...)...)
	if err != nil {
		return nil, err
	}
	_, err = t.s.Respawn(ctx)
	return e, err
}

// alone are rules for a service without the package's own limits.
func alone(service requirement.Service, rules ...xinetd.Change) []xinetd.Change {
	var changes []xinetd.Change
	for _, l := range lifted {
		if !slices.ContainsFunc(rules, func(r xinetd.Change) bool { return r.Attribute == l.Attribute }) {
			changes = append(changes, l)
		}
	}
	changes = append(changes, rules...)
	for i := range changes {
		changes[i].Service = string(service)
	}
	return changes
}

// refusal has one client refused by one rule.
func (t *tracer) refusal(ctx context.Context, rule string, from netip.Addr, change xinetd.Change) (trail Trail, err error) {
	e, err := t.edit(ctx, change)
	if e != nil {
		defer func() { err = orUndo(ctx, e, err) }()
	}
	if err != nil {
		return trail, err
	}
	return t.connect(ctx, rule, change.Line, from, logsFailure(t.logging.ID))
}

func orUndo(ctx context.Context, e *target.Edition, err error) error {
	if undone := e.Undo(ctx); err == nil {
		err = undone
	}
	return err
}

func logsFailure(id string) func([]xinetd.Record) bool {
	return func(records []xinetd.Record) bool { return len(xinetd.Entries(records, xinetd.Fail, id)) > 0 }
}

// connect is one connection that is to be refused, to its end, and its trace.
func (t *tracer) connect(ctx context.Context, rule, line string, from netip.Addr, enough func([]xinetd.Record) bool) (Trail, error) {
	trail := Trail{Rule: rule, Line: line, From: from}
	before, err := t.s.Starts(ctx)
	if err != nil {
		return trail, err
	}
	mark, err := t.s.MarkLog(ctx)
	if err != nil {
		return trail, err
	}
	link, err := t.dial(ctx, from)
	if err != nil {
		return trail, err
	}
	trail.end(ctx, link, refusalLimit)
	t.s.Evidence.Wire(fmt.Sprintf("%s-%s", t.s.Service, rule), link.Transcript())
	if !trail.Connected {
		return trail, nil
	}
	if enough != nil { // else the caller reads the log of several
		if err := t.read(ctx, &trail, mark, enough); err != nil {
			return trail, err
		}
	}
	// In the end: a program takes a few milliseconds to start.
	after, err := t.s.Starts(ctx)
	trail.Executed = after - before
	return trail, err
}

// read reads what a connection left in the log.
func (t *tracer) read(ctx context.Context, trail *Trail, mark target.LogMark, enough func([]xinetd.Record) bool) error {
	log, err := t.s.AwaitLog(ctx, mark, func(r []xinetd.Record) bool { return t.mute || enough(r) })
	trail.Logged = log.Records
	t.mute = t.mute || !enough(log.Records)
	t.s.Evidence.Log(fmt.Sprintf("%s-%s.log", t.s.Service, trail.Rule), log.Text)
	return err
}

// refusalLimit is for the end of a refused connection: 1 ms, unless something is
// waited for that should not be.
const refusalLimit = 5 * time.Second

// end awaits the end of a connection that is to be refused. Where a program
// answers in its place, it is told to leave.
func (t *Trail) end(ctx context.Context, link wire.Link, limit time.Duration) {
	t.Connected, t.Local = link.Connected(), link.LocalAddr()
	outcome := link.Await(ctx, "the end of the connection", limit, wire.AtLeast(1))
	t.Outcome, t.Took = outcome.String(), outcome.At
	t.Refused = t.Connected && outcome.Ended() && outcome.Total == 0
	if outcome.OK() {
		link.Send([]byte("exit 0\n"))
		link.Await(ctx, "the end of the connection", probeEnd, wire.TheEnd)
	}
	link.Close()
}

func (t *tracer) dial(ctx context.Context, from netip.Addr) (wire.Link, error) {
	return dialFrom(ctx, t.s, t.host, from)
}

// dialFrom dials a service from an address of the client host.
func dialFrom(ctx context.Context, s *Scene, host *target.ClientHost, from netip.Addr) (wire.Link, error) {
	to := s.V4
	if from.Is6() {
		to = s.V6
	}
	return host.Dial(ctx, agent.DialRequest{Remote: netip.AddrPortFrom(to, s.Port), Source: from})
}

// closedHours is a minute of the day that is hours away, by the target's clock:
// xinetd knows no window across midnight.
func (t *tracer) closedHours(ctx context.Context) (string, error) {
	res, err := t.s.Command(ctx, "date", "+%H")
	if err != nil {
		return "", err
	}
	hour, err := strconv.Atoi(strings.TrimSpace(res.Output))
	if err != nil {
		return "", fmt.Errorf("the hour of the target: %w", err)
	}
	if hour < 12 {
		return "18:00-18:01", nil
	}
	return "06:00-06:01", nil
}

// files are the log files of the configuration, as they are.
func (t *tracer) files(ctx context.Context) []LogFile {
	var list []LogFile
	for _, path := range t.s.LogFiles() {
		entry, err := t.s.Client.Stat(ctx, path)
		list = append(list, LogFile{Path: path, Missing: err != nil, Size: entry.Size})
	}
	return list
}
