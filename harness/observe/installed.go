package observe

import (
	"context"
	"fmt"
	"strings"
	"time"

	"qmconformance/harness/target"
	"qmconformance/harness/xinetd"
)

// Installed is how the subject came up.
type Installed struct {
	Installation target.Installation
	Startup      target.Startup
	// Log is what xinetd logged at its start, read with the configuration at hand.
	Log xinetd.Startup
	// Running says whether xinetd runs now.
	Running bool
	Exit    string
	Remarks []xinetd.Remark
}

// InstalledSubject is the look at set-up and start.
var InstalledSubject = &Look[Installed]{
	Name: "installed", Stage: AsShipped, Limit: 20 * time.Second,
	Take: func(ctx context.Context, s *Scene) (Installed, error) {
		f := Installed{Installation: s.Installation, Startup: s.Startup}
		log, err := s.ReadLog(ctx, target.LogMark{})
		if err != nil {
			return f, err
		}
		config, remarks, err := s.Configuration(ctx)
		if err != nil {
			return f, err
		}
		if err := sources(ctx, s, config); err != nil {
			return f, err
		}
		f.Log, f.Remarks = xinetd.ReadStartup(log.Records, &config), remarks
		if s.Startup.Xinetd.Daemon.PID > 0 {
			state, err := s.XinetdState(ctx)
			if err != nil {
				return f, err
			}
			f.Running, f.Exit = state.Running, state.Exit
			s.Evidence.Text("xinetd-output", state.Output)
		} else {
			f.Exit = s.Startup.Xinetd.Daemon.Exit
		}
		if f.Installation.Setup != nil {
			s.Evidence.Text("setup-output", f.Installation.Setup.Output)
		}
		s.Evidence.Text("start-output", s.Startup.Command+"\n\n"+s.Startup.Start.Output)
		s.Evidence.Log("xinetd.log", log.Text)
		s.Evidence.Text("remarks", remarkText(remarks))
		return f, nil
	},
}

func remarkText(remarks []xinetd.Remark) string {
	var b strings.Builder
	for _, r := range remarks {
		fmt.Fprintln(&b, r)
	}
	return b.String()
}
