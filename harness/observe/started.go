package observe

import (
	"context"
	"encoding/json"
	"time"

	"qmconformance/fixtures/probe/report"
	"qmconformance/harness/requirement"
	"qmconformance/harness/wire"
	"qmconformance/harness/xinetd"
)

// Started is how a program in qm's place finds itself at its start, before it
// has changed anything: what qm itself would start with.
type Started struct {
	Service requirement.Service
	// Context is the program's own account; nil where it did not speak, and Outcome
	// then says what came instead.
	Context *report.Context
	Outcome string
	// Config is what xinetd was told.
	Config xinetd.Config
}

// AtStart asks the probe how it was started.
var AtStart = &Look[Started]{
	Name: "at-start", Stage: WithProbe, Each: true, Limit: 30 * time.Second,
	Take: func(ctx context.Context, s *Scene) (Started, error) {
		f := Started{Service: s.Service}
		var err error
		if f.Config, _, err = s.Configuration(ctx); err != nil {
			return f, err
		}
		conn := s.Dial(ctx, s.Port, wire.Options{})
		p := greetProbe(ctx, conn)
		f.Context, f.Outcome = p.context, p.greeted.String()
		p.command("exit 0")
		p.end(ctx, probeEnd)
		conn.Close()
		s.Evidence.Wire(string(s.Service), conn.Transcript())
		text, err := json.MarshalIndent(f.Context, "", "  ")
		s.Evidence.Text("started", string(text))
		return f, err
	},
}
