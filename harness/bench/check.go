package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
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

// usualTrials show a false alarm of one in twenty and worse, and likewise a miss.
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

// noiseFor is after how many trials the noise is measured again.
const noiseFor = 10

// CheckGate tries the gate on what it is to tell apart: targets that are alike, and
// one whose server sleeps first. Both have the same wrapper before qm, since to
// execute that costs more than the sleep.
func (s *Session) CheckGate(ctx context.Context) error {
	trials, err := ReadTrials()
	if err != nil {
		return err
	}
	return s.quiet(ctx, func() error {
		plain, err := s.wrapped(ctx, "bench-wrap", variantPort, 0, s.A, s.Again, s.B)
		if err != nil {
			return err
		}
		slow, err := s.slower(ctx, plain[s.B], trials.Compare)
		if err != nil {
			return err
		}
		alarms, missed, unsure := 0, 0, 0
		var noise gate.Estimate
		for i := range trials.Equal + trials.Slower {
			if !within(ctx) {
				return ctx.Err()
			}
			// Both kinds spread over the whole time: the machine is not the same throughout.
			slower := trials.Slower > 0 && (i+1)*trials.Slower/(trials.Equal+trials.Slower) > i*trials.Slower/(trials.Equal+trials.Slower)
			if i%noiseFor == 0 {
				_, noise = s.blocks(ctx, plain[s.A], plain[s.Again], batch(requirement.QMClient), trials.Compare, 3*trials.Compare)
			}
			b, want := plain[s.B], "alike"
			if slower {
				b, want = slow, "slower"
			}
			began := time.Now()
			list, change := s.blocks(ctx, plain[s.A], b, batch(requirement.QMClient), trials.Compare, 3*trials.Compare)
			if !within(ctx) {
				return ctx.Err()
			}
			d := gate.Decide(noise, change)
			d.Noise, d.Change = finite(noise), finite(change)
			switch {
			case d.Verdict == gate.TooNoisy:
				unsure++
			case slower && d.Verdict != gate.Regression:
				missed++
			case !slower && d.Verdict == gate.Regression:
				alarms++
			}
			s.Doc.Gate = append(s.Doc.Gate, Gate{
				Service: "trial, " + want, Metric: Metric, Decision: d, TookMS: time.Since(began).Milliseconds(),
				Noise: []gate.Block{}, Change: list,
			})
			s.Note("trial %d, %s: %s: %+.2f %% ± %.2f (standard error), %d blocks in %.1f s", i+1, want, d.Verdict, change.Percent(), 100*change.Error, change.Blocks, time.Since(began).Seconds())
		}
		s.Note("%d trials alike: %d alarms; %d slower: %d missed; %d too noisy to judge", trials.Equal, alarms, trials.Slower, missed, unsure)
		if alarms+missed > 0 {
			return fmt.Errorf("the gate raised %d false alarms in %d trials and missed %d slow-downs of %d", alarms, trials.Equal, missed, trials.Slower)
		}
		return nil
	})
}

// wrapped starts qmclient's service behind the wrapper on some sides.
func (s *Session) wrapped(ctx context.Context, name string, port uint16, sleep time.Duration, sides ...*Side) (map[*Side]*caller.Target, error) {
	found := map[*Side]*caller.Target{}
	for _, side := range sides {
		args := append([]string{yardstick.WrapMode, sleep.String(), side.Target.QM()}, argsOf(requirement.QMClient)...)
		if _, err := side.twin(ctx, name, []block{{id: name, port: port, server: target.AgentPath, args: args}}); err != nil {
			return nil, err
		}
		found[side] = &caller.Target{Addr: side.addr(port), Talk: caller.Client(nil)}
	}
	return found, nil
}

// fittings is how often the sleep is fitted at most, and fit how near it must come.
const (
	fittings = 4
	fit      = 0.01
)

// slower starts the wrapper with the sleep that makes the set-up longer by slowDown.
// How long that is is measured: a part of a sleep costs nothing, since the processors
// then see to what the connection before has left.
func (s *Session) slower(ctx context.Context, plain *caller.Target, compare time.Duration) (*caller.Target, error) {
	want := math.Log(1 + slowDown)
	sleep, err := s.tenth(plain)
	if err != nil {
		return nil, err
	}
	for i := range uint16(fittings) {
		found, err := s.wrapped(ctx, fmt.Sprintf("bench-slow-%d", i), variantPort+1+i, sleep, s.B)
		if err != nil {
			return nil, err
		}
		_, change := s.blocks(ctx, plain, found[s.B], batch(requirement.QMClient), compare, 3*compare)
		if !within(ctx) {
			return nil, ctx.Err()
		}
		s.Note("a sleep of %v makes it %+.2f %% slower ± %.2f (standard error)", sleep, change.Percent(), 100*change.Error)
		if math.Abs(change.Effect-want) <= fit {
			return found[s.B], nil
		}
		if change.Effect <= 0 {
			break
		}
		sleep = time.Duration(float64(sleep) * want / change.Effect).Round(time.Microsecond)
	}
	return nil, fmt.Errorf("no sleep was found that makes the set-up %.0f %% slower: the machine is too noisy", 100*slowDown)
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
