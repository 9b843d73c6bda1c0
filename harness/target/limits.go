package target

import "time"

// The limits of a target's life, in the order in which they apply. A wait that
// runs out is a fact about the subject where the subject was waited for, and an
// error of ours where it was Docker or the agent.
const (
	// CreateLimit bounds Docker's part: a container is up within 0.4 s on a quiet
	// machine; eight at once on a busy one took 2 s.
	CreateLimit = 60 * time.Second
	// agentLimit is from the container's start to the agent's first answer.
	agentLimit = 10 * time.Second
	// ScriptLimit is what setup.sh and start.sh may take each: it is part of the
	// contract with packages.
	ScriptLimit = 60 * time.Second
	// readyLimit is for xinetd: it listens some 15 ms after its start, but blocks
	// 10 s for each host name in an access list that cannot be looked up.
	readyLimit = 15 * time.Second
	// dumpLimit is for the state dump: written within a poll round of xinetd.
	dumpLimit = 5 * time.Second
	// logLimit is how long an awaited log line may trail the event that it is
	// about: xinetd logs an exit when it reaps the child.
	LogLimit = 3 * time.Second
	// commandLimit is for small programs such as getent and qm -u.
	commandLimit = 10 * time.Second
)

// poll is the pause between two looks at a file or log that is awaited.
const poll = 2 * time.Millisecond

// The resources of one target. A real ScarletDME with ten sessions stays below
// 60 MiB; the rest is room for a runaway to show itself without hurting others.
const (
	memoryLimit = 384 << 20
	pidsLimit   = 512
	// filesLimit is the hard limit on descriptors: xinetd closes each number up to
	// it one by one in every child, so a large one costs time at every connection.
	filesLimit = 4096
)

// Room is what one container may use.
type Room struct {
	Memory int64
	// PIDs bounds processes and threads together.
	PIDs int64
}

// Usual is the room of a target that is judged.
var Usual = Room{Memory: memoryLimit, PIDs: pidsLimit}
