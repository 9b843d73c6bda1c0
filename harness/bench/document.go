// Package bench measures what it costs to set up a connection: phase by phase,
// under load, beside servers that do less, and against a baseline.
package bench

import (
	"qmconformance/harness/bench/gate"
	"qmconformance/harness/bench/load"
	"qmconformance/harness/bench/stats"
	"qmconformance/harness/report"
	"qmconformance/harness/verdict"
)

// Format is the version of bench.json. It changes when a field changes its meaning
// or goes; a new field alone leaves it.
const Format = 2

// Label is what the specs of a benchmark carry. They run only where it is asked
// for, and never beside others.
const Label = "benchmark"

// Outcome is the answer of a benchmark.
type Outcome string

// The outcomes. Those that a run of the harness has too mean the same.
const (
	Measured     Outcome = "measured"
	Regression   Outcome = "regression"
	UsageError           = Outcome(verdict.UsageError)
	HarnessError         = Outcome(verdict.HarnessError)
)

// ExitCode is what the test binary ends with.
func (o Outcome) ExitCode() int {
	switch o {
	case Measured:
		return 0
	case Regression:
		return 4
	case UsageError:
		return verdict.UsageError.ExitCode()
	}
	return verdict.HarnessError.ExitCode()
}

// Document is bench.json. Every field is always written, empty if unknown.
type Document struct {
	Format  int     `json:"format"`
	Outcome Outcome `json:"outcome"`
	// Message says why a run ended early, or could not judge; else it is empty.
	Message    string         `json:"message"`
	Subject    report.Subject `json:"subject"`
	Baseline   Baseline       `json:"baseline"`
	Machine    Machine        `json:"machine"`
	Profile    string         `json:"profile"`
	Started    string         `json:"started"`
	DurationMS int64          `json:"duration_ms"`
	// Conditions are what the harness set or chose, a sentence each.
	Conditions []string `json:"conditions"`
	// RawColumns name the numbers of each raw connection.
	RawColumns []string    `json:"raw_columns"`
	Lines      []Line      `json:"lines"`
	Trace      Attribution `json:"trace"`
	Capture    Agreement   `json:"capture"`
	// Concurrency are closed loads, Rates open ones, Highest the highest rates.
	Concurrency []Load    `json:"concurrency"`
	Rates       []Load    `json:"rates"`
	Highest     []Highest `json:"highest"`
	Growth      []Growth  `json:"growth"`
	Gate        []Gate    `json:"gate"`
	Health      Health    `json:"health"`
}

// Machine is where it was measured. Times of two machines say nothing of each
// other.
type Machine struct {
	// ID is a hash of the machine's own identity, processor and kernel.
	ID        string `json:"id"`
	Processor string `json:"processor"`
	Cores     int    `json:"cores"`
	MemoryMiB int64  `json:"memory_mib"`
	Kernel    string `json:"kernel"`
	// LoadBefore and LoadAfter are the one-minute load averages.
	LoadBefore float64 `json:"load_before"`
	LoadAfter  float64 `json:"load_after"`
}

// Baseline is what was compared with.
type Baseline struct {
	// Kind is package, image, file or empty.
	Kind string `json:"kind"`
	Name string `json:"name"`
	// Gating says whether a regression counts; Why says why it doesn't.
	Gating bool   `json:"gating"`
	Why    string `json:"why"`
}

// Line is one server that was called again and again, in turn with the others.
type Line struct {
	Name    string `json:"name"`
	Title   string `json:"title"`
	Service string `json:"service"` // qmserver, qmclient or empty
	Server  string `json:"server"`  // xinetd, ideal, floor, or another super-server
	Program string `json:"program"` // qm or trivial
	Failed  int    `json:"failed"`
	// Errors are the first few failures.
	Errors []string `json:"errors"`
	// Phases are summaries by phase.
	Phases map[Phase]stats.Summary `json:"phases"`
	// ToFloor and ToIdeal are the set-up's median over that of the bare accept and
	// over that of the ideal server with the same program; 0 if unknown.
	ToFloor float64 `json:"to_floor"`
	ToIdeal float64 `json:"to_ideal"`
	// Kicks counts connections whose terminal type qm had not noticed at first.
	Kicks int `json:"kicks"`
	// Relative is the set-up over that of the ideal server with the trivial program in
	// the same round, as a logarithm: what can be compared with another run.
	Relative gate.Estimate `json:"relative"`
	Halves   gate.Estimate `json:"relative_between_halves"`
	Raw      [][]int64     `json:"raw"`
}

// Attribution is the server's side of connections that were traced.
type Attribution struct {
	// Why says why there is none.
	Why string `json:"why"`
	// Services has the parts by service.
	Services []Traced `json:"services"`
}

// Traced is where the time to the first byte went, as medians in microseconds.
type Traced struct {
	Service string `json:"service"`
	N       int    `json:"n"`
	// Inflation is the time to the first byte while traced over that without.
	Inflation float64 `json:"inflation"`
	// Connect to accept, accept to fork, fork to exec, exec to the first byte.
	Accept float64 `json:"accept_us"`
	Fork   float64 `json:"fork_us"`
	Exec   float64 `json:"exec_us"`
	First  float64 `json:"first_write_us"`
	// Exit is from the end of the stream to the end of the process.
	Exit float64 `json:"exit_us"`
}

// Agreement compares the client's time of the first byte with the kernel's, of a
// capture in the target.
type Agreement struct {
	Why   string         `json:"why"`
	Lines []AgreementRow `json:"lines"`
}

// AgreementRow is for one line; all are medians, in microseconds.
type AgreementRow struct {
	Line   string  `json:"line"`
	N      int     `json:"n"`
	Client float64 `json:"client_us"`
	Kernel float64 `json:"kernel_us"`
	// Queued is what the client's thread waited for a processor; Differs is without it.
	Queued  float64 `json:"queued_us"`
	Differs float64 `json:"differs_us"`
	Agrees  bool    `json:"agrees"`
}

// Load is a load of one kind on one service.
type Load struct {
	Service string `json:"service"`
	// AtOnce is how many callers there were, Rate what was asked of an open load.
	AtOnce int     `json:"at_once"`
	Rate   float64 `json:"rate"`
	// Served and Failed are connections, PerSecond those that were served.
	Served    int           `json:"served"`
	Failed    int           `json:"failed"`
	Errors    []string      `json:"errors"`
	PerSecond float64       `json:"per_second"`
	Setup     stats.Summary `json:"setup"`
	// FirstByte is the time to it, from the intended start.
	FirstByte stats.Summary `json:"first_byte"`
}

// Highest is the highest rate that keeps p99 below a limit.
type Highest struct {
	Service   string       `json:"service"`
	LimitMS   float64      `json:"limit_ms"`
	PerSecond float64      `json:"per_second"`
	Tried     []load.Probe `json:"tried"`
}

// Growth is how the set-up's cost grows with something.
type Growth struct {
	With    string  `json:"with"`
	Service string  `json:"service"`
	Points  []Point `json:"points"`
}

// Point is the cost at one size.
type Point struct {
	Size  string        `json:"size"`
	Value float64       `json:"value"`
	Setup stats.Summary `json:"setup"`
	// Note says why a size was left out.
	Note string `json:"note"`
}

// Gate is the comparison of one service with the baseline.
type Gate struct {
	Service  string        `json:"service"`
	Metric   string        `json:"metric"`
	Decision gate.Decision `json:"decision"`
	TookMS   int64         `json:"took_ms"`
	// Rounds are the times as they were measured: A's and B's of each pair, in
	// nanoseconds.
	Rounds []gate.Round `json:"rounds"`
}

// Health is what was in the target before and after.
type Health struct {
	UsersBefore int `json:"users_before"`
	UsersAfter  int `json:"users_after"`
	// Left are processes that were not there before.
	Left []string `json:"left"`
	// Whole says that nothing was left and no place lost.
	Whole bool `json:"whole"`
}
