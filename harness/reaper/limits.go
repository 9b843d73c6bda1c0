package reaper

import "time"

// limits bounds every wait of this package. The child process receives them
// from its parent, so that tests can shorten them for both.
type limits struct {
	// Call is one request to the daemon. Removing a running container takes
	// 0.2 s on a quiet machine; a busy one with a slow storage driver needs
	// several seconds.
	Call time.Duration
	// List is one request for a list, which a daemon answers from memory: one that
	// does not is not well, and a person waits for this.
	List time.Duration
	// Poll is the pause between two looks at the daemon.
	Poll time.Duration
	// Settle is how long nothing of the session may be seen before the reaper
	// believes that nothing more comes. A request that was under way when its
	// client was killed completes in the daemon all the same, and a commit on a
	// slow storage driver was seen to take 5 s.
	Settle time.Duration
	// Unreachable is how long a daemon may be gone; a restart takes a few seconds.
	Unreachable time.Duration
	// Total is the longest life of a reaper after its run has ended.
	Total time.Duration
	// Ready is how long the child may take to report for duty: the time to
	// start the same binary once more, on a machine that is building.
	Ready time.Duration
	// Guard is how long the guard of a run in a container may take to report for
	// duty: a container is created and started.
	Guard time.Duration
	// Stop is the orderly end and [Sweep], all removals together.
	Stop time.Duration
}

// ListLimit is for those who tell of a daemon that did not answer.
var ListLimit = defaultLimits.List

var defaultLimits = limits{
	Call:        20 * time.Second,
	List:        10 * time.Second,
	Poll:        500 * time.Millisecond,
	Settle:      15 * time.Second,
	Unreachable: 15 * time.Second,
	Total:       2 * time.Minute,
	Ready:       10 * time.Second,
	Guard:       60 * time.Second,
	Stop:        45 * time.Second,
}

// parallelRemovals lets one container that hangs in removal not hold up the
// others; more than four at once only queue up inside the daemon.
const parallelRemovals = 4
