package judge

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"

	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

// diary notes the looks in the order in which they are taken.
type diary struct{ order []string }

// spec is one on a look of the same name that takes so long.
func (d *diary) spec(id string, stage observe.Stage, took time.Duration) Spec {
	return Spec{
		ID: id, Rule: func(Case, any) verdict.Finding { return kept },
		Plan: observe.Plan{Name: id, Stage: stage, Limit: soon, Takes: took, Take: func(context.Context, *observe.Scene) (any, error) {
			d.order = append(d.order, id)
			time.Sleep(took)
			return nil, nil
		}},
	}
}

func TestWhatWaitedForALookMayBeTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{}
		c := &Court{
			Catalogue: catalogue(t, entry{"SERV-01", "host", ""}, entry{"SERV-02", "host", "requires: [SERV-01]"}, entry{"SERV-03", "host", ""}),
			Specs:     specsOf(d.spec("SERV-01", "one", time.Second), d.spec("SERV-02", "two", time.Minute), d.spec("SERV-03", "three", time.Millisecond)),
			Stages:    &fakeStages{}, Procs: 1,
		}
		c.Launch(t.Context(), []Key{{"SERV-01", requirement.Host}, {"SERV-02", requirement.Host}, {"SERV-03", requirement.Host}})
		for _, id := range []string{"SERV-01", "SERV-02", "SERV-03"} {
			c.Ruling(t.Context(), Key{id, requirement.Host})
		}
		NewWithT(t).Expect(d.order).To(Equal([]string{"SERV-01", "SERV-02", "SERV-03"}), "the light one was in the queue before")
	})
}

func TestTheLastLookOfAStageComesAfterAllThatTheRunMayNeed(t *testing.T) {
	for name, k := range map[string]struct {
		launched []string
		order    []string
	}{
		"all are judged": {[]string{"SERV-03", "SERV-01", "SERV-02", "SERV-04"}, []string{"SERV-01", "SERV-02", "SERV-03"}},
		// Were the database left broken, its own cause would be looked for in the wreck.
		"what may explain it": {[]string{"SERV-03"}, []string{"SERV-02", "SERV-03"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, other := &diary{}, &diary{}
				last := d.spec("SERV-03", "one", time.Second)
				last.Plan.Last = true
				c := &Court{
					Catalogue: catalogue(t, entry{"SERV-01", "host", ""}, entry{"SERV-02", "host", ""}, entry{"SERV-03", "host", "follows: [SERV-02]"}, entry{"SERV-04", "host", "requires: [SERV-03]"}),
					Specs:     specsOf(d.spec("SERV-01", "one", time.Second), d.spec("SERV-02", "one", time.Second), last, other.spec("SERV-04", "two", time.Second)),
					Stages:    &fakeStages{}, Procs: 4,
				}
				var keys []Key
				for _, id := range k.launched {
					keys = append(keys, Key{id, requirement.Host})
				}
				c.Launch(t.Context(), keys)
				for _, key := range keys {
					c.Ruling(t.Context(), key)
				}
				NewWithT(t).Expect(d.order).To(ConsistOf(k.order))
				NewWithT(t).Expect(d.order[len(d.order)-1]).To(Equal("SERV-03"))
			})
		})
	}
}

func TestWhatRestsOnTheLastLookOfAStageIsNotLookedAtBeforeIt(t *testing.T) {
	d := &diary{}
	last := d.spec("SERV-01", "one", 0)
	last.Plan.Last = true
	specs := specsOf(last, d.spec("SERV-02", "one", 0))
	c := catalogue(t, entry{"SERV-01", "host", ""}, entry{"SERV-02", "host", "requires: [SERV-01]"})
	g := NewWithT(t)
	g.Expect(errors.Join(specs.integrity(c)...)).To(MatchError(ContainSubstring("look SERV-01 is behind SERV-02, where SERV-02 waits for SERV-01")))
	elsewhere := specs["SERV-02"]
	elsewhere.Plan.Stage = "two"
	specs["SERV-02"] = elsewhere
	g.Expect(specs.integrity(c)).To(BeEmpty())
}
