package judge

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
	"qmconformance/harness/wire"
)

// counted counts how often it is taken, and how many of a stage are taken at once.
type counted struct {
	taken   atomic.Int64
	within  map[observe.Stage]*atomic.Int64
	overlap atomic.Int64
}

func (c *counted) plan(name string, stage observe.Stage) observe.Plan {
	return plan(name, stage, func(ctx context.Context, s *observe.Scene) (any, error) {
		if c.within[stage].Add(1) > 1 {
			c.overlap.Add(1)
		}
		c.taken.Add(1)
		s.Evidence.Text("look", name)
		// Room for another look to come in between, if the court lets it.
		time.Sleep(time.Millisecond)
		c.within[stage].Add(-1)
		return name, nil
	})
}

func TestUnderConcurrentDemandEachLookIsTakenOnce(t *testing.T) {
	g := NewWithT(t)
	c := &counted{within: map[observe.Stage]*atomic.Int64{observe.AsShipped: {}, observe.WithProbe: {}}}
	looks := []observe.Plan{
		c.plan("a", observe.AsShipped), c.plan("b", observe.AsShipped), c.plan("c", observe.WithProbe), c.plan("d", observe.WithProbe),
	}
	looks[1].Each = false // one for the host, whoever asks
	var list []entry
	var specs []Spec
	for i := range 12 {
		id := fmt.Sprintf("SERV-%02d", i+1)
		more := ""
		if i > 3 {
			more = "requires: [SERV-01, SERV-02]\nfollows: [SERV-03]"
		}
		list = append(list, entry{id, "qmserver, qmclient", more})
		specs = append(specs, Spec{ID: id, Plan: looks[i%len(looks)], Rule: func(_ Case, facts any) verdict.Finding {
			return verdict.That(facts == looks[i%len(looks)].Name, "its own facts", fmt.Sprint(facts), "")
		}})
	}
	var kept, announced atomic.Int64
	b := &Court{
		Catalogue: catalogue(t, list...), Specs: specsOf(specs...), Stages: &fakeStages{}, Procs: 4,
		Keep:     func(Ruling) string { kept.Add(1); return "somewhere" },
		Announce: func(Ruling) { announced.Add(1) },
	}
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			k := Key{fmt.Sprintf("SERV-%02d", i%12+1), requirement.NetworkServices[i/12%2]}
			r := b.Ruling(t.Context(), k)
			if r.Kind != verdict.Pass || r.ID != k.ID || r.Service != k.Service || r.Evidence != "somewhere" {
				t.Errorf("%v: %s %s %s %q", k, r.Kind, r.ID, r.Service, r.Actual)
			}
		})
	}
	wg.Wait()
	// Three looks for two services each, one for the host.
	g.Expect(c.taken.Load()).To(BeEquivalentTo(7))
	g.Expect(kept.Load()).To(BeEquivalentTo(24))
	g.Expect(announced.Load()).To(BeEquivalentTo(24))
	g.Expect(c.overlap.Load()).To(BeZero(), "looks of one stage overlapped")
}

func TestStagesRunBesideEachOther(t *testing.T) {
	// Each look waits for the other: only a court that runs both at once ends this.
	met := make(chan struct{})
	wait := func(ctx context.Context, _ *observe.Scene) (any, error) {
		select {
		case met <- struct{}{}:
		case <-met:
		case <-ctx.Done():
			return nil, errors.New("the other look did not come")
		}
		return nil, nil
	}
	specs := specsOf(says("SERV-01", kept), says("SERV-02", kept))
	for id, stage := range map[string]observe.Stage{"SERV-01": observe.AsShipped, "SERV-02": observe.WithProbe} {
		s := specs[id]
		s.Plan = plan(id, stage, wait)
		specs[id] = s
	}
	b := &Court{Catalogue: catalogue(t, entry{"SERV-01", "host", ""}, entry{"SERV-02", "host", ""}), Specs: specs, Stages: &fakeStages{}, Procs: 2}
	b.Launch(t.Context(), []Key{{"SERV-01", requirement.Host}, {"SERV-02", requirement.Host}})
	for id := range specs {
		NewWithT(t).Expect(ruling(t, b, Key{id, requirement.Host}).Kind).To(Equal(verdict.Pass))
	}
}

func TestProcsBoundsTheLooks(t *testing.T) {
	var now, most atomic.Int64
	take := func(context.Context, *observe.Scene) (any, error) {
		most.Store(max(most.Load(), now.Add(1)))
		time.Sleep(time.Millisecond)
		now.Add(-1)
		return nil, nil
	}
	var list []entry
	specs := Specs{}
	var keys []Key
	for i := range 5 {
		id := fmt.Sprintf("SERV-%02d", i+1)
		list = append(list, entry{id, "host", ""})
		s := says(id, kept)
		s.Plan = plan(id, observe.Stage(id), take)
		specs[id] = s
		keys = append(keys, Key{id, requirement.Host})
	}
	b := &Court{Catalogue: catalogue(t, list...), Specs: specs, Stages: &fakeStages{}, Procs: 1}
	b.Launch(t.Context(), keys)
	for _, k := range keys {
		ruling(t, b, k)
	}
	NewWithT(t).Expect(most.Load()).To(BeEquivalentTo(1))
}

func TestAPatientLookTakesNoTurn(t *testing.T) {
	// The patient look waits for one that works, on a court with a single turn.
	worked := make(chan struct{})
	specs := specsOf(says("SERV-01", kept), says("SERV-02", kept))
	for id, patient := range map[string]bool{"SERV-01": true, "SERV-02": false} {
		s := specs[id]
		s.Plan = plan(id, observe.Stage(id), func(ctx context.Context, _ *observe.Scene) (any, error) {
			if !patient {
				close(worked)
				return nil, nil
			}
			select {
			case <-worked:
				return nil, nil
			case <-ctx.Done():
				return nil, errors.New("the other look did not come")
			}
		})
		s.Plan.Patient = patient
		specs[id] = s
	}
	g := NewWithT(t)
	b := &Court{Catalogue: catalogue(t, entry{"SERV-01", "qmserver", ""}, entry{"SERV-02", "qmserver", ""}), Specs: specs, Stages: &fakeStages{}, Procs: 1}
	first := make(chan Ruling)
	go func() { first <- b.Ruling(t.Context(), Key{"SERV-01", requirement.QMServer}) }()
	g.Expect(b.Ruling(t.Context(), Key{"SERV-02", requirement.QMServer}).Kind).To(Equal(verdict.Pass))
	g.Expect((<-first).Kind).To(Equal(verdict.Pass))
}

func TestALookOverItsLimitIsAnErrorThatNamesTheLimit(t *testing.T) {
	c := catalogue(t, entry{"SERV-01", "host", ""})
	for name, take := range map[string]func(context.Context, *observe.Scene) (any, error){
		"it says so":                 func(ctx context.Context, _ *observe.Scene) (any, error) { <-ctx.Done(); return nil, ctx.Err() },
		"it returns what there was":  func(ctx context.Context, _ *observe.Scene) (any, error) { <-ctx.Done(); return "half", nil },
		"it calls it something else": func(ctx context.Context, _ *observe.Scene) (any, error) { <-ctx.Done(); return nil, errors.New("EOF") },
		"it takes longer than allowed": func(ctx context.Context, _ *observe.Scene) (any, error) {
			<-ctx.Done()
			time.Sleep(time.Millisecond)
			return "half", nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			s := says("SERV-01", harmed)
			s.Plan = observe.Plan{Name: "slow", Stage: observe.AsShipped, Limit: 3 * time.Millisecond, Take: take}
			r := ruling(t, &Court{Catalogue: c, Specs: specsOf(s), Stages: &fakeStages{}}, Key{"SERV-01", requirement.Host})
			g.Expect(r.Kind).To(Equal(verdict.Error))
			g.Expect(r.Actual).To(ContainSubstring("look slow did not end within its limit of 3ms"))
			g.Expect(r.Actual).NotTo(ContainSubstring("\n"))
			g.Expect(r.Cut).To(BeFalse(), "the run was not cut")
		})
	}
}

func TestWhatTheEndOfTheRunCutOffLeavesNoVerdict(t *testing.T) {
	c := catalogue(t, entry{"SERV-01", "host", ""}, entry{"SERV-02", "host", "requires: [SERV-01]"})
	for name, take := range map[string]func(context.Context, *observe.Scene) (any, error){
		"with an error": func(ctx context.Context, _ *observe.Scene) (any, error) { <-ctx.Done(); return nil, ctx.Err() },
		// What was waited for when the run ended reads like what did not come.
		"with half the facts": func(ctx context.Context, _ *observe.Scene) (any, error) { <-ctx.Done(); return "half", nil },
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			ctx, cancel := context.WithCancel(t.Context())
			looking := make(chan struct{})
			s := says("SERV-01", harmed)
			s.Plan.Take = func(_ context.Context, scene *observe.Scene) (any, error) {
				close(looking)
				return take(ctx, scene)
			}
			b := &Court{
				Catalogue: c, Specs: specsOf(s, says("SERV-02", kept)), Stages: &fakeStages{},
				Keep:     func(r Ruling) string { t.Errorf("kept %s", r.ID); return "" },
				Announce: func(r Ruling) { t.Errorf("announced %s", r.ID) },
			}
			b.Launch(ctx, []Key{{"SERV-02", requirement.Host}})
			<-looking
			cancel()
			for _, id := range []string{"SERV-01", "SERV-02"} {
				r := b.Ruling(ctx, Key{id, requirement.Host})
				g.Expect(r.Cut).To(BeTrue(), id)
				g.Expect(r.Kind).To(Equal(verdict.Error), id)
			}
		})
	}
}

func TestNothingIsLookedAtAfterTheEnd(t *testing.T) {
	g := NewWithT(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	stages := &fakeStages{}
	b := &Court{Catalogue: catalogue(t, entry{"SERV-01", "host", ""}), Specs: specsOf(says("SERV-01", kept)), Stages: stages}
	g.Expect(b.Ruling(ctx, Key{"SERV-01", requirement.Host}).Cut).To(BeTrue())
	g.Expect(stages.scenes).To(BeZero())
}

func TestEvidenceIsKeptBeforeAnybodyLearnsOfTheVerdict(t *testing.T) {
	var keeping atomic.Bool
	entered := make(chan struct{})
	release := make(chan struct{})
	var announced atomic.Bool
	b := &Court{
		Catalogue: catalogue(t, entry{"SERV-01", "host", ""}), Specs: specsOf(says("SERV-01", harmed)), Stages: &fakeStages{},
		Keep: func(r Ruling) string {
			if announced.Load() {
				t.Error("announced before the evidence was kept")
			}
			keeping.Store(true)
			close(entered)
			<-release
			keeping.Store(false)
			return "evidence/" + r.ID
		},
		Announce: func(r Ruling) {
			if r.Evidence == "" || keeping.Load() {
				t.Error("announced without its evidence")
			}
			announced.Store(true)
		},
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			r := b.Ruling(t.Context(), Key{"SERV-01", requirement.Host})
			if keeping.Load() || r.Evidence != "evidence/SERV-01" {
				t.Errorf("a waiter learned of it first: %q", r.Evidence)
			}
		})
	}
	<-entered
	close(release)
	wg.Wait()
	NewWithT(t).Expect(announced.Load()).To(BeTrue())
}

func TestARulingHoldsItsFactsAndEvidence(t *testing.T) {
	g := NewWithT(t)
	s := says("SERV-01", harmed)
	s.Plan.Take = func(_ context.Context, scene *observe.Scene) (any, error) {
		scene.Evidence.Text("log", "a line")
		return 42, nil
	}
	r := ruling(t, &Court{Catalogue: catalogue(t, entry{"SERV-01", "host", ""}), Specs: specsOf(s), Stages: &fakeStages{}}, Key{"SERV-01", requirement.Host})
	g.Expect(r.Facts).To(Equal(42))
	g.Expect(r.Bundle.Empty()).To(BeFalse())
}

// What was seen beside a connection that could not be tried says nothing of the subject.
func TestAConnectionThatCouldNotBeTriedIsAnErrorOfOurs(t *testing.T) {
	dials := func(remote string) func(context.Context, *observe.Scene) (any, error) {
		return func(ctx context.Context, _ *observe.Scene) (any, error) {
			conn := wire.Dial(ctx, wire.Options{Remote: netip.MustParseAddrPort(remote), Source: netip.MustParseAddr("192.0.2.1")})
			conn.Close()
			return nil, nil
		}
	}
	specs := specsOf(says("SERV-01", kept))
	s := specs["SERV-01"]
	s.Plan = plan("a look", observe.AsShipped, dials("127.0.0.1:1"))
	specs["SERV-01"] = s
	b := &Court{Catalogue: catalogue(t, entry{"SERV-01", "host", ""}), Specs: specs, Stages: &fakeStages{}}
	r := ruling(t, b, Key{"SERV-01", requirement.Host})
	g := NewWithT(t)
	g.Expect(r.Kind).To(Equal(verdict.Error))
	g.Expect(r.Actual).To(ContainSubstring("a connection could not be tried"))
}
