// Package matrix runs the conformance command on every package of fixtures that
// holds a known mistake, and on every good variant of the reference package, and
// tells whether each mistake was found and blamed on what it should be, and
// whether every variant stayed green.
//
// Its variables are those of the conformance command; FAULT names one package to
// run alone, PACKAGE has no meaning here.
package matrix

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"qmconformance/harness/fault"
	"qmconformance/harness/kit"
	"qmconformance/harness/report"
	"qmconformance/harness/requirement"
	"qmconformance/harness/settings"
	"qmconformance/harness/usage"
)

// Exit codes, as those of the test binary.
const (
	exitGood       = 0
	exitViolations = 1
	exitUsage      = 2
	exitHarness    = 3
)

// Main runs what the environment says and returns the exit code. command are the
// words that start one run of the conformance command; none has it built from the
// harness's directory.
func Main(command []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	m, err := prepare(ctx, command)
	if err == nil {
		err = m.runAll(ctx)
	}
	if m != nil {
		defer m.close()
	}
	switch {
	case usage.Is(err):
		fmt.Fprintln(os.Stderr, "USAGE ERROR:", err)
		return exitUsage
	case err != nil:
		fmt.Fprintln(os.Stderr, "HARNESS ERROR:", err)
		return exitHarness
	}
	return m.publish(os.Stdout)
}

// matrix is a whole run of faults and variants.
type matrix struct {
	kit       *kit.Kit
	settings  settings.Settings
	catalogue *requirement.Catalogue
	// scratch holds what is built for this run.
	scratch string
	// command starts one run, with env beside what is inherited.
	command []string
	env     []string
	faults  []fault.Fault
	// chosen says that the user named what to run, one that it was a single one.
	chosen, one bool
	began       time.Time
	// mu guards the subject in results, which every run tells.
	mu      sync.Mutex
	results results
}

// prepare reads everything, and builds what all the runs need.
func prepare(ctx context.Context, command []string) (*matrix, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	m := &matrix{began: time.Now(), command: command}
	if m.kit, err = kit.Open(dir); err != nil {
		return m, err
	}
	if m.settings, err = settings.Read(os.Getenv, dir, settings.HasTree); err != nil {
		return m, err
	}
	if m.catalogue, err = requirement.Load(); err != nil {
		return m, err
	}
	all, err := fault.Load(m.kit.Fixtures, m.catalogue)
	if err != nil {
		return m, err
	}
	if m.faults, err = m.choose(all, os.Getenv("FAULT")); err != nil {
		return m, err
	}
	m.results = newResults(m, all)
	if err := m.clear(); err != nil {
		return m, err
	}
	if m.scratch, err = os.MkdirTemp("", "qmconformance-faults-*"); err != nil {
		return m, err
	}
	if len(command) > 0 {
		return m, nil
	}
	return m, m.build(ctx)
}

func (m *matrix) close() {
	m.kit.Close()
	if m.scratch != "" {
		os.RemoveAll(m.scratch)
	}
}

// choose picks those that are named, one or several with blanks between, or all.
func (m *matrix) choose(all []fault.Fault, names string) ([]fault.Fault, error) {
	if strings.TrimSpace(names) == "" {
		return all, nil
	}
	m.chosen = true
	var list []fault.Fault
	for _, name := range strings.Fields(names) {
		i := slices.IndexFunc(all, func(f fault.Fault) bool { return f.Name == name })
		if i < 0 {
			return nil, usage.Errorf("FAULT=%s is none of fixtures/faults and fixtures/variants; leave it out to run them all", name)
		}
		list = append(list, all[i])
	}
	m.one = len(list) == 1
	return list, nil
}

// folder is where the run of a fault leaves its results.
func (m *matrix) folder(f fault.Fault) string {
	return filepath.Join(m.settings.Results, runsDir, f.Name)
}

// clear removes what an earlier run left, of what this one writes.
func (m *matrix) clear() error {
	if _, err := os.Stat(filepath.Join(m.settings.Results, "go.mod")); err == nil {
		return usage.Errorf("RESULTS=%s holds source code (go.mod); name a folder of its own, such as results", m.settings.Results)
	}
	for _, f := range m.faults {
		if err := os.RemoveAll(m.folder(f)); err != nil {
			return usage.Errorf("RESULTS=%s: older results cannot be removed: %v", m.settings.Results, err)
		}
	}
	for _, name := range []string{resultsFile, pageFile} {
		if err := os.Remove(filepath.Join(m.settings.Results, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return usage.Errorf("RESULTS=%s: older results cannot be removed: %v", m.settings.Results, err)
		}
	}
	if err := os.MkdirAll(filepath.Join(m.settings.Results, runsDir), 0o755); err != nil {
		return usage.Errorf("RESULTS=%s cannot be written: %v; name a folder that you may write", m.settings.Results, err)
	}
	return nil
}

func (m *matrix) note(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%6.1f s  %s\n", time.Since(m.began).Seconds(), fmt.Sprintf(format, args...))
}

// started is when the run began, as the results have it.
func (m *matrix) started() string { return report.Stamp(m.began) }
