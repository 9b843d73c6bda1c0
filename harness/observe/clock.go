package observe

import "time"

// moment is one reading of both clocks: the time of day, which anybody may set and
// which xinetd and syslog go by, and the time since the harness began, which nobody
// sets.
type moment struct {
	day   time.Time
	since time.Duration
}

// beginning has a monotonic part, which time.Since goes by.
var beginning = time.Now()

// reading is the present moment.
func reading() moment {
	now := time.Now()
	return moment{day: now.Round(0), since: now.Sub(beginning)}
}

// lasted is the time from one moment to another, and by how much the time of day was
// set meanwhile.
func lasted(from, to moment) (took, set time.Duration) {
	took = to.since - from.since
	return took, to.day.Sub(from.day) - took
}
