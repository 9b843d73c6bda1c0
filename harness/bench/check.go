package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"

	"qmconformance/harness/bench/caller"
	"qmconformance/harness/bench/gate"
	"qmconformance/harness/bench/stats"
	"qmconformance/harness/requirement"
	"qmconformance/harness/target"
	"qmconformance/harness/usage"
	"qmconformance/harness/yardstick"
)

// CheckLabel is the label of the gate's check of itself, which runs only where it
// is asked for by name: it takes half an hour.
const CheckLabel = "gate-check"

// TrialsEnv says how many trials of each kind the check makes, and for how long
// each compares: "60 20 20s" are 60 of A with A and 20 slow-downs.
const TrialsEnv = "TRIALS"

// usualTrials show what is wrong in one of twenty comparisons and more.
const usualTrials = "60 20 20s"

// Trials are those that the check makes.
type Trials struct {
	Equal, Slower int
	Compare       time.Duration
}

// ReadTrials reads them from the environment.
func ReadTrials() (Trials, error) {
	text := os.Getenv(TrialsEnv)
	if strings.TrimSpace(text) == "" {
		text = usualTrials
	}
	var t Trials
	words := strings.Fields(text)
	err := errors.New("three words are wanted")
	if len(words) == 3 {
		var first, second, third error
		t.Equal, first = strconv.Atoi(words[0])
		t.Slower, second = strconv.Atoi(words[1])
		t.Compare, third = time.ParseDuration(words[2])
		err = errors.Join(first, second, third)
	}
	if err != nil || t.Equal < 0 || t.Slower < 0 || t.Compare < time.Second {
		return t, usage.Errorf("%s=%q is not such as %q: comparisons of A with A, slow-downs, and how long each takes", TrialsEnv, text, usualTrials)
	}
	return t, nil
}

// slowDown is what the gate must find.
const slowDown = 0.10

// fitFor is for how many trials the slow-down stays as it was fitted: what a sleep
// costs depends on what else the machine does.
const fitFor = 10

// CheckGate tries the gate on what it is to tell apart: targets that are alike, and
// such whose server sleeps first. Both have the same wrapper before qm, since to
// execute that costs more than the sleep. Which of a pair plays A is drawn anew for
// each trial, so that a trial meets other chances than the one before.
func (s *Session) CheckGate(ctx context.Context) error {
	trials, err := ReadTrials()
	if err != nil {
		return err
	}
	return s.quiet(ctx, func() error {
		c := &check{Session: s, compare: trials.Compare, slow: map[*Side]slowed{}}
		for _, p := range s.Pairs {
			c.sides = append(c.sides, p.A, p.B)
		}
		if c.plain, _, err = s.wrapped(ctx, "bench-wrap", variantPort, 0, c.sides); err != nil {
			return err
		}
		all := trials.Equal + trials.Slower
		for i := range all {
			if i%fitFor == 0 && trials.Slower > 0 {
				if err := c.fit(ctx); err != nil {
					return err
				}
			}
			// Both kinds spread over the whole time: the machine is not the same throughout.
			slower := (i+1)*trials.Slower/all > i*trials.Slower/all
			if err := c.try(ctx, i, slower); err != nil {
				return err
			}
		}
		c.sum()
		if c.alarms+c.missed > 0 {
			return fmt.Errorf("the gate raised %d false alarms in %d trials and missed %d slow-downs of %d", c.alarms, trials.Equal, c.missed, trials.Slower)
		}
		return nil
	})
}

// check is a check of the gate under way.
type check struct {
	*Session
	compare time.Duration
	sides   []*Side
	plain   map[*Side]*caller.Target
	slow    map[*Side]slowed
	sleep   time.Duration

	alarms, missed, unsure int
	alike, slower          outcomes
}

// slowed is a server that sleeps first.
type slowed struct {
	target *caller.Target
	pid    int
}

// outcomes are what trials of one kind found, for what they tell of the errors.
type outcomes struct{ effects, errors []float64 }

// try is one trial.
func (c *check) try(ctx context.Context, number int, slower bool) error {
	r := rand.New(rand.NewPCG(4242, uint64(number)))
	var pairs []versus
	for _, p := range c.Pairs {
		a, b := p.A, p.B
		if r.IntN(2) == 0 {
			a, b = b, a
		}
		v := versus{c.plain[a], c.plain[b]}
		if slower {
			v[1] = c.slow[b].target
		}
		pairs = append(pairs, v)
	}
	began := time.Now()
	list, change := c.rounds(ctx, pairs, c.compare, 3*c.compare)
	if !within(ctx) {
		return ctx.Err()
	}
	d, want, of := decide(change), "alike", &c.alike
	if slower {
		want, of = "slower", &c.slower
	}
	switch {
	case d.Verdict == gate.TooNoisy:
		c.unsure++
	case slower && d.Verdict != gate.Regression:
		c.missed++
	case !slower && d.Verdict == gate.Regression:
		c.alarms++
	}
	of.effects, of.errors = append(of.effects, change.Effect), append(of.errors, change.Error)
	took := time.Since(began)
	c.Doc.Gate = append(c.Doc.Gate, Gate{Service: "trial, " + want, Metric: Metric, Decision: d, TookMS: took.Milliseconds(), Rounds: list})
	c.Note("trial %d, %s: %s: %+.2f %% ± %.2f (standard error; %.2f within pairs), %d rounds in %.1f s", number+1, want, d.Verdict, change.Percent(), 100*change.Error, 100*change.Within, change.Rounds, took.Seconds())
	return nil
}

// sum says how it went, and whether the errors were what the effects scatter by.
func (c *check) sum() {
	c.Note("%d trials alike: %d alarms; %d slower: %d missed; %d too noisy to judge", len(c.alike.effects), c.alarms, len(c.slower.effects), c.missed, c.unsure)
	for name, of := range map[string]outcomes{"alike": c.alike, "slower": c.slower} {
		if len(of.effects) > 1 {
			c.Note("%s: the effects have a mean of %+.2f %% and a standard deviation of %.2f %%; the errors that were claimed are %.2f %% in the middle", name, 100*math.Expm1(stats.Mean(of.effects)), 100*stats.Deviation(of.effects), 100*stats.Median(of.errors))
		}
	}
}

// wrapped starts qmclient's service behind the wrapper on some sides.
func (s *Session) wrapped(ctx context.Context, name string, port uint16, sleep time.Duration, sides []*Side) (found map[*Side]*caller.Target, pids map[*Side]int, err error) {
	found, pids = map[*Side]*caller.Target{}, map[*Side]int{}
	for _, side := range sides {
		args := append([]string{yardstick.WrapMode, sleep.String(), side.Target.QM()}, argsOf(requirement.QMClient)...)
		if pids[side], err = side.twin(ctx, name, []block{{id: name, port: port, server: target.AgentPath, args: args}}); err != nil {
			return nil, nil, err
		}
		found[side] = &caller.Target{Addr: side.addr(port), Talk: caller.Client(nil)}
	}
	return found, pids, nil
}

// fittings is how often the sleep is fitted at most, and near how near it must come.
const (
	fittings = 6
	near     = 0.006
)

// fit sees to it that the wrapper's sleep makes the set-up longer by slowDown. What a
// sleep does is measured, on each target against the same target without it, since
// a part of a sleep may cost nothing.
func (c *check) fit(ctx context.Context) (err error) {
	want := math.Log(1 + slowDown)
	if c.sleep == 0 {
		if c.sleep, err = c.tenth(c.plain[c.sides[0]]); err != nil {
			return err
		}
		if err := c.restart(ctx); err != nil {
			return err
		}
	}
	for range fittings {
		var pairs []versus
		for _, side := range c.sides {
			pairs = append(pairs, versus{c.plain[side], c.slow[side].target})
		}
		_, change := c.rounds(ctx, pairs, c.compare, 3*c.compare)
		if !within(ctx) {
			return ctx.Err()
		}
		c.Note("a sleep of %v makes it %+.2f %% slower ± %.2f (standard error)", c.sleep, change.Percent(), 100*change.Error)
		if math.Abs(change.Effect-want) <= near {
			return nil
		}
		if change.Effect <= 0 {
			break
		}
		c.sleep = time.Duration(float64(c.sleep) * want / change.Effect).Round(time.Microsecond)
		if err := c.restart(ctx); err != nil {
			return err
		}
	}
	return fmt.Errorf("no sleep was found that makes the set-up %.0f %% slower: the machine is too noisy", 100*slowDown)
}

// restart replaces the servers that sleep by such that sleep as long as is wanted now.
func (c *check) restart(ctx context.Context) error {
	for side, s := range c.slow {
		if _, err := side.Target.StopHelper(ctx, s.pid); err != nil {
			return err
		}
	}
	targets, pids, err := c.wrapped(ctx, "bench-slow", variantPort+1, c.sleep, c.sides)
	if err != nil {
		return err
	}
	for side, t := range targets {
		c.slow[side] = slowed{t, pids[side]}
	}
	return nil
}

// tenth is a tenth of the set-up behind the wrapper.
func (s *Session) tenth(t *caller.Target) (time.Duration, error) {
	var times []float64
	var err error
	caller.Together(1, func(_ int, l *caller.Line) {
		for range 200 {
			c := l.Call(t, 0)
			if ns, ok := work(c); ok {
				times = append(times, float64(ns))
			} else {
				err = c.Err
			}
		}
	})
	if len(times) == 0 {
		return 0, err
	}
	return time.Duration(slowDown * stats.Median(times)).Round(time.Microsecond), nil
}
