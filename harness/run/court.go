package run

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"qmconformance/harness/evidence"
	"qmconformance/harness/judge"
	"qmconformance/harness/observation"
	"qmconformance/harness/observe"
	"qmconformance/harness/report"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

// court makes the court of a run: verdicts for the selected keys are kept and
// announced; those that are only asked for as preconditions are not.
func (r *run) court(ctx context.Context, keys []judge.Key) *judge.Court {
	selected := map[judge.Key]bool{}
	for _, k := range keys {
		selected[k] = true
	}
	r.world.stages.further = nil
	for _, stage := range judge.StagesOf(keys) {
		if stage != observe.AsShipped && stage != observe.UnderSystemd {
			r.world.stages.further = append(r.world.stages.further, stage)
		}
	}
	chosen := func(g judge.Ruling) bool { return selected[judge.Key{ID: g.ID, Service: g.Service}] }
	keep := func(g judge.Ruling) string {
		if !chosen(g) {
			return ""
		}
		return r.keep(g)
	}
	keepOwn := keep
	if r.suite.ParallelTotal > 1 {
		keep = nil
	} else {
		keepOwn = nil
	}
	return &judge.Court{
		Catalogue: judge.Catalogue, Known: r.known, Circumstance: r.world.circumstance,
		Stages: r.world.stages, Procs: r.settings.Procs,
		Keep: keep, KeepOwn: keepOwn,
		Looking: func(name string, s requirement.Service, begins bool) {
			r.progress.Looking(name+" "+string(s), begins)
		},
		Announce: func(g judge.Ruling) {
			if !chosen(g) {
				return
			}
			id := ""
			if g.Red(r.settings.Strict) {
				id = g.ID
			}
			r.progress.Judged(id)
			// What follows from another is told in the summary; here a person wants to
			// know as soon as possible that something is wrong, and what.
			if id != "" && g.BecauseOf == "" {
				r.note("%s", judge.Explain(g.Verdict))
			}
		},
	}
}

// keep writes the evidence of a verdict that is not green. A failure to write it
// must not be overlooked, and must not hide the verdict.
func (r *run) keep(g judge.Ruling) string {
	if g.Kind == verdict.Pass || g.Kind == verdict.NotApplicable || g.Bundle.Empty() && g.Facts == nil {
		return ""
	}
	folder := evidence.Folder(g.ID, string(g.Service))
	if err := r.writeEvidence(folder, g); err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.trouble == nil {
			r.trouble = err
		}
		return ""
	}
	return folder
}

func (r *run) writeEvidence(folder string, g judge.Ruling) error {
	observed := observation.Observation{
		Catalogue: requirement.Version, Subject: r.world.describe(r), Circumstance: g.Circumstance,
		Look: g.Look, Verdict: g.Verdict, Unobserved: g.Unobserved,
	}
	observed.Verdict.Evidence = folder
	if err := observed.Keep(g.Facts); err != nil {
		return err
	}
	if err := evidence.Write(r.settings.Results, folder, g.Bundle, observed, report.Reproduce(r.settings, r.kit.Root, g.Verdict)); err != nil {
		return err
	}
	return evidence.WriteRecord(r.settings.Results, folder, g.Bundle, g.Where)
}

// publish writes the results, prints the summary, and returns the exit code.
func (r *run) publish() int {
	options := report.Options{
		Strict: r.settings.Strict, ResultsDir: relative(r.settings.Results), Color: colored(os.Stdout),
		Rerun: func(v verdict.Verdict) string { return report.Rerun(r.settings, v) },
	}
	extra := report.Extra{Strict: r.settings.Strict, Rerun: options.Rerun}
	if !r.nowhere {
		extra = report.Extra{
			Strict: r.settings.Strict, Rerun: options.Rerun,
			Evidence:    report.Collect(r.settings.Results, r.results.Verdicts),
			Attachments: report.Attachments(r.settings.Results),
			Why: func(id string) string {
				q, _ := judge.Catalogue.Get(id)
				return q.Why
			},
		}
		if err := report.Write(r.settings.Results, r.results, extra); err != nil {
			r.results.Outcome, r.results.Message = verdict.HarnessError, "the results could not be written: "+err.Error()
		}
	}
	if r.settings.Annotate {
		// GitHub reads both streams; standard output is the report.
		if err := report.Annotate(os.Stderr, r.results, extra, r.sources()); err != nil {
			fmt.Fprintln(os.Stderr, "the annotations could not be printed:", err)
		}
	}
	if err := report.Summary(os.Stdout, r.results, options); err != nil {
		fmt.Fprintln(os.Stderr, "the summary could not be printed:", err)
		return verdict.HarnessError.ExitCode()
	}
	return r.results.Outcome.ExitCode()
}

// sources is where a reader of annotations finds the package's files.
func (r *run) sources() report.Sources {
	dir, err := os.Getwd()
	if err != nil {
		dir = ""
	}
	return report.Sources{Package: r.subject.Package, Tops: []string{os.Getenv("GITHUB_WORKSPACE"), dir}}
}

func relative(path string) string {
	dir, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}
