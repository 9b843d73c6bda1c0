// Package programs builds the static programs that run in a target: the agent,
// the stand-in qm and the probe.
package programs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"qmconformance/fixtures/standin/tree"
	"qmconformance/harness/settings"
	"qmconformance/harness/usage"
)

// buildLimit is for a build from nothing on two busy cores; from a warm cache it
// takes half a second.
const buildLimit = 5 * time.Minute

// program is one that is built.
type program struct {
	name, source string
	// linker are flags beside the common ones.
	linker string
}

func programs() []program {
	probe := program{"probe", "./fixtures/probe", ""}
	if runtime.GOARCH == "amd64" {
		// An entry of its own, which notes what the Go runtime is about to change.
		probe.linker = "-E qmprobe_entry"
	}
	return []program{{"agent", "./docker/agent", ""}, {"standin", "./fixtures/standin", ""}, probe}
}

// Set are the built programs, by name.
type Set map[string][]byte

// Root finds the directory of the module at or above a directory.
func Root(dir string) (string, error) {
	for at := dir; ; at = filepath.Dir(at) {
		text, err := os.ReadFile(filepath.Join(at, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module qmconformance\n") {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", usage.Errorf("%s is not in the harness's directory; run it at the top of the repository", dir)
		}
	}
}

// BuiltEnv is the variable that names a folder of programs that are built: a
// command that runs the test binary many times builds them once.
const BuiltEnv = "QMCONFORMANCE_PROGRAMS"

// Build builds all programs of the module at root, or takes them from the folder
// that BuiltEnv names.
func Build(ctx context.Context, root string) (Set, error) {
	if dir := os.Getenv(BuiltEnv); dir != "" {
		return read(dir)
	}
	if _, err := exec.LookPath("go"); err != nil {
		return nil, usage.Errorf("the go command is not in PATH; install Go, which the harness needs to build its programs")
	}
	ctx, cancel := context.WithTimeout(ctx, buildLimit)
	defer cancel()
	dir, done, err := place(root)
	if err != nil {
		return nil, fmt.Errorf("build the programs: %w", err)
	}
	defer done()
	built := make([][]byte, len(programs()))
	errs := make([]error, len(built))
	var all sync.WaitGroup
	for i, p := range programs() {
		all.Go(func() { built[i], errs[i] = p.build(ctx, root, dir) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	set := Set{}
	for i, p := range programs() {
		set[p.name] = built[i]
	}
	return set, nil
}

func (p program) build(ctx context.Context, root, dir string) ([]byte, error) {
	out := filepath.Join(dir, p.name)
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w "+p.linker, "-o", out, p.source)
	cmd.Dir = root
	// Static, and for the machine that Docker runs on, which is this one.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.WaitDelay = time.Second
	if said, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build %s: %w", p.source, errors.Join(context.Cause(ctx), err, errors.New(strings.TrimSpace(string(said)))))
	}
	text, err := os.ReadFile(out)
	if err != nil {
		return nil, fmt.Errorf("build the programs: %w", err)
	}
	return text, nil
}

// place is the folder to build in: one that stays, where the go command finds what
// is up to date and links nothing anew, which would be a second of each run; or a
// passing one, where that folder is in use by another run or can't be written.
func place(root string) (dir string, done func(), err error) {
	dir = filepath.Join(root, "build", "programs")
	if err := os.MkdirAll(dir, 0o755); err == nil {
		lock, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
		if err == nil {
			if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
				return dir, func() { lock.Close() }, nil
			}
			lock.Close()
		}
	}
	dir, err = os.MkdirTemp("", "qmconformance-programs-*")
	return dir, func() { os.RemoveAll(dir) }, err
}

// read reads the programs from a folder that Write wrote.
func read(dir string) (Set, error) {
	set := Set{}
	for _, p := range programs() {
		var err error
		if set[p.name], err = os.ReadFile(filepath.Join(dir, p.name)); err != nil {
			return nil, fmt.Errorf("%s=%s: %w", BuiltEnv, dir, err)
		}
	}
	return set, nil
}

// Write writes the programs into a folder, for BuiltEnv to name.
func (s Set) Write(dir string) error {
	for name, program := range s {
		if err := os.WriteFile(filepath.Join(dir, name), program, 0o755); err != nil {
			return fmt.Errorf("write the programs: %w", err)
		}
	}
	return nil
}

// StandInTree lays out a tree with the stand-in qm, as it is to be installed at
// /usr/qmsys.
func (s Set) StandInTree(dir string) error {
	if err := tree.Write(dir, settings.UsualTree, -1, -1); err != nil {
		return fmt.Errorf("lay out the stand-in: %w", err)
	}
	qm := filepath.Join(dir, "bin", "qm")
	if err := os.WriteFile(qm, s["standin"], 0o775); err != nil {
		return err
	}
	return os.Chmod(qm, 0o775) // whatever the umask
}
