// Command agent is PID 1 of every container of ours; see package agent. It is
// the yardsticks of a benchmark as well: see package yardstick.
package main

import (
	"os"

	"qmconformance/harness/agent"
	"qmconformance/harness/yardstick"
)

func main() {
	if exit, known := yardstick.Main(os.Args[1:]); known {
		os.Exit(exit)
	}
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		os.Exit(agent.Serve())
	}
	if len(os.Args) > 2 && os.Args[1] == agent.WatchdogVerb {
		os.Exit(agent.Watchdog(os.Args[2]))
	}
	os.Exit(agent.Init())
}
