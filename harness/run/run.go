// Package run is a whole run of the test binary: from the variables to the
// results and the exit code.
package run

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/formatter"
	"github.com/onsi/ginkgo/v2/types"

	"qmconformance/harness/bench"
	"qmconformance/harness/image"
	"qmconformance/harness/judge"
	"qmconformance/harness/kit"
	"qmconformance/harness/progress"
	"qmconformance/harness/report"
	"qmconformance/harness/requirement"
	"qmconformance/harness/settings"
	"qmconformance/harness/subject"
	"qmconformance/harness/usage"
	"qmconformance/harness/verdict"
)

// SuiteName is the text that every focus is matched against as well; so it names
// neither a service nor an area.
const SuiteName = "conformance"

// run is one run in the making.
type run struct {
	kit      *kit.Kit
	command  []string
	settings settings.Settings
	subject  subject.Subject
	results  report.Results
	began    time.Time

	suite    types.SuiteConfig
	reporter types.ReporterConfig
	// first is false in the second and further processes of a parallel Ginkgo run,
	// which write no results.
	first bool
	// nowhere says that RESULTS cannot hold results.
	nowhere bool
	final   types.Report
	known   verdict.KnownFailures
	// keys are what is to be judged.
	keys []judge.Key
	// progress tells how the run goes, on standard error: standard output is the report.
	progress *progress.Progress
	world    *world
	// checksGate says that a benchmark tries its own gate.
	checksGate bool

	mu sync.Mutex
	// trouble is the first error that did not end the run, but must be told.
	trouble error
}

// RunSpecs is ginkgo.RunSpecs. The test binary hands it in, since Ginkgo's command
// knows a suite by the import in a file of tests.
type RunSpecs func(t ginkgo.GinkgoTestingT, description string, args ...any) bool

// Main is the body of the test binary's TestMain, in place of testing.M.Run, which
// would write PASS or FAIL into the report. It returns the exit code.
func Main(specs RunSpecs) int {
	flag.Parse()
	return Judge(specs, nil)
}

// Judge runs the suites with what the environment says and returns the exit code.
// command are the words that start such a run, where that is not make.
func Judge(specs RunSpecs, command []string) int {
	// The signals end the run in order: what was judged so far is written.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r := &run{results: report.Results{Catalogue: requirement.Version, Started: report.Stamp(time.Now())}, began: time.Now(), command: command}
	r.progress = progress.New(os.Stderr, terminalWidth(os.Stderr), func() time.Duration { return time.Since(r.began) })
	defer r.close()
	r.suite, r.reporter = ginkgo.GinkgoConfiguration()
	r.first = r.suite.ParallelProcess == 1
	if benchmarks(r.suite.LabelFilter, os.Getenv("LABELS")) {
		return r.benchmark(ctx, specs)
	}
	if os.Getenv("GOGC") == "" {
		// A run is over in seconds, and what it leaves fits into some 150 MiB. To
		// collect it more often took 6 to 25 % of its own processor time.
		debug.SetGCPercent(400)
	}

	if limit := timeLimit(r.suite.Timeout); limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, fmt.Errorf("the run was not over within its -timeout of %v", limit))
		defer cancel()
	}

	list, complete, err := r.judge(ctx, specs)
	r.results.DurationMS = time.Since(r.began).Milliseconds()
	switch {
	case isUsage(err):
		r.results.Outcome, r.results.Message = verdict.UsageError, err.Error()
	case err != nil:
		r.results.Message = err.Error()
	case ctx.Err() != nil:
		r.results.Message = ended(ctx)
	case len(list) == 0 && r.suite.ParallelTotal > 1:
		r.results.Message = "another process of this run ended before its time; what it said is on standard error"
	}
	r.results.Judge(list, judge.Catalogue.Rank, r.settings.Strict, complete && err == nil)
	if !r.first {
		// The verdicts of all processes are with the first one; the reason why this one
		// has none is not, since Ginkgo tells the first only that it has gone.
		if err != nil {
			fmt.Fprintf(os.Stderr, "process %d of %d: %v\n", r.suite.ParallelProcess, r.suite.ParallelTotal, err)
			return r.results.Outcome.ExitCode()
		}
		return verdict.Conformant.ExitCode()
	}
	return r.publish()
}

// timeLimit is the shorter one of Ginkgo's -timeout and that of go test, which the
// testing package would see to if Main had not taken its place.
func timeLimit(ginkgo time.Duration) time.Duration {
	limit := ginkgo
	if f := flag.Lookup("test.timeout"); f != nil {
		if d, err := time.ParseDuration(f.Value.String()); err == nil && d > 0 && (limit <= 0 || d < limit) {
			limit = d
		}
	}
	return limit
}

// ended says why a run was cut short.
func ended(ctx context.Context) string {
	if ctx.Err() == context.DeadlineExceeded {
		return context.Cause(ctx).Error()
	}
	return "interrupted"
}

func (r *run) close() {
	if r.kit != nil {
		r.kit.Close()
	}
}

// silent takes the place of a testing.T: a red spec is a verdict, which becomes
// the exit code in Main.
type silent struct{}

func (silent) Fail() {}

func isUsage(err error) bool {
	var u *image.UsageError
	return usage.Is(err) || errors.As(err, &u)
}

// judge prepares everything and runs the specs.
func (r *run) judge(ctx context.Context, specs RunSpecs) (list []verdict.Verdict, complete bool, err error) {
	keys, err := r.prepare()
	if err != nil {
		return nil, false, err
	}
	r.keys = keys
	r.world, err = build(ctx, r)
	if r.world != nil {
		defer r.world.end(r.note)
	}
	if err != nil {
		if ctx.Err() != nil {
			err = errors.New(ended(ctx) + ", before anything was judged")
		}
		return nil, false, err
	}
	// Images are built: from here on time counts.
	r.began = time.Now()
	court := r.court(ctx, keys)
	judge.Use(court, r.settings.Strict)
	court.Launch(ctx, keys)
	ginkgo.ReportAfterSuite("verdicts", func(report ginkgo.Report) { r.final = report })
	r.progress.Start(len(keys))
	specs(silent{}, SuiteName, r.suite, r.reporter)
	r.progress.Stop()
	list, selected := judge.Verdicts(r.final)
	r.results.Subject = r.world.describe(r)
	if r.trouble != nil {
		return list, false, r.trouble
	}
	return list, len(list) == selected && selected > 0 && ctx.Err() == nil, nil
}

// prepare reads and checks what the user chose, and finds the specs that it
// selects. Nothing is booted yet.
func (r *run) prepare() ([]judge.Key, error) {
	if err := r.open(report.OfRun, r.choose()); err != nil {
		return nil, err
	}
	if r.first {
		if err := report.Begin(r.settings.Results, r.results); err != nil {
			return nil, err
		}
	}
	if faults := judge.Integrity(judge.Catalogue); len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	var err error
	if r.known, err = judge.Known(); err != nil {
		return nil, err
	}
	return r.selectSpecs()
}

// choose reads what the user chose.
func (r *run) choose() error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	s, err := settings.Read(os.Getenv, dir, settings.HasTree)
	r.settings = s
	r.settings.Command = r.command
	r.results.Profile = string(s.Profile)
	r.results.Subject = report.Subject{Base: s.Base, QM: report.QM{Source: s.QMSys}, Package: s.Package}
	if s.Results == "" {
		r.settings.Results = filepath.Join(dir, "results")
	}
	return err
}

// open makes room for the results, and finds what was chosen. What was wrong with the
// choice is told after that: older results are gone then as well.
func (r *run) open(leaves report.Files, wrong error) error {
	if r.first && r.settings.Results != "" {
		if err := report.Prepare(r.settings.Results, leaves); err != nil {
			r.nowhere = true
			return err
		}
	}
	if wrong != nil {
		return wrong
	}
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	if r.kit, err = kit.Open(dir); err != nil {
		return err
	}
	if r.subject, err = subject.Resolve(r.settings, r.kit.Reference()); err != nil {
		return err
	}
	r.results.Subject.Package = r.subject.PackageName
	return nil
}

// selectSpecs adds the variables' filters to those of the command line, and
// refuses a selection that is empty.
func (r *run) selectSpecs() ([]judge.Key, error) {
	if err := r.filter("!" + bench.Label); err != nil {
		return nil, err
	}
	keys := judge.Selected(ginkgo.PreviewSpecs(SuiteName, r.suite, r.reporter))
	if len(keys) == 0 {
		return nil, usage.Errorf("no requirement matches the focus %q with the labels %q; try FOCUS=umask, FOCUS='STDIO-03 qmclient' or LABELS=identity", r.suite.FocusStrings, r.suite.LabelFilter)
	}
	return keys, nil
}

// filter adds the variables' filters, and some more, to those of the command line.
func (r *run) filter(more ...string) error {
	if r.settings.Focus != "" {
		r.suite.FocusStrings = append(r.suite.FocusStrings, r.settings.Focus)
	}
	filters := append([]string{r.suite.LabelFilter, r.settings.Labels}, more...)
	if r.settings.Profile == settings.Quick {
		filters = append(filters, "!"+requirement.SlowLabel)
	}
	r.suite.LabelFilter = ""
	for _, f := range filters {
		switch {
		case f == "":
		case r.suite.LabelFilter == "":
			r.suite.LabelFilter = f
		default:
			r.suite.LabelFilter = "(" + r.suite.LabelFilter + ") && (" + f + ")"
		}
	}
	if _, err := types.ParseLabelFilter(r.suite.LabelFilter); err != nil {
		return usage.Errorf("LABELS=%s is no label filter; an example is LABELS='stdio && MUST'", r.settings.Labels)
	}
	if r.suite.FlakeAttempts > 1 || r.suite.MustPassRepeatedly > 1 {
		return usage.Errorf("Ginkgo's -flake-attempts and -must-pass-repeatedly are not for this suite: every verdict is reached once, and one that a second try would change is red; compare whole runs with make determinism")
	}
	r.suite.FailOnEmpty = true
	// Quiet: the verdicts are the report, and they have one of their own.
	formatter.ColorableStdOut = io.Discard
	return nil
}

// note tells something that stays to be read.
func (r *run) note(format string, args ...any) { r.progress.Note(fmt.Sprintf(format, args...)) }
