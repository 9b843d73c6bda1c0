package observe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"qmconformance/harness/process"
	"qmconformance/harness/requirement"
	"qmconformance/harness/xinetd"
)

// Names of the trials of LimitRules.
const (
	TimesOpen         = "access-times-around-now"
	TimesClosed       = "access-times-at-another-hour"
	InstancesTwo      = "two-instances"
	PerSourceOne      = "one-per-source"
	RateOne           = "one-per-second"
	LoadNone          = "no-load-admitted"
	RateBeforeLoad    = "rate-before-load-and-times"
	LoadBeforeTimes   = "load-before-times"
	TimesBeforePlaces = "times-before-instances"
	PlacesBeforeOwn   = "instances-before-per-source"
	PlacesBeforeLists = "instances-before-lists"
	ListsBeforeWraps  = "lists-before-wrappers"
)

// LimitRules tries the limits on times, places and rates, and in which order the
// rules are applied.
var LimitRules = &Look[Ruled]{
	Name: "limit rules", Takes: 2000 * time.Millisecond, Stage: WithRules, Limit: 90 * time.Second,
	Take: func(ctx context.Context, s *Scene) (Ruled, error) {
		return trials(ctx, s, []string{"A", "B", "C"}, limitRules)
	},
}

func limitRules(ctx context.Context, g *ground) error {
	date, err := g.s.Command(ctx, "date", "+%H:%M")
	if err != nil {
		return err
	}
	now, err := time.Parse("15:04", strings.TrimSpace(date.Output))
	if err != nil {
		return err
	}
	load, err := g.s.ReadFile(ctx, "/proc/loadavg")
	if err != nil {
		return err
	}
	g.facts.Load, _, _ = strings.Cut(string(load), " ")
	closed := "access_times = " + farFrom(now)
	a := g.clients["A"]
	justA := func(ctx context.Context, d *during) error { return d.everybody(ctx, "A") }
	twiceA := func(ctx context.Context, d *during) error {
		return errors.Join(d.everybody(ctx, "A"), d.everybody(ctx, "A again"))
	}
	list := []struct {
		rules
		do func(context.Context, *during) error
	}{
		{rules{name: TimesOpen, block: []string{"access_times = " + around(now)}}, justA},
		{rules{name: TimesClosed, block: []string{closed}}, justA},
		{g.limits(rules{name: InstancesTwo}, "instances = 2"), twoInstances},
		{g.limits(rules{name: PerSourceOne}, "per_source = 1"), func(ctx context.Context, d *during) error {
			return errors.Join(d.everybody(ctx, "A"), d.everybody(ctx, "A again", "B"))
		}},
		{g.limits(rules{name: RateOne}, "cps = 1 1", "instances = 1"), overTheRate},
		{g.limits(rules{name: LoadNone}, "max_load = 0.001"), justA},
		{g.limits(rules{name: RateBeforeLoad, block: []string{closed}}, "cps = 1 1", "max_load = 0.001"), tripTheRate},
		{g.limits(rules{name: LoadBeforeTimes, block: []string{closed}}, "max_load = 0.001"), justA},
		{g.limits(rules{name: TimesBeforePlaces, block: []string{closed}}, "instances = 0"), justA},
		{g.limits(rules{name: PlacesBeforeOwn}, "instances = 1", "per_source = 1"), twiceA},
		{g.limits(rules{name: PlacesBeforeLists, block: []string{"no_access = " + a.String()}}, "instances = 0"), justA},
		{rules{
			name: ListsBeforeWraps, block: []string{"no_access = " + a.String()},
			files: map[string][]string{"/etc/hosts.deny": {"ALL: " + a.String()}},
		}, justA},
	}
	for _, t := range list {
		if err := g.under(ctx, t.rules, t.do); err != nil {
			return err
		}
	}
	return nil
}

// limits adds limits where an administrator would write them: in the block of a
// service that has a limit of its own there, else in the defaults. A block that
// says that there is no limit is no place to write one.
func (g *ground) limits(r rules, lines ...string) rules {
	r.of = map[requirement.Service][]string{}
	for _, line := range lines {
		name, _, _ := strings.Cut(line, " ")
		for _, service := range g.services {
			if ownLimit(g.config, service, name) {
				r.of[service] = append(r.of[service], line)
			} else if !slices.Contains(r.defaults, line) {
				r.defaults = append(r.defaults, line)
			}
		}
	}
	return r
}

func ownLimit(c xinetd.Config, service requirement.Service, name string) bool {
	for _, b := range c.Service(string(service)) {
		a, ok := b.Attribute(name)
		if !ok || len(a.Values) == 0 {
			continue
		}
		return !strings.EqualFold(a.Values[0], "UNLIMITED") && (name != "cps" || a.Values[0] != "0")
	}
	return false
}

// around is the hour of a time of day with the ones before and after it, as two
// intervals where midnight lies between them; farFrom is an hour half a day off.
func around(now time.Time) string {
	switch h := now.Hour(); h {
	case 0:
		return "23:00-23:59 00:00-01:59"
	case 23:
		return "22:00-23:59 00:00-00:59"
	default:
		return fmt.Sprintf("%02d:00-%02d:59", h-1, h+1)
	}
}

func farFrom(now time.Time) string {
	hour := (now.Hour() + 12) % 24
	return fmt.Sprintf("%02d:00-%02d:59", hour, hour)
}

// twoInstances takes both places, tries a third, and gives one back.
func twoInstances(ctx context.Context, d *during) error {
	first, err := d.atOnceAll(ctx, d.g.callers("A"))
	if err != nil {
		return err
	}
	if err := errors.Join(d.everybody(ctx, "B"), d.everybody(ctx, "C")); err != nil {
		return err
	}
	if err := d.g.gone(ctx, first...); err != nil {
		return err
	}
	return d.everybody(ctx, "C again")
}

// rateTries is how many connections at most are made to trip a rate of one in a
// second; more than two take a busy machine.
const rateTries = 8

// overTheRate takes the only place, connects until the rate is tripped, and waits
// for the end of the pause. The rate is one in a second because xinetd counts for
// as many seconds as there may be connections in one: with more, those from before
// the pause would trip it again.
func overTheRate(ctx context.Context, d *during) error {
	if err := errors.Join(d.everybody(ctx, "A"), tripTheRate(ctx, d)); err != nil {
		return err
	}
	for _, service := range d.g.services {
		if err := d.g.listens(ctx, service); err != nil {
			return err
		}
	}
	return d.everybody(ctx, "C over")
}

// tripTheRate connects until the port is closed.
func tripTheRate(ctx context.Context, d *during) error {
	for _, service := range d.g.services {
		for i := range rateTries {
			v, err := d.atOnceAll(ctx, []caller{{service, fmt.Sprintf("C %d", i+1)}})
			if err != nil {
				return err
			}
			leave(ctx, v...)
			if v[0].Closed() {
				break
			}
		}
	}
	return nil
}

// pauseLimit is for the end of a pause of one second, and a busy machine.
const pauseLimit = 4 * time.Second

// listens waits until a service's port is open, as the kernel has it; that it
// never is will show in the next connection.
func (g *ground) listens(ctx context.Context, service requirement.Service) error {
	return g.poll(ctx, pauseLimit, func(ctx context.Context) (bool, error) {
		open, err := g.s.Listeners(ctx)
		return slices.ContainsFunc(open, func(l process.Socket) bool { return l.Local.Port() == g.s.Ports[service] }), err
	})
}

// gone ends sessions and waits until xinetd has taken note: until then their
// processes are in the table of processes.
func (g *ground) gone(ctx context.Context, visits ...*visit) error {
	leave(ctx, visits...)
	return g.poll(ctx, stateLimit, func(ctx context.Context) (bool, error) {
		snap, err := g.s.Snapshot(ctx)
		if err != nil {
			return false, err
		}
		return !slices.ContainsFunc(visits, func(v *visit) bool {
			_, there := snap.Process(v.PID)
			return there && v.Served
		}), nil
	})
}

func (g *ground) poll(ctx context.Context, limit time.Duration, done func(context.Context) (bool, error)) error {
	for began := time.Now(); time.Since(began) < limit; {
		if ok, err := done(ctx); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(gonePoll):
		}
	}
	return nil
}
