package target

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"
)

// dumpPath is where xinetd writes its state on SIGUSR1; it is compiled in.
const dumpPath = "/var/run/xinetd.dump"

// dumpEnd is the last line of a state dump.
var dumpEnd = []byte("END OF DUMP")

// ErrNoDump says that xinetd wrote no state within the limit.
var ErrNoDump = errors.New("xinetd wrote no complete state dump")

// Dump asks xinetd for its state and returns the text. xinetd appends to the
// file, so what was there before is left out.
func (t *Target) Dump(ctx context.Context) (string, error) {
	pid, err := t.running(ctx)
	if err != nil {
		return "", err
	}
	var size int64
	if old, err := t.ReadFile(ctx, dumpPath); err == nil {
		size = int64(len(old))
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if err := t.Signal(ctx, pid, syscall.SIGUSR1); err != nil {
		return "", err
	}
	deadline := time.Now().Add(dumpLimit)
	for time.Now().Before(deadline) {
		text, err := t.ReadFrom(ctx, dumpPath, size)
		if err == nil && bytes.Contains(text, dumpEnd) {
			return string(text), nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(poll):
		}
	}
	return "", fmt.Errorf("%w within %v", ErrNoDump, dumpLimit)
}

// running is the process number of xinetd, whoever started it.
func (t *Target) running(ctx context.Context) (int, error) {
	if t.Startup.System != nil {
		return t.findXinetd(ctx)
	}
	state, err := t.XinetdState(ctx)
	if err == nil && !state.Running {
		err = fmt.Errorf("%w: it has ended (%s)", ErrNoDump, state.Exit)
	}
	return state.PID, err
}
