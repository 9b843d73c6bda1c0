package caller

import (
	"runtime"
	"runtime/debug"
	"sync"

	"golang.org/x/sys/unix"
)

// MostAtOnce is how many connections are made at once. More would not fit into
// xinetd's queue of 64, and the rest of a burst would be dropped in silence.
const MostAtOnce = 64

// spareProcs are the Go processors beside those of the callers, so that a caller
// that returns from the kernel finds one free.
const spareProcs = 4

// Together runs a function for each of n callers at once, each on a thread of its
// own. Nothing is collected meanwhile, and no caller waits for a processor of
// Go's: both would be counted as the server's time.
func Together(n int, run func(i int, l *Line)) {
	procs := runtime.GOMAXPROCS(max(n+spareProcs, runtime.GOMAXPROCS(0)))
	defer runtime.GOMAXPROCS(procs)
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			// The kernel may delay a sleep by this much; by default 50 microseconds.
			_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
			run(i, new(Line))
		})
	}
	wg.Wait()
}

// SleepUntil sleeps to a time of the monotonic clock.
func SleepUntil(at int64) { sleepUntil(at) }
