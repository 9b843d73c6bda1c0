package bench

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"

	"qmconformance/harness/agent"
	"qmconformance/harness/bench/caller"
	"qmconformance/harness/bench/gate"
	"qmconformance/harness/bench/stats"
	"qmconformance/harness/requirement"
)

// line is a Line in the making.
type line struct {
	Line
	target *caller.Target
	// seldom is for conversations that take a tenth of a second.
	seldom bool
	// watch says that the end of the process is waited for.
	watch bool

	calls []caller.Call
	gone  []int64
	round []int
}

// The lines by name, as far as other parts ask for them.
const (
	lineFloor        = "floor"
	lineIdealTrivial = "ideal-trivial"
	lineTrivial      = "xinetd-trivial"
)

func lineOf(service requirement.Service) string { return string(service) }
func idealOf(service requirement.Service) string {
	return "ideal-" + string(service)
}

// makeLines are all that are called in turn.
func (s *Session) makeLines() []*line {
	b := s.B
	at := b.addr
	toEnd := func(port uint16) *caller.Target { return &caller.Target{Addr: at(port), Talk: caller.ToTheEnd} }
	qm := func(port uint16, service requirement.Service) *caller.Target {
		t := b.call(service)
		t.Addr = at(port)
		return t
	}
	client, server := requirement.QMClient, requirement.QMServer
	login := loginOf()
	list := []*line{
		{Line: Line{Name: lineFloor, Title: "bare accept", Server: "floor"}, target: toEnd(floorPort)},
		{Line: Line{Name: lineIdealTrivial, Title: "ideal fork and exec, trivial program", Server: "ideal", Program: "trivial"}, target: toEnd(idealTrivialPort)},
		{Line: Line{Name: lineTrivial, Title: "xinetd, trivial program", Server: "xinetd", Program: "trivial"}, target: toEnd(trivialPort)},
		{Line: Line{Name: idealOf(client), Title: "ideal fork and exec, qm -n -q", Service: string(client), Server: "ideal", Program: "qm"}, target: qm(idealClientPort, client)},
		{Line: Line{Name: lineOf(client), Title: "xinetd, qm -n -q", Service: string(client), Server: "xinetd", Program: "qm"}, target: b.call(client), watch: true},
		{Line: Line{Name: idealOf(server), Title: "ideal fork and exec, qm -n", Service: string(server), Server: "ideal", Program: "qm"}, target: qm(idealServerPort, server)},
		{Line: Line{Name: lineOf(server), Title: "xinetd, qm -n", Service: string(server), Server: "xinetd", Program: "qm"}, target: b.call(server), watch: true},
		{
			Line:   Line{Name: "qmserver-telnet", Title: "xinetd, qm -n, an ordinary telnet client", Service: string(server), Server: "xinetd", Program: "qm"},
			target: &caller.Target{Addr: at(b.Ports[server]), Talk: caller.Server(nil)}, seldom: true,
		},
		{
			Line:   Line{Name: "qmclient-login", Title: "xinetd, qm -n -q, logged in", Service: string(client), Server: "xinetd", Program: "qm"},
			target: &caller.Target{Addr: at(b.Ports[client]), Talk: caller.Client(login)}, seldom: true, watch: true,
		},
		{
			Line:   Line{Name: "qmserver-login", Title: "xinetd, qm -n, logged in", Service: string(server), Server: "xinetd", Program: "qm"},
			target: &caller.Target{Addr: at(b.Ports[server]), Talk: caller.Server(login), QuickAck: true}, seldom: true, watch: true,
		},
	}
	for name, port := range s.extra {
		list = append(list, &line{Line: Line{Name: name + "-qmclient", Title: name + ", qm -n -q", Service: string(client), Server: name, Program: "qm"}, target: qm(port, client)})
	}
	return list
}

// watched is how often, in rounds, the end of a process is waited for: it costs a
// look at every process of the target.
const watched = 8

// Sequential calls all the lines in turn, one connection at a time.
func (s *Session) Sequential(ctx context.Context) error {
	if err := s.Begin(ctx); err != nil {
		return err
	}
	return s.quiet(ctx, func() error {
		s.lines = s.makeLines()
		origin := caller.Now()
		caller.Together(1, func(_ int, l *caller.Line) {
			r := rand.New(rand.NewPCG(4242, 1))
			for round := -s.Plan.Warm; round < s.Plan.Rounds && within(ctx); round++ {
				for _, i := range order(r, len(s.lines)) {
					each := s.lines[i]
					if each.seldom && round%s.Plan.Seldom != 0 {
						continue
					}
					c, gone := s.callOnce(ctx, l, each, round)
					if round >= 0 {
						each.calls, each.gone, each.round = append(each.calls, c), append(each.gone, gone), append(each.round, round)
					}
					sleep(gap)
				}
			}
		})
		return s.sumLines(origin)
	})
}

// callOnce calls a line and, now and then, waits for the end of its process too.
func (s *Session) callOnce(ctx context.Context, l *caller.Line, each *line, round int) (c caller.Call, gone int64) {
	t := *each.target
	pid := 0
	if each.watch && round%watched == 0 {
		t.NoteLocal = true
		t.Hold = func(c *caller.Call) {
			var err error
			ends := agent.Ends{Client: netip.AddrPortFrom(ownTowards(t.Addr.Addr()), c.Local), Server: t.Addr}
			if pid, err = s.B.Target.WatchEnd(ctx, ends); err != nil {
				pid = 0
			}
		}
	}
	c = l.Call(&t, 0)
	if pid != 0 {
		if at, err := s.B.Target.Ended(ctx, pid); err == nil {
			gone = at
		}
	}
	return c, gone
}

// sumLines fills in the document.
func (s *Session) sumLines(origin int64) error {
	var errs []error
	for _, each := range s.lines {
		each.Phases = map[Phase]stats.Summary{}
		values := map[Phase][]int64{}
		var first error
		for i, c := range each.calls {
			each.Raw = append(each.Raw, rawOf(c, each.gone[i], origin))
			each.Kicks += int(c.Kicks)
			if c.Err != nil {
				if first == nil {
					first = c.Err
				}
				each.note(c.Err)
				continue
			}
			for _, p := range append([]Phase{Setup, Work}, Phases...) {
				if ns, ok := span(c, each.gone[i], p); ok {
					values[p] = append(values[p], ns)
				}
			}
		}
		for p, ns := range values {
			each.Phases[p] = stats.Sum(ns)
		}
		errs = append(errs, fail(each.Title, each.Failed, len(each.calls), first))
	}
	for _, each := range s.lines {
		setup := each.Phases[Work].P50
		each.ToFloor = ratio(setup, s.line(lineFloor).Phases[Work].P50)
		if ideal := s.line("ideal-" + each.Service); ideal != nil && each.Program == "qm" {
			each.ToIdeal = ratio(setup, ideal.Phases[Work].P50)
		} else if each.Program == "trivial" {
			each.ToIdeal = ratio(setup, s.line(lineIdealTrivial).Phases[Work].P50)
		}
		each.Relative, each.Halves = relative(each, s.line(lineIdealTrivial))
		s.Doc.Lines = append(s.Doc.Lines, each.Line)
	}
	return errors.Join(errs...)
}

func ratio(a, b float64) float64 {
	if b == 0 || a == 0 {
		return 0
	}
	return a / b
}

// mostErrors is how many failures are told in full.
const mostErrors = 5

func (l *Line) note(err error) {
	l.Failed++
	if len(l.Errors) < mostErrors && !slices.Contains(l.Errors, err.Error()) {
		l.Errors = append(l.Errors, err.Error())
	}
}

func (s *Session) line(name string) *line {
	for _, l := range s.lines {
		if l.Name == name {
			return l
		}
	}
	return nil
}

// relative is the work of a line over that of a yardstick in the same round, and
// how much that differs between the two halves of the run: a run on another day
// differs by as much at least.
func relative(l, yard *line) (all, halves gate.Estimate) {
	if yard == nil {
		return gate.Estimate{}, gate.Estimate{}
	}
	unit := map[int]float64{}
	for i, c := range yard.calls {
		if ns, ok := work(c); ok {
			unit[yard.round[i]] = float64(ns)
		}
	}
	var effects []float64
	for i, c := range l.calls {
		if ns, ok := work(c); ok && unit[l.round[i]] > 0 {
			effects = append(effects, math.Log(float64(ns)/unit[l.round[i]]))
		}
	}
	all = gate.EstimateEffects(effects)
	half := len(effects) / 2
	first, second := gate.EstimateEffects(effects[:half]), gate.EstimateEffects(effects[half:])
	return finite(all), finite(gate.Difference(second, first))
}

// finite makes an estimate fit for JSON, which has no infinity: one that is not known
// has no rounds.
func finite(e gate.Estimate) gate.Estimate {
	if math.IsInf(e.Error, 0) || math.IsNaN(e.Error) {
		return gate.Estimate{Effect: e.Effect, Pairs: e.Pairs}
	}
	return e
}
