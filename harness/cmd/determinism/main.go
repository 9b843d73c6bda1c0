// Determinism runs the whole test binary several times, each time with another order
// of the specs and another number of targets and processes at once, and compares the
// verdicts: none may depend on any of that. What differs is printed by requirement.
//
// It reads the variables of the README, and RUNS, the number of runs.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"

	"qmconformance/fixtures"
	"qmconformance/harness/judge"
	"qmconformance/harness/report"
	"qmconformance/harness/verdict"
)

const (
	binary      = "build/conformance.test"
	defaultRuns = 5
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	same, err := compareRuns(ctx)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(verdict.HarnessError.ExitCode())
	case !same:
		os.Exit(1)
	}
}

func compareRuns(ctx context.Context) (same bool, err error) {
	runs := defaultRuns
	if text := os.Getenv("RUNS"); text != "" {
		if runs, err = strconv.Atoi(text); err != nil || runs < 2 {
			return false, fmt.Errorf("RUNS=%s: a number of runs is wanted, 2 or more", text)
		}
	}
	at := os.Getenv("RESULTS")
	if at == "" {
		at = "results/determinism"
	}
	exempt, err := intermittent()
	if err != nil {
		return false, err
	}
	var list []run
	for i := range runs {
		r := run{name: fmt.Sprintf("run-%02d", i+1), manner: manners[i%len(manners)], seed: i + 1}
		if err := r.do(ctx, filepath.Join(at, r.name)); err != nil {
			return false, fmt.Errorf("%s (%s): %w", r.name, r, err)
		}
		fmt.Printf("%s  %6.1f s  %s  %d verdicts, %s\n", r.name, float64(r.results.DurationMS)/1000, r.results.Outcome, len(r.results.Verdicts), r)
		list = append(list, r)
	}
	differences := compare(list, exempt)
	for _, d := range differences {
		fmt.Print(d)
	}
	fmt.Printf("%d runs, %d requirements judged differently\n", len(list), len(differences))
	return len(differences) == 0, nil
}

// manner is how a run is done; each is another one for what must not matter.
type manner struct {
	// targets is PROCS, and processes the number of Ginkgo's.
	targets, processes int
}

var manners = []manner{{2, 1}, {1, 1}, {8, 1}, {2, 2}, {4, 3}}

// run is one run of the whole binary.
type run struct {
	name string
	manner
	seed    int
	results report.Results
}

func (r run) String() string {
	return fmt.Sprintf("seed %d, PROCS=%d, %d processes", r.seed, r.targets, r.processes)
}

func (r *run) do(ctx context.Context, results string) error {
	seed := "-seed=" + strconv.Itoa(r.seed)
	cmd := exec.CommandContext(ctx, "./"+binary, "-ginkgo.randomize-all", "-ginkgo."+seed[1:])
	if r.processes > 1 {
		cmd = exec.CommandContext(ctx, "go", "tool", "ginkgo", "-randomize-all", seed, "-procs", strconv.Itoa(r.processes), ".")
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	path, err := filepath.Abs(results)
	if err != nil {
		return err
	}
	cmd.Env = append(os.Environ(), "RESULTS="+path, "PROCS="+strconv.Itoa(r.targets))
	// The exit code tells less than the results do, and ginkgo flattens it.
	said, failed := cmd.CombinedOutput()
	text, err := os.ReadFile(filepath.Join(path, report.ResultsFile))
	if err != nil {
		return fmt.Errorf("%w (%w)\n%s", err, failed, said)
	}
	if err := json.Unmarshal(text, &r.results); err != nil {
		return err
	}
	if o := r.results.Outcome; o != verdict.Conformant && o != verdict.Violations {
		return fmt.Errorf("%s: %s\n%s", o, r.results.Message, said)
	}
	return nil
}

// intermittent are the defects that are listed as showing by chance: their verdicts
// may differ, and are told all the same.
func intermittent() (map[string]bool, error) {
	files, err := fs.Sub(fixtures.Files, "known-failing")
	if err != nil {
		return nil, err
	}
	known, err := verdict.ReadKnown(files, judge.Catalogue)
	if err != nil {
		return nil, err
	}
	list := map[string]bool{}
	for _, k := range known {
		if k.Intermittent {
			list[k.ID] = true
		}
	}
	return list, nil
}
