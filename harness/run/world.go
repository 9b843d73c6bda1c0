package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/moby/moby/client"

	"qmconformance/harness/box"
	"qmconformance/harness/image"
	"qmconformance/harness/observe"
	"qmconformance/harness/programs"
	"qmconformance/harness/reaper"
	"qmconformance/harness/report"
	"qmconformance/harness/requirement"
	"qmconformance/harness/settings"
	"qmconformance/harness/subject"
	"qmconformance/harness/target"
	"qmconformance/harness/verdict"
)

// world is what a run has of Docker: the reaper first, so that nothing is made
// without somebody to remove it.
type world struct {
	docker *client.Client
	reaper *reaper.Reaper
	stages *stages
	facts  facts
}

// facts describe the subject, as its programs tell them.
type facts struct {
	qmKind, qmVersion, xinetd, kernel string
	// conditions are those that known failures may depend on.
	conditions map[string]bool
}

// build makes the world. It returns what there is of it even with an error, so
// that it can be taken down again.
func build(ctx context.Context, r *run) (*world, error) {
	overlay, err := subject.Pack(r.subject.Package)
	if err != nil {
		return nil, err
	}
	w := &world{}
	if w.docker, err = image.Connect(ctx); err != nil {
		return w, err
	}
	session, err := reaper.NewSession()
	if err != nil {
		return w, err
	}
	if session.Box, err = box.Find(ctx, w.docker); err != nil {
		return w, err
	}
	if session.Box != nil && len(r.settings.Command) > 0 {
		// What is told to be pasted is pasted on the host.
		r.settings.Command = session.Box.Command()
	}
	if w.reaper, err = reaper.Start(session, w.docker); err != nil {
		return w, err
	}
	if n, left, err := reaper.Sweep(ctx, w.docker); err != nil {
		return w, image.Explain(err, "list what earlier runs left", reaper.ListLimit)
	} else if n > 0 || len(left) > 0 {
		r.note("removed %d things that an earlier run had left; %d could not be removed", n, len(left))
	}
	log, err := os.OpenFile(filepath.Join(r.settings.Results, report.BuildLog), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return w, err
	}
	defer log.Close()
	store := image.NewStore(w.docker, session, log, func(line string) { r.note("%s", line) })
	whole, thin, err := w.images(ctx, r, store)
	if err != nil {
		return w, err
	}
	systemd, err := withSystemd(ctx, r, store)
	if err != nil {
		return w, err
	}
	fleet, err := target.NewFleet(ctx, w.docker, session)
	if err != nil {
		return w, image.Explain(err, "create a network", target.CreateLimit)
	}
	w.stages = &stages{fleet: fleet, store: store, whole: whole, thin: thin, systemd: systemd, overlay: overlay, note: r.note}
	w.stages.described = func(ctx context.Context, t *target.Target) (err error) {
		w.facts, err = ask(ctx, t)
		return err
	}
	return w, nil
}

// images builds what the targets are booted from: with the whole tree, and with a
// thinned one for those that have the probe in qm's place.
func (w *world) images(ctx context.Context, r *run, store *image.Store) (whole, thin image.Image, err error) {
	set, err := r.kit.Programs(ctx)
	if err != nil {
		return whole, thin, err
	}
	base, err := store.Base(ctx, r.subject.Base)
	if err != nil {
		return whole, thin, err
	}
	return finish(ctx, r, store, base, set)
}

// finish lays the tree and the harness's programs on a base.
func finish(ctx context.Context, r *run, store *image.Store, base image.Image, set programs.Set) (whole, thin image.Image, err error) {
	// The tree below the programs: it is large and seldom changes, they are small
	// and change with the harness.
	if whole, thin, err = withTree(ctx, r, store, base, set); err != nil {
		return whole, thin, err
	}
	files := map[string]image.File{
		"agent": {Content: set["agent"], Mode: 0o755},
		"probe": {Content: set["probe"], Mode: 0o755},
	}
	same := whole.ID == thin.ID
	if whole, err = store.Harness(ctx, whole, files); err != nil || same {
		return whole, whole, err
	}
	thin, err = store.Harness(ctx, thin, files)
	return whole, thin, err
}

func withTree(ctx context.Context, r *run, store *image.Store, on image.Image, set programs.Set) (whole, thin image.Image, err error) {
	tree := r.subject.Tree
	switch r.settings.QMSys {
	case settings.Image:
		return on, on, nil
	case settings.StandIn:
		if tree, err = os.MkdirTemp("", "qmconformance-standin-*"); err != nil {
			return whole, thin, err
		}
		defer os.RemoveAll(tree)
		if err := set.StandInTree(tree); err != nil {
			return whole, thin, err
		}
	}
	if whole, err = store.WithTree(ctx, on, tree); err != nil {
		return whole, thin, err
	}
	thin, err = store.WithThinnedTree(ctx, on, tree)
	return whole, thin, err
}

// ask has the subject's own programs tell what they are. What they don't tell is empty;
// that they could not be asked is an error, since known failures depend on the answers.
func ask(ctx context.Context, t *target.Target) (f facts, lost error) {
	first := func(argv ...string) string {
		res, err := t.Command(ctx, argv...)
		if unheard(ctx, err) {
			lost = fmt.Errorf("ask the subject what it is: %w", err)
		}
		if err != nil || !res.OK() {
			return ""
		}
		line, _, _ := strings.Cut(strings.TrimSpace(res.Output), "\n")
		return line
	}
	f = facts{conditions: conditions(ctx, t), qmKind: subject.KindScarletDME, qmVersion: first(t.QM(), "--version"), kernel: first("uname", "-r")}
	if strings.Contains(f.qmVersion, "stand-in") {
		f.qmKind = subject.KindStandIn
		// "stand-in for ScarletDME's qm, 1": the kind says the rest.
		f.qmVersion = f.qmVersion[strings.LastIndexByte(f.qmVersion, ' ')+1:]
	}
	// "xinetd Version 2.3.15.3 libwrap loadavg", with or without the first words.
	for _, word := range strings.Fields(first(target.XinetdArgv[0], "-version")) {
		if word[0] >= '0' && word[0] <= '9' {
			f.xinetd = word
			break
		}
	}
	return f, lost
}

func (w *world) circumstance() verdict.Circumstance {
	return verdict.Circumstance{QMKind: w.facts.qmKind, QMVersion: w.facts.qmVersion, Xinetd: w.facts.xinetd, Conditions: w.facts.conditions}
}

// conditions are facts of the subject on which defects of its programs depend.
func conditions(ctx context.Context, t *target.Target) map[string]bool {
	config, _, err := t.Configuration(ctx)
	if err != nil {
		return nil // the looks that follow say so
	}
	found := map[string]bool{
		// Nobody says what a stop of xinetd's unit does to the sessions.
		"unit-ends-sessions": observe.UnitEndsSessions(t.Files(ctx), t.Installation.Files),
	}
	for _, s := range requirement.NetworkServices {
		// xinetd writes a log file of its own.
		found[verdict.OfService("log-to-file", s)] = observe.LogsToFile(config, string(s))
	}
	return found
}

func (w *world) describe(r *run) report.Subject {
	return report.Subject{
		Package: r.subject.PackageName, Base: r.subject.Base, Xinetd: w.facts.xinetd, Kernel: w.facts.kernel,
		QM: report.QM{Kind: w.facts.qmKind, Version: w.facts.qmVersion, Source: r.subject.QMSource},
	}
}

// endLimit bounds the orderly end; what is left then is the reaper process's.
const endLimit = 30 * time.Second

// end removes everything of this run.
func (w *world) end(note func(string, ...any)) {
	if w.stages != nil {
		w.stages.ahead.end()
		ctx, cancel := context.WithTimeout(context.Background(), endLimit)
		w.stages.fleet.Settle(ctx)
		cancel()
	}
	if w.reaper != nil {
		ctx, cancel := context.WithTimeout(context.Background(), endLimit)
		defer cancel()
		left, err := w.reaper.Stop(ctx)
		if err != nil && !errors.Is(err, context.Canceled) {
			note("the end of the run: %v", err)
		}
		for _, l := range left {
			note("could not be removed: %v", l)
		}
	}
	if w.docker != nil {
		w.docker.Close()
	}
}
