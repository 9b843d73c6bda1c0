package target

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"time"

	"qmconformance/harness/agent"
	"qmconformance/harness/xinetd"
)

// Edition is a changed set of files of a target, and the way back.
type Edition struct {
	t   *Target
	old map[string]oldFile
	// Config is the configuration as it was before.
	Config xinetd.Config
}

type oldFile struct {
	text   []byte
	mode   fs.FileMode
	exists bool
}

// Edit changes the package's own xinetd.conf and the files that it includes, in
// place. xinetd is not told: Respawn or Reload it. Undo takes everything back.
func (t *Target) Edit(ctx context.Context, changes ...xinetd.Change) (*Edition, error) {
	config, _, files, err := t.read(ctx)
	if err != nil {
		return nil, err
	}
	texts := map[string]string{}
	for _, name := range config.Files {
		text, err := files.ReadFile(strings.TrimPrefix(name, "/"))
		if err != nil {
			return nil, err
		}
		texts[name] = string(text)
	}
	edited, err := xinetd.Edit(config, texts, changes...)
	if err != nil {
		return nil, err
	}
	e := &Edition{t: t, old: map[string]oldFile{}, Config: config}
	for name, text := range edited {
		if err := e.Put(ctx, name, text); err != nil {
			return nil, errors.Join(err, e.Undo(ctx))
		}
	}
	return e, nil
}

// Put replaces or makes one file, hosts.deny for example.
func (e *Edition) Put(ctx context.Context, name, text string) error {
	if err := e.keep(ctx, name); err != nil {
		return err
	}
	mode := e.old[name].mode
	if !e.old[name].exists {
		mode = 0o644
	}
	return e.t.WriteFile(ctx, name, []byte(text), mode)
}

func (e *Edition) keep(ctx context.Context, name string) error {
	if _, kept := e.old[name]; kept {
		return nil
	}
	entry, err := e.t.Client.Stat(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		e.old[name] = oldFile{}
		return nil
	}
	if err != nil {
		return err
	}
	text, err := e.t.ReadFile(ctx, name)
	e.old[name] = oldFile{text: text, mode: entry.Mode.Perm(), exists: true}
	return err
}

// Undo puts every file back. It works on after ctx has ended: the next look wants
// the target as it was.
func (e *Edition) Undo(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commandLimit)
	defer cancel()
	var errs []error
	for name, old := range e.old {
		if !old.exists {
			_, err := e.t.Command(ctx, "rm", "-f", name)
			errs = append(errs, err)
			continue
		}
		errs = append(errs, e.t.WriteFile(ctx, name, old.text, old.mode))
	}
	return errors.Join(errs...)
}

// Respawn ends xinetd by SIGKILL and starts a fresh one with the files as they
// are: some 15 ms, and a clean state. Sessions live on.
func (t *Target) Respawn(ctx context.Context) (agent.Readiness, error) {
	if _, err := t.StopXinetd(ctx, syscall.SIGKILL); err != nil {
		return agent.Readiness{}, err
	}
	return t.Launch(ctx, readyLimit)
}

// Launch starts xinetd where none of ours runs, and waits until it is ready for as
// long as the limit says.
func (t *Target) Launch(ctx context.Context, limit time.Duration) (agent.Readiness, error) {
	ready, err := t.StartXinetd(ctx, agent.StartRequest{Argv: XinetdArgv, Ready: limit})
	t.Startup.Xinetd = ready
	return ready, errors.Join(err, t.findLogs(ctx))
}

// ErrNotReconfigured says that xinetd did not report the end of a reload in time.
var ErrNotReconfigured = errors.New("xinetd did not say that it has reconfigured")

// reloadLimit is for a reload: half a second for each session of a service that
// is dropped (reconfig.c:239), and a second for the log.
const reloadLimit = 20 * time.Second

// Reload sends SIGHUP and waits for the log line that ends the reload. What was
// logged meanwhile is returned, with an error too.
func (t *Target) Reload(ctx context.Context) (Log, error) {
	mark, err := t.MarkLog(ctx)
	if err != nil {
		return Log{}, err
	}
	if err := t.Signal(ctx, t.Startup.Xinetd.Daemon.PID, syscall.SIGHUP); err != nil {
		return Log{}, err
	}
	for began := time.Now(); ; {
		l, err := t.ReadLog(ctx, mark)
		if err != nil {
			return l, err
		}
		for _, r := range xinetd.Messages(l.Records) {
			if strings.HasPrefix(r.Text, "Reconfigured:") {
				return l, nil
			}
		}
		if time.Since(began) > reloadLimit {
			return l, fmt.Errorf("%w within %v", ErrNotReconfigured, reloadLimit)
		}
		select {
		case <-ctx.Done():
			return l, ctx.Err()
		case <-time.After(poll):
		}
	}
}
