package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"qmconformance/harness/bench"
	"qmconformance/harness/report"
	"qmconformance/harness/subject"
	"qmconformance/harness/target"
	"qmconformance/harness/usage"
	"qmconformance/harness/verdict"
)

// benchmarks says whether a run is a benchmark: where a label filter asks for it
// by name. It is never a part of another run, whose load it would measure.
func benchmarks(filters ...string) bool {
	for _, f := range filters {
		if !strings.Contains(f, bench.Label) {
			continue
		}
		match, err := types.ParseLabelFilter(f)
		if err == nil && (match([]string{bench.Label}) || match([]string{bench.Label, bench.CheckLabel})) {
			return true
		}
	}
	return false
}

// benchmark measures, writes bench.json and bench.html, and returns the exit code.
func (r *run) benchmark(ctx context.Context, specs RunSpecs) int {
	doc := bench.NewDocument()
	doc.Machine = bench.ThisMachine()
	doc.Started = r.results.Started
	err := r.measure(ctx, specs, doc)
	doc.Machine.LoadAfter = bench.LoadAverage()
	doc.Profile = string(r.settings.Profile)
	doc.DurationMS = time.Since(r.began).Milliseconds()
	if doc.Subject.Package == "" {
		doc.Subject = r.results.Subject
	}
	switch {
	case isUsage(err):
		doc.Outcome, doc.Message = bench.UsageError, err.Error()
	case ctx.Err() != nil:
		doc.Outcome, doc.Message = bench.HarnessError, "interrupted"
	case err != nil:
		doc.Outcome, doc.Message = bench.HarnessError, err.Error()
	default:
		doc.Conclude()
	}
	written := ""
	if !r.nowhere {
		written = relative(r.settings.Results)
		if err := bench.Write(r.settings.Results, doc); err != nil {
			written = ""
			doc.Outcome, doc.Message = bench.HarnessError, "the results could not be written: "+err.Error()
		}
	}
	if err := bench.Table(os.Stdout, doc, written); err != nil {
		fmt.Fprintln(os.Stderr, "the table could not be printed:", err)
		return verdict.HarnessError.ExitCode()
	}
	return doc.Outcome.ExitCode()
}

// measure prepares the targets and runs the specs.
func (r *run) measure(ctx context.Context, specs RunSpecs, doc *bench.Document) error {
	if r.suite.ParallelTotal > 1 {
		return usage.Errorf("a benchmark measures in one process; leave out -p")
	}
	wrong := r.choose()
	// Before older results are removed: they may be the baseline.
	baseline, err := bench.ResolveBaseline(r.settings.Baseline, doc.Machine)
	if wrong == nil {
		wrong = err
	}
	if err := r.prepareBenchmark(wrong); err != nil {
		return err
	}
	doc.Baseline = baseline.Baseline
	if r.world, err = build(ctx, r); r.world != nil {
		defer r.world.end(r.note)
	}
	if err != nil {
		return err
	}
	r.world.stages.fleet.Room = bench.Room(bench.AvailableMiB())
	session := &bench.Session{Plan: bench.PlanOf(r.settings.Profile), Doc: doc, Note: r.note, Old: baseline.Document}
	if session.B, err = r.side(ctx, "B", r.world.stages, doc); err != nil {
		return err
	}
	doc.Subject = r.world.describe(r)
	if r.checksGate || baseline.Kind == bench.KindPackage || baseline.Kind == bench.KindImage {
		other := r.world.stages
		if !r.checksGate {
			if other, err = r.baselineStages(ctx, baseline); err != nil {
				return err
			}
		}
		if session.Pairs, err = r.pairs(ctx, other); err != nil {
			return err
		}
	}
	r.began = time.Now()
	before, err := session.Before(ctx)
	if err != nil {
		return err
	}
	bench.Use(session)
	ginkgo.ReportAfterSuite("benchmark", func(report ginkgo.Report) { r.final = report })
	specs(silent{}, SuiteName, r.suite, r.reporter)
	return errors.Join(failures(r.final), session.After(context.WithoutCancel(ctx), before))
}

// wantsCheck says whether the gate itself is to be tried, in place of a package.
func wantsCheck(filters ...string) bool {
	return slices.ContainsFunc(filters, func(f string) bool {
		match, err := types.ParseLabelFilter(f)
		return err == nil && strings.Contains(f, bench.CheckLabel) && match([]string{bench.Label, bench.CheckLabel})
	})
}

// pairs boots targets of the baseline and of the subject, the two of a pair at the
// same time: how fast a target is depends on when it was booted, since what memory
// is left for its files does.
func (r *run) pairs(ctx context.Context, baseline *stages) ([]bench.Twins, error) {
	began := time.Now()
	list := make([]bench.Twins, bench.PairsOf)
	for i := range list {
		var wg sync.WaitGroup
		var errs [2]error
		wg.Go(func() {
			if list[i].A, errs[0] = r.side(ctx, fmt.Sprint("A", i+1), baseline.alike(), nil); errs[0] != nil {
				errs[0] = fmt.Errorf("the baseline: %w", errs[0])
			}
		})
		wg.Go(func() { list[i].B, errs[1] = r.side(ctx, fmt.Sprint("B", i+1), r.world.stages.alike(), nil) })
		wg.Wait()
		if err := errors.Join(errs[:]...); err != nil {
			return nil, err
		}
	}
	r.note("%d pairs of targets are up after %.1f s", len(list), time.Since(began).Seconds())
	return list, nil
}

// side boots a target, lifts its limits and starts it.
func (r *run) side(ctx context.Context, name string, from *stages, doc *bench.Document) (*bench.Side, error) {
	if err := from.install(ctx); err != nil {
		return nil, err
	}
	t := from.first
	did, err := bench.Lift(ctx, t)
	if err != nil {
		return nil, err
	}
	if doc != nil {
		doc.Conditions = append(doc.Conditions, did...)
	}
	if err := t.Start(ctx); err != nil {
		return nil, err
	}
	if s := t.Startup; !s.Start.OK() || !s.Xinetd.Ready {
		return nil, fmt.Errorf("%s did not come up (make conformance tells why): %s: exit %d: %s; xinetd ready: %t", name, s.Command, s.Start.Exit, s.Start.Output, s.Xinetd.Ready)
	}
	dump, err := state(ctx, t)
	if err != nil {
		return nil, err
	}
	at, err := ports(ctx, t, dump)
	if err != nil {
		return nil, err
	}
	return &bench.Side{Name: name, Target: t, Ports: at}, t.AwaitIPv6(ctx)
}

// baselineStages are those of the baseline, with what it leaves out as the subject
// has it.
func (r *run) baselineStages(ctx context.Context, b bench.Resolved) (*stages, error) {
	other := run{kit: r.kit, progress: r.progress, settings: r.settings, subject: r.subject, began: r.began}
	other.subject.Package, other.subject.PackageName = b.Package, b.Name
	if b.Kind == bench.KindImage {
		// A finished image is taken as it is.
		other.subject.Base, other.subject.Tree, other.settings.QMSys = b.Image, "", "image"
	}
	st, err := r.world.beside(ctx, &other)
	if b.Kind == bench.KindImage && isUsage(err) {
		return nil, usage.Errorf("BASELINE=%s is neither a directory, a file, nor an image with xinetd that this machine has or a registry gives", b.Name)
	}
	return st, err
}

// prepareBenchmark is prepare for a benchmark: no requirement is selected. wrong is
// what was wrong with the choice.
func (r *run) prepareBenchmark(wrong error) error {
	if err := r.open(report.OfBenchmark, wrong); err != nil {
		return err
	}
	// Asked before the filters are put together, since they name it to leave it out.
	r.checksGate = wantsCheck(r.suite.LabelFilter, r.settings.Labels)
	leaveOut := "!" + bench.CheckLabel
	if r.checksGate {
		leaveOut = ""
	}
	if err := r.filter(bench.Label, leaveOut); err != nil {
		return err
	}
	chosen := 0
	for _, spec := range ginkgo.PreviewSpecs(SuiteName, r.suite, r.reporter).SpecReports {
		if spec.LeafNodeType == types.NodeTypeIt && spec.State != types.SpecStateSkipped && spec.State != types.SpecStatePending {
			chosen++
		}
	}
	if chosen == 0 {
		return usage.Errorf("no part of the benchmark matches the focus %q with the labels %q; try FOCUS='at once'", r.suite.FocusStrings, r.suite.LabelFilter)
	}
	return nil
}

// failures are those of the specs, which measure and judge nothing.
func failures(final ginkgo.Report) error {
	var errs []error
	for _, spec := range final.SpecReports {
		if spec.Failed() {
			text := spec.Failure.Message
			if spec.Failure.ForwardedPanic != "" {
				text += ": " + spec.Failure.ForwardedPanic + "\n" + spec.Failure.Location.FullStackTrace
			}
			errs = append(errs, fmt.Errorf("%s: %s", spec.LeafNodeText, text))
		}
	}
	return errors.Join(errs...)
}

// beside makes the stages of another subject in this world.
func (w *world) beside(ctx context.Context, r *run) (*stages, error) {
	overlay, err := subject.Pack(r.subject.Package)
	if err != nil {
		return nil, err
	}
	whole, _, err := w.images(ctx, r, w.stages.store)
	if err != nil {
		return nil, err
	}
	return &stages{
		fleet: w.stages.fleet, store: w.stages.store, whole: whole, thin: whole, overlay: overlay, note: r.note,
		described: func(context.Context, *target.Target) error { return nil },
	}, nil
}

// alike are stages that boot the same again, and tell nothing of it.
func (s *stages) alike() *stages {
	return &stages{
		fleet: s.fleet, store: s.store, whole: s.whole, thin: s.whole, overlay: s.overlay, note: func(string, ...any) {},
		described: func(context.Context, *target.Target) error { return nil },
	}
}
