// Command agent is PID 1 of every container of ours; see package agent.
package main

import (
	"os"

	"qmconformance/harness/agent"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		os.Exit(agent.Serve())
	}
	os.Exit(agent.Init())
}
