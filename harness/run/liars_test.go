package run_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"qmconformance/harness/agent"
	"qmconformance/harness/agent/agenttest"
	"qmconformance/harness/evidence"
	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/target"
	"qmconformance/harness/verdict"
	_ "qmconformance/suites"
)

// errNoClients is what a look gets that wants another host.
var errNoClients = errors.New("there is no client host")

// taken is a look at a target whose agent lies.
type taken struct {
	plan    observe.Plan
	service requirement.Service
	facts   any
	err     error
}

// look takes every look of the catalogue at once, each at a target of its own: the
// agent answers as it is told to, and nobody listens on the ports.
func look(ctx context.Context, t *testing.T, answer func() agenttest.Answer) []*taken {
	t.Helper()
	// Nobody listens on ports that take a system's own right.
	ports := map[requirement.Service]uint16{requirement.QMServer: 1, requirement.QMClient: 2}
	seen := map[string]bool{}
	var list []*taken
	var wg sync.WaitGroup
	for id, spec := range judge.Registered() {
		r, _ := judge.Catalogue.Get(id)
		for _, s := range r.Services {
			one := &taken{plan: spec.Plan, service: spec.Plan.For(s)}
			if name := spec.Plan.Name + " of " + string(one.service); seen[name] {
				continue
			} else {
				seen[name] = true
			}
			list = append(list, one)
			scene := &observe.Scene{
				Target: &target.Target{
					Container: &target.Container{Client: agenttest.Serve(t, answer()), V4: netip.MustParseAddr("127.0.0.1"), V6: netip.IPv6Loopback()},
					Tree:      "/usr/qmsys",
					// What was seen before the looks: nothing that succeeded.
					Installation: target.Installation{Setup: &agent.RunResult{Exit: -1}},
					Startup:      target.Startup{Start: agent.RunResult{Exit: -1}},
				},
				Service: one.service, Port: ports[one.service], Ports: ports, Evidence: &evidence.Bundle{},
				Clients: func(context.Context) (*target.ClientHost, error) { return nil, errNoClients },
			}
			wg.Go(func() {
				limited, cancel := context.WithTimeout(ctx, one.plan.Limit)
				defer cancel()
				one.facts, one.err = one.plan.Take(limited, scene)
				if one.err == nil {
					one.err = limited.Err() // the bench takes no facts of a look that was ended
				}
			})
		}
	}
	wg.Wait()
	return list
}

// marks are what happened to the agents, by the number of their look.
type marks struct {
	mu   sync.Mutex
	n    int
	hits map[int]bool
}

func (m *marks) next() int {
	m.n++
	return m.n - 1
}

func (m *marks) set(i int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.hits == nil {
		m.hits = map[int]bool{}
	}
	m.hits[i] = true
}

func (m *marks) has(i int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.hits[i]
}

// An agent that fails in the midst of a look is the harness's failure: a look that goes
// on without what it asked for would bring facts that are none.
func TestNoLookOverlooksThatItsAgentDied(t *testing.T) {
	for _, calls := range []int64{0, 1, 2, 4, 7} {
		t.Run(fmt.Sprintf("after %d calls", calls), func(t *testing.T) {
			died := &marks{}
			list := look(t.Context(), t, func() agenttest.Answer {
				mine := died.next()
				var answered atomic.Int64
				return func(string, any) error {
					if answered.Add(1) <= calls {
						return nil
					}
					died.set(mine)
					return agenttest.ErrDies
				}
			})
			tried := 0
			for i, one := range list {
				if !died.has(i) {
					continue
				}
				tried++
				if one.err == nil {
					t.Errorf("%s of %s: the agent died, and the look brought %+v", one.plan.Name, one.service, one.facts)
				}
			}
			NewWithT(t).Expect(tried).To(BeNumerically(">", 3), "looks whose agent died")
		})
	}
}

// Zero connections and nothing to be seen are no reason for a green verdict.
func TestWhereNothingIsSeenNothingIsKept(t *testing.T) {
	list := look(t.Context(), t, func() agenttest.Answer { return agenttest.Empty })
	found := map[judge.Key]verdict.Finding{}
	for id, spec := range judge.Registered() {
		r, _ := judge.Catalogue.Get(id)
		for _, s := range r.Services {
			for _, one := range list {
				if one.plan.Name != spec.Plan.Name || one.service != spec.Plan.For(s) || one.err != nil {
					continue
				}
				found[judge.Key{ID: id, Service: s}] = spec.Rule(judge.Case{Requirement: r, Service: s}, one.facts)
			}
		}
	}
	// Some rules have nothing to object to where there is nothing; what they require, at
	// any remove, keeps them from being asked.
	var asked func(k judge.Key) bool
	asked = func(k judge.Key) bool {
		r, _ := judge.Catalogue.Get(k.ID)
		return !slices.ContainsFunc(r.Requires, func(id string) bool {
			other, _ := judge.Catalogue.Get(id)
			return slices.ContainsFunc(other.Counterparts(k.Service), func(s requirement.Service) bool {
				before := judge.Key{ID: id, Service: s}
				f, judged := found[before]
				return judged && f.Kind != verdict.Pass || !asked(before)
			})
		})
	}
	for k, f := range found {
		if f.Kind == verdict.Pass && asked(k) {
			t.Errorf("%s %s passes: %s; %s", k.ID, k.Service, f.Expected, f.Actual)
		}
	}
	t.Logf("%d verdicts", len(found))
	NewWithT(t).Expect(len(found)).To(BeNumerically(">", 50), "most looks bring facts even here")
}

// An agent that hangs does not hang the run: an interrupt ends every look.
func TestAnAgentThatHangsDoesNotHangTheRun(t *testing.T) {
	g := NewWithT(t)
	ctx, interrupt := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer interrupt()
	done := make(chan []*taken, 1)
	hung := &marks{}
	go func() {
		done <- look(ctx, t, func() agenttest.Answer {
			mine := hung.next()
			return func(string, any) error {
				hung.set(mine)
				return agenttest.ErrHangs
			}
		})
	}()
	var list []*taken
	g.Eventually(done).WithTimeout(agenttest.Patience).Should(Receive(&list))
	tried := 0
	for i, one := range list {
		if hung.has(i) {
			tried++
			g.Expect(one.err).To(HaveOccurred(), "%s of %s", one.plan.Name, one.service)
		}
	}
	g.Expect(tried).To(BeNumerically(">", 3), "looks whose agent hung")
}
