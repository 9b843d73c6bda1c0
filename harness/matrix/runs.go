package matrix

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"qmconformance/harness/fault"
	"qmconformance/harness/programs"
	"qmconformance/harness/report"
	"qmconformance/harness/settings"
)

// runsDir is the folder below RESULTS with the results of each run.
const runsDir = "faults"

const (
	// buildLimit is for the test binary from an empty build cache on two busy cores.
	buildLimit = 10 * time.Minute
	// runLimit is for one package: two scripts that hang take a minute each, a
	// broken package 90 s at most, and as much again is for a busy machine.
	runLimit = 4 * time.Minute
	// endLimit is how long a run that was told to end may take to clear up.
	endLimit = 45 * time.Second
)

// perCore is how many packages are run at a time for each core: a run spends
// most of its time waiting, for containers to boot and for prompts that come late.
// On two cores more than this made the whole no faster.
const perCore = 3

// atATime is how many packages are run at a time: PROCS where it is set.
func (m *matrix) atATime() int {
	if m.settings.Defaulted["PROCS"] {
		return min(perCore*runtime.NumCPU(), 16)
	}
	return m.settings.Procs
}

// build compiles the test binary and the programs of the targets, once for all.
func (m *matrix) build(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, buildLimit)
	defer cancel()
	binary := filepath.Join(m.scratch, "conformance.test")
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-o", binary, ".")
	cmd.Dir = m.kit.Root
	cmd.WaitDelay = time.Second
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the conformance command: %w", errors.Join(context.Cause(ctx), err, errors.New(strings.TrimSpace(string(said)))))
	}
	set, err := m.kit.Programs(ctx)
	if err != nil {
		return err
	}
	m.command, m.env = []string{binary}, []string{programs.BuiltEnv + "=" + m.scratch}
	return set.Write(m.scratch)
}

// runAll runs every package, several at a time.
func (m *matrix) runAll(ctx context.Context) error {
	n := m.atATime()
	m.note("%d packages, %d at a time", len(m.faults), n)
	turns := make(chan struct{}, n)
	var wg sync.WaitGroup
	m.results.Faults = make([]entry, len(m.faults))
	for i, f := range m.longestFirst() {
		select {
		case turns <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		wg.Add(1)
		go func() {
			defer func() { <-turns; wg.Done() }()
			e := m.runOne(ctx, f)
			m.results.Faults[i] = e
			m.note("%-13s %s (%.1f s)%s", e.State, f.Name, float64(e.DurationMS)/1000, remark(e))
		}()
	}
	wg.Wait()
	m.results.Faults = slices.DeleteFunc(m.results.Faults, func(e entry) bool { return e.Name == "" })
	slices.SortFunc(m.results.Faults, func(a, b entry) int {
		return strings.Compare(string(a.Kind)+a.Name, string(b.Kind)+b.Name)
	})
	if ctx.Err() != nil {
		m.results.Message = "interrupted"
	}
	return nil
}

// longestFirst puts those of the full profile first, so that a long one does not
// run alone at the end.
func (m *matrix) longestFirst() []fault.Fault {
	list := slices.Clone(m.faults)
	slices.SortStableFunc(list, func(a, b fault.Fault) int {
		return strings.Compare(string(a.Profile), string(b.Profile)) // full before quick
	})
	return list
}

func remark(e entry) string {
	if e.State.Good() {
		return ""
	}
	return ": " + e.Explanation
}

// runOne composes a package, runs the command on it and compares.
func (m *matrix) runOne(ctx context.Context, f fault.Fault) entry {
	began := time.Now()
	e := m.newEntry(f)
	e.Result = m.judge(ctx, f, &e)
	e.DurationMS = time.Since(began).Milliseconds()
	return e
}

func (m *matrix) judge(ctx context.Context, f fault.Fault, e *entry) fault.Result {
	broken := func(err error) fault.Result { return fault.Unjudged(fault.Broken, err.Error()) }
	if why := m.leftOut(f); why != "" {
		return fault.Unjudged(fault.Skipped, why)
	}
	dir := m.folder(f)
	pack := filepath.Join(dir, "package")
	if err := fault.Compose(m.kit.Reference(), f, pack); err != nil {
		return broken(err)
	}
	said, code, err := m.start(ctx, f, dir, pack)
	if err != nil {
		return broken(err)
	}
	if m.one {
		os.Stdout.Write(said)
	}
	text, err := os.ReadFile(filepath.Join(dir, report.ResultsFile))
	if err != nil {
		return broken(fmt.Errorf("the run left no results: %w", err))
	}
	var r report.Results
	if err := json.Unmarshal(text, &r); err != nil {
		return broken(fmt.Errorf("%s: %w", report.ResultsFile, err))
	}
	// It is the code that CI goes by.
	if want := r.Outcome.ExitCode(); code != want {
		return broken(fmt.Errorf("the command ended with exit code %d, and its results say %s, which is %d", code, r.Outcome, want))
	}
	m.subject(r.Subject)
	return fault.Compare(f, r)
}

// start runs the conformance command as a user would, and returns its report and its
// exit code.
func (m *matrix) start(ctx context.Context, f fault.Fault, dir, pack string) (said []byte, code int, err error) {
	limited, cancel := context.WithTimeoutCause(ctx, runLimit, fmt.Errorf("it did not end within %v", runLimit))
	defer cancel()
	cmd := exec.CommandContext(limited, m.command[0], m.command[1:]...)
	cmd.Dir = m.kit.Root
	cmd.Env = append(append(others(os.Environ()), m.env...),
		"PACKAGE="+pack, "RESULTS="+dir, "PROFILE="+string(m.profile(f)), "LABELS="+m.labels(f), "ANNOTATE=0")
	// Told to end it clears up; only one that does not is killed, and then its own
	// reaper clears up behind it.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = endLimit
	var report, progress bytes.Buffer
	cmd.Stdout, cmd.Stderr = &report, &progress
	err = cmd.Run()
	if text := append(report.Bytes(), progress.Bytes()...); os.MkdirAll(dir, 0o755) == nil {
		_ = os.WriteFile(filepath.Join(dir, "terminal.txt"), text, 0o644)
	}
	var exited *exec.ExitError
	switch {
	case limited.Err() != nil:
		return nil, 0, context.Cause(limited)
	case err != nil && !errors.As(err, &exited):
		return nil, 0, fmt.Errorf("run the conformance command: %w", err)
	}
	return report.Bytes(), cmd.ProcessState.ExitCode(), nil
}

// profile is the one that a package is judged in: the one that the user chose,
// else the one that finds the mistake.
func (m *matrix) profile(f fault.Fault) settings.Profile {
	if m.settings.Defaulted["PROFILE"] {
		return f.Profile
	}
	return m.settings.Profile
}

// areas are those that a package is judged in: those that it concerns, unless the
// user chose a profile and so wants whatever is in it. None are all.
func (m *matrix) areas(f fault.Fault) []string {
	if m.settings.Defaulted["PROFILE"] {
		return f.Judged(m.catalogue)
	}
	return nil
}

// labels are the filter that chooses them.
func (m *matrix) labels(f fault.Fault) string {
	if m.settings.Defaulted["PROFILE"] {
		return f.Labels(m.catalogue)
	}
	return ""
}

// others are the variables that a run inherits: all but those that would change
// which requirements it judges or how it counts them.
func others(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains([]string{"PACKAGE", "RESULTS", "PROFILE", "FOCUS", "LABELS", "STRICT", "PROCS", "FAULT", "ANNOTATE"}, name)
	})
}
