package judge

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

// soon is far above what a look that does nothing takes, on a busy machine too.
const soon = 10 * time.Second

// entry is a requirement of a made-up catalogue.
type entry struct {
	id, services, more string
}

// catalogue reads requirements of area services; more holds further lines.
func catalogue(t *testing.T, list ...entry) *requirement.Catalogue {
	t.Helper()
	var text strings.Builder
	for _, e := range list {
		fmt.Fprintf(&text, "- id: %s\n  level: MUST\n  services: [%s]\n  sentence: Sentence of %s.\n  why: why\n  source: source\n  hint: hint\n", e.id, e.services, e.id)
		for line := range strings.Lines(e.more) {
			text.WriteString("  " + strings.TrimRight(line, "\n") + "\n")
		}
	}
	c, err := requirement.Read(fstest.MapFS{"services.yaml": {Data: []byte(text.String())}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// fakeStages gives empty scenes.
type fakeStages struct {
	lacks requirement.Capability
	err   error

	mu     sync.Mutex
	scenes int
}

func (f *fakeStages) Scene(_ context.Context, _ observe.Stage, s requirement.Service) (*observe.Scene, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.scenes++
	if f.err != nil {
		return nil, f.err
	}
	return &observe.Scene{Service: s}, nil
}

func (f *fakeStages) Has(c requirement.Capability) bool { return c != f.lacks }

// plan is a look that takes what take does.
func plan(name string, stage observe.Stage, take func(context.Context, *observe.Scene) (any, error)) observe.Plan {
	return observe.Plan{Name: name, Stage: stage, Each: true, Limit: soon, Take: take}
}

// nothing is a look without facts.
func nothing(name string) observe.Plan {
	return plan(name, observe.AsShipped, func(context.Context, *observe.Scene) (any, error) { return nil, nil })
}

// says is a spec whose rule always finds the same, on a look of its own.
func says(id string, f verdict.Finding) Spec {
	return Spec{ID: id, Plan: nothing("look at " + id), Rule: func(Case, any) verdict.Finding { return f }}
}

// kept, broken and harmed are findings.
var (
	kept   = verdict.Kept("expected", "actual")
	broken = verdict.Broken("the harness fell over")
	harmed = verdict.Violated("expected", "actual", "")
)

// specsOf are specs by their IDs.
func specsOf(list ...Spec) Specs {
	m := Specs{}
	for _, s := range list {
		m[s.ID] = s
	}
	return m
}

// ruling is Court.Ruling within a limit: a court that waits for itself must fail
// a test, not hang it.
func ruling(t *testing.T, c *Court, k Key) Ruling {
	t.Helper()
	done := make(chan Ruling, 1)
	go func() { done <- c.Ruling(t.Context(), k) }()
	select {
	case r := <-done:
		return r
	case <-time.After(2 * soon):
		t.Fatalf("no ruling on %v within %v", k, 2*soon)
	}
	return Ruling{}
}
