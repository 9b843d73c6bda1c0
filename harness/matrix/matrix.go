// Package matrix runs the conformance command on every package of fixtures that
// holds a known mistake, and on every good variant of the reference package, and
// tells whether each mistake was found and blamed on what it should be, and
// whether every variant stayed green.
//
// FAULT names some of the packages to run alone. QMSYS, BASE, PROFILE and RESULTS are
// those of the conformance command; PROCS is how many packages are run at a time. What
// else chooses what is judged, or how it counts, has no meaning here.
package matrix

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
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
		m.abandon(usageError, err)
		return exitUsage
	case err != nil:
		fmt.Fprintln(os.Stderr, "HARNESS ERROR:", err)
		m.abandon(harnessError, err)
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
	// begun says that older results are gone, and that there is a faults.json.
	begun bool
	began time.Time
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
	var wrong error
	m.settings, wrong = settings.Read(os.Getenv, dir, settings.HasTree)
	// With a wrong variable as well: older results must not stand for this run's.
	if err := m.begin(); err != nil {
		return m, err
	}
	if wrong != nil {
		return m, wrong
	}
	if m.kit, err = kit.Open(dir); err != nil {
		return m, err
	}
	if m.catalogue, err = requirement.Load(); err != nil {
		return m, err
	}
	all, err := fault.Load(m.kit.Fixtures, m.catalogue)
	if err != nil {
		return m, err
	}
	if err := m.clear(all); err != nil {
		return m, err
	}
	if m.faults, err = m.choose(all, os.Getenv); err != nil {
		return m, err
	}
	m.results = newResults(m)
	if m.scratch, err = os.MkdirTemp("", "qmconformance-faults-*"); err != nil {
		return m, err
	}
	if len(command) > 0 {
		return m, nil
	}
	return m, m.build(ctx)
}

func (m *matrix) close() {
	if m.kit != nil {
		m.kit.Close()
	}
	if m.scratch != "" {
		os.RemoveAll(m.scratch)
	}
}

// choose picks those that are named, one or several with blanks between, or all.
func (m *matrix) choose(all []fault.Fault, getenv func(string) string) ([]fault.Fault, error) {
	for _, name := range []string{"FOCUS", "LABELS"} {
		if v := getenv(name); strings.TrimSpace(v) != "" {
			return nil, usage.Errorf("%s=%s chooses requirements, and each fault names those that it is judged by; FAULT chooses faults", name, v)
		}
	}
	names := getenv("FAULT")
	if strings.TrimSpace(names) == "" {
		return all, nil
	}
	m.chosen = true
	excluded := ""
	var list []fault.Fault
	for _, name := range strings.Fields(names) {
		i := slices.IndexFunc(all, func(f fault.Fault) bool { return f.Name == name })
		if i < 0 {
			return nil, usage.Errorf("FAULT=%s is none of fixtures/faults and fixtures/variants; leave it out to run them all", name)
		}
		if why := m.leftOut(all[i]); why != "" {
			excluded = name + ": " + why
			continue
		}
		list = append(list, all[i])
	}
	if len(list) == 0 {
		return nil, usage.Errorf("FAULT=%s is not run here: %s", names, excluded)
	}
	m.one = len(list) == 1
	return list, nil
}

// leftOut tells why a package is not run here; empty where it is.
func (m *matrix) leftOut(f fault.Fault) string {
	on := fault.Ground{QM: scarletDME, Base: m.settings.Base, Arch: runtime.GOARCH}
	if m.settings.QMSys == settings.StandIn {
		on.QM = settings.StandIn
	}
	if why := f.Excluded(on); why != "" {
		return why
	}
	if m.settings.Profile == settings.Quick && f.Profile == settings.Full {
		return "it needs the full profile"
	}
	return ""
}

// folder is where the run of a fault leaves its results.
func (m *matrix) folder(f fault.Fault) string {
	return filepath.Join(m.settings.Results, runsDir, f.Name)
}

// begin removes the results of an earlier run, and says that this one has not ended.
func (m *matrix) begin() error {
	if _, err := os.Stat(filepath.Join(m.settings.Results, "go.mod")); err == nil {
		return usage.Errorf("RESULTS=%s holds source code (go.mod); name a folder of its own, such as results", m.settings.Results)
	}
	for _, name := range []string{resultsFile, pageFile} {
		if err := os.Remove(filepath.Join(m.settings.Results, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return usage.Errorf("RESULTS=%s: older results cannot be removed: %v", m.settings.Results, err)
		}
	}
	err := os.MkdirAll(filepath.Join(m.settings.Results, runsDir), 0o755)
	if err == nil {
		m.begun = true
		m.results = results{Format: format, Started: m.started()}
		err = m.results.end(harnessError, report.Unended).write(m.settings.Results)
	}
	if err != nil {
		return usage.Errorf("RESULTS=%s cannot be written: %v; name a folder that you may write, on a disk with room", m.settings.Results, err)
	}
	return nil
}

// clear removes the results of an earlier run's packages.
func (m *matrix) clear(all []fault.Fault) error {
	for _, f := range all {
		if err := os.RemoveAll(m.folder(f)); err != nil {
			return usage.Errorf("RESULTS=%s: older results cannot be removed: %v", m.settings.Results, err)
		}
	}
	return nil
}

// abandon has the results say why nothing came of the run.
func (m *matrix) abandon(outcome string, why error) {
	if m == nil || !m.begun {
		return
	}
	// What cannot be written stays as it was begun, which says that it did not end.
	_ = m.results.end(outcome, why.Error()).write(m.settings.Results)
}

func (m *matrix) note(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%6.1f s  %s\n", time.Since(m.began).Seconds(), fmt.Sprintf(format, args...))
}

// started is when the run began, as the results have it.
func (m *matrix) started() string { return report.Stamp(m.began) }
