package judge

import (
	"context"
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

// queued has a look wait for its turn, and says when it has begun.
func queued(g *WithT, t *turns, p observe.Plan, then time.Duration) <-chan struct{} {
	t.mu.Lock()
	before := len(t.waiting)
	t.mu.Unlock()
	begun := make(chan struct{})
	go func() {
		t.begin(p, then)
		close(begun)
	}()
	g.Eventually(func() bool {
		select {
		case <-begun:
			return true
		default:
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		return len(t.waiting) > before
	}, soon, time.Millisecond).Should(BeTrue())
	return begun
}

func in(stage string) observe.Plan { return observe.Plan{Name: stage, Stage: observe.Stage(stage)} }

func TestTheLookForWhichMostWaitGoesFirst(t *testing.T) {
	g := NewWithT(t)
	turns := newTurns(1)
	g.Expect(queued(g, turns, in("a"), 0)).To(BeClosed())
	light := queued(g, turns, in("b"), time.Second)
	heavy := queued(g, turns, in("c"), 7*time.Second)
	second := queued(g, turns, in("d"), 7*time.Second)
	turns.end(in("a"))
	g.Eventually(heavy, soon).Should(BeClosed())
	g.Expect(second).NotTo(BeClosed(), "one turn, and it came later")
	g.Expect(light).NotTo(BeClosed())
	turns.end(in("c"))
	g.Eventually(second, soon).Should(BeClosed())
	turns.end(in("d"))
	g.Eventually(light, soon).Should(BeClosed())
}

func TestALookThatWaitsForItsStageKeepsNoTurn(t *testing.T) {
	g := NewWithT(t)
	turns := newTurns(2)
	g.Expect(queued(g, turns, in("a"), 0)).To(BeClosed())
	same := queued(g, turns, in("a"), 9)
	g.Eventually(queued(g, turns, in("b"), 0), soon).Should(BeClosed())
	g.Expect(same).NotTo(BeClosed(), "looks of one stage overlap")
	turns.end(in("b"))
	g.Expect(same).NotTo(BeClosed())
	turns.end(in("a"))
	g.Eventually(same, soon).Should(BeClosed())
}

func TestTheStageWithMostLeftGoesFirst(t *testing.T) {
	g := NewWithT(t)
	turns := newTurns(1)
	long := in("b")
	long.Takes = 2 * time.Second
	for _, p := range []observe.Plan{in("a"), in("c"), long, in("b")} {
		turns.expect(p)
	}
	g.Eventually(queued(g, turns, in("a"), 0), soon).Should(BeClosed())
	short := queued(g, turns, in("c"), 0)
	first := queued(g, turns, in("b"), 0)
	turns.end(in("a"))
	g.Eventually(first, soon).Should(BeClosed(), "a short look of the stage that has a long one before it")
	g.Expect(short).NotTo(BeClosed())
}

func TestAChainIsAsLongAsTheLooksThatRestOnALook(t *testing.T) {
	g := NewWithT(t)
	specs := specsOf(says("SERV-01", kept), says("SERV-02", kept), says("SERV-03", kept), says("SERV-04", verdict.Finding{}))
	shared := specs["SERV-02"]
	shared.Plan.Name = "look at SERV-03"
	specs["SERV-02"] = shared
	last := specs["SERV-04"]
	last.Plan.Takes, last.Plan.Stage = 3*time.Second, observe.WithProbe
	specs["SERV-04"] = last
	chains := specs.chains(catalogue(t,
		entry{"SERV-01", "host", ""},
		entry{"SERV-02", "host", "requires: [SERV-01]"},
		entry{"SERV-03", "host", "requires: [SERV-01, SERV-02]"},
		entry{"SERV-04", "host", "requires: [SERV-03]\nfollows: [SERV-01]"},
	))
	g.Expect(fmt.Sprint(chains)).To(Equal("map[look at SERV-01:4.1s look at SERV-03:4s look at SERV-04:0s]"))
}

func TestALookIsTakenAfterThoseThatWouldSeeWhatItLeaves(t *testing.T) {
	g := NewWithT(t)
	var order []string
	noted := func(name string) observe.Plan {
		return plan(name, observe.AsShipped, func(context.Context, *observe.Scene) (any, error) {
			order = append(order, name)
			return nil, nil
		})
	}
	marking := noted("marking")
	marking.After = []observe.Plan{noted("looking")}
	specs := specsOf(says("SERV-01", kept), says("SERV-02", kept))
	for id, p := range map[string]observe.Plan{"SERV-01": marking, "SERV-02": noted("looking")} {
		s := specs[id]
		s.Plan = p
		specs[id] = s
	}
	b := &Court{Catalogue: catalogue(t, entry{"SERV-01", "host", ""}, entry{"SERV-02", "host", ""}), Specs: specs, Stages: &fakeStages{}, Procs: 2}
	ruling(t, b, Key{"SERV-01", requirement.Host})
	ruling(t, b, Key{"SERV-02", requirement.Host})
	g.Expect(order).To(Equal([]string{"looking", "marking"}))
}

// What most waits for goes first also where a lighter look could begin sooner.
func TestALookYieldsToTheOneItIsBehind(t *testing.T) {
	g := NewWithT(t)
	var order []string
	look := func(name string) observe.Plan {
		return plan(name, observe.WithProbe, func(context.Context, *observe.Scene) (any, error) { order = append(order, name); return nil, nil })
	}
	slow := plan("slow", observe.AsShipped, func(ctx context.Context, _ *observe.Scene) (any, error) {
		time.Sleep(20 * time.Millisecond) // until the lighter look would have begun
		return nil, nil
	})
	heavy, light := look("heavy"), look("light")
	light.Behind = []observe.Plan{heavy}
	on := func(id string, p observe.Plan) Spec {
		p.Each = false
		return Spec{ID: id, Plan: p, Rule: func(Case, any) verdict.Finding { return kept }}
	}
	court := func() *Court {
		return &Court{
			Catalogue: catalogue(t, entry{"SERV-01", "host", ""}, entry{"SERV-02", "host", "requires: [SERV-01]"}, entry{"SERV-03", "host", ""}),
			Specs:     specsOf(on("SERV-01", slow), on("SERV-02", heavy), on("SERV-03", light)), Stages: &fakeStages{}, Procs: 4,
		}
	}
	c := court()
	c.Launch(t.Context(), []Key{{"SERV-03", requirement.Host}, {"SERV-02", requirement.Host}, {"SERV-01", requirement.Host}})
	g.Expect(ruling(t, c, Key{"SERV-03", requirement.Host}).Kind).To(Equal(verdict.Pass))
	g.Expect(order).To(Equal([]string{"heavy", "light"}))

	order = nil
	c = court()
	c.Launch(t.Context(), []Key{{"SERV-03", requirement.Host}})
	g.Expect(ruling(t, c, Key{"SERV-03", requirement.Host}).Kind).To(Equal(verdict.Pass))
	g.Expect(order).To(Equal([]string{"light"}), "a look that nobody asked for is not taken")
}
