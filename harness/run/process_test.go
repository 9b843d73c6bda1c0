package run_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"qmconformance/harness/programs"
	"qmconformance/harness/report"
)

// scratch holds the binaries of the tests, until all of them are done.
var scratch string

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "qmconformance-run-test-*"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(scratch)
	os.Exit(code)
}

// root is the repository's.
var root = sync.OnceValues(func() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	return programs.Root(dir)
})

// binary is the real test binary, built once.
var binary = sync.OnceValues(func() (string, error) { return build("conformance.test") })

// spoiled is the real test binary with two more specs, which no build of ours has.
var spoiled = sync.OnceValues(func() (string, error) {
	at, err := root()
	if err != nil {
		return "", err
	}
	source := filepath.Join(scratch, "spoiled_test.go")
	if err := os.WriteFile(source, []byte(spoiledSpecs), 0o600); err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(at, "spoiled_test.go"): source}})
	if err != nil {
		return "", err
	}
	list := filepath.Join(scratch, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		return "", err
	}
	return build("spoiled.test", "-overlay", list)
})

const spoiledSpecs = `package conformance

import "github.com/onsi/ginkgo/v2"

var _ = ginkgo.Describe("defects of ours", func() {
	ginkgo.It("panics in a spec", func() { panic("a spec that panics") })
	ginkgo.It("panics beside the specs", func() {
		go func() { panic("a goroutine that panics") }()
		select {}
	})
})
`

func build(name string, flags ...string) (string, error) {
	at, err := root()
	if err != nil {
		return "", err
	}
	out := filepath.Join(scratch, name)
	cmd := exec.Command("go", append(append([]string{"test", "-c", "-o", out}, flags...), ".")...)
	cmd.Dir = at
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, said)
	}
	return out, nil
}

// process is a run of the real test binary.
type process struct {
	*exec.Cmd
	results        string
	stdout, stderr *transcript
}

// begin starts a run. Its environment is ours without the variables of the README.
func begin(t *testing.T, program func() (string, error), env map[string]string, args ...string) *process {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	at, err := root()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.Command(path, args...), stdout: &transcript{}, stderr: &transcript{}, results: filepath.Join(t.TempDir(), "results")}
	p.Dir, p.Stdout, p.Stderr = at, p.stdout, p.stderr
	values := map[string]string{"QMSYS": "standin", "RESULTS": p.results}
	for _, name := range []string{"PACKAGE", "BASE", "FOCUS", "LABELS", "PROFILE", "STRICT", "PROCS", "BASELINE", "FAULT"} {
		values[name] = ""
	}
	for name, value := range env {
		values[name] = value
	}
	p.results = values["RESULTS"]
	p.Env = os.Environ()
	for name, value := range values {
		p.Env = append(p.Env, name+"="+value)
	}
	// A program of its own that outlives the run must not keep the test waiting.
	p.WaitDelay = time.Second
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.ProcessState == nil {
			_ = p.Process.Kill()
			_ = p.Wait()
		}
		if t.Failed() {
			t.Logf("standard output:\n%s\nstandard error:\n%s", p.stdout, p.stderr)
		}
	})
	return p
}

// end waits for the run's end, within a limit, and returns the exit code; a run that a
// signal ended has none.
func (p *process) end(t *testing.T, limit time.Duration) int {
	t.Helper()
	late := time.AfterFunc(limit, func() { _ = p.Process.Kill() })
	err := p.Wait()
	if !late.Stop() {
		t.Fatalf("the run was not over within %v", limit)
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		t.Fatal(err)
	}
	return p.ProcessState.ExitCode()
}

// read are the results that the run left; ok is false where there are none.
func (p *process) read(t *testing.T) (r report.Results, ok bool) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(p.results, report.ResultsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return r, false
	}
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r, true
}

// transcript is what a run says, which may be read while it goes on.
type transcript struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

func (s *transcript) has(text string) func() bool {
	return func() bool { return strings.Contains(s.String(), text) }
}
