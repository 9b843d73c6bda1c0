package target

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"qmconformance/harness/agent"
	"qmconformance/harness/subject"
	"qmconformance/harness/xinetd"
)

// System is how a target booted systemd.
type System struct {
	// Up says that systemd answers, State what it says of the whole, and Took how
	// long it was until it had started everything, or the wait was given up. Gone says
	// that it has ended, and the target with it.
	Up    bool
	Gone  bool
	State string
	Took  time.Duration
}

// bootLimit is for systemd: it has started everything 0.7 s (Debian 12) to 1.3 s
// (Debian 13) after it became PID 1. A unit that never says that it has started
// keeps the system from it.
const bootLimit = 20 * time.Second

// bootPoll is the pause between two questions, each of which starts a program.
const bootPoll = 50 * time.Millisecond

// controlGroups are what a daemon has to lend of its host's control groups.
type controlGroups struct {
	unified bool
}

func (f *Fleet) controlGroups(ctx context.Context) (controlGroups, error) {
	res, err := f.Docker.Info(ctx, client.InfoOptions{})
	return controlGroups{unified: res.Info.CgroupVersion == "2"}, err
}

// prepare lends a container what systemd needs to keep its units apart: of version 1
// the hierarchy that is for names only and limits nothing, of version 2 the only one
// there is. /run is empty when a system boots.
func (g controlGroups) prepare(h *container.HostConfig) {
	h.Tmpfs = map[string]string{"/run": "exec,mode=755", "/run/lock": ""}
	if g.unified {
		h.CgroupnsMode = container.CgroupnsModeHost
		h.Binds = append(h.Binds, "/sys/fs/cgroup:/sys/fs/cgroup:rw")
		return
	}
	h.Binds = append(h.Binds, "/sys/fs/cgroup/systemd:/sys/fs/cgroup/systemd:rw")
}

// ErrNoSystemd says that systemd cannot become PID 1 in a container of this daemon,
// which is no defect of the daemon's: it lends no control groups. Whatever else goes
// wrong with such a container goes wrong with any.
var ErrNoSystemd = errors.New("systemd does not come up in a container here")

// Boot installs the package on an image that holds systemd, starts the database, puts
// a program in qm's place where one is named, and has systemd boot the system: it is
// systemd that starts xinetd, by whatever unit there is.
func (f *Fleet) Boot(ctx context.Context, image string, overlay subject.Overlay, with string) (*Target, error) {
	c, err := f.boot(ctx, containerOptions{image: image, systemd: true})
	if err != nil && lendsNothing(err) {
		return nil, fmt.Errorf("%w: %w", ErrNoSystemd, err)
	}
	if err != nil {
		return nil, err
	}
	t := &Target{Container: c, fleet: f, overlay: overlay, forSystemd: true, ownSyslog: true}
	err = t.bootInstalled(ctx, with)
	// A package that keeps a system from booting is to be told from a daemon that
	// keeps every system from it.
	if err == nil && !t.Startup.System.Up && len(overlay.Archive) > 0 {
		err = f.tryBoot(ctx, image)
	} else if err == nil && !t.Startup.System.Up {
		err = fmt.Errorf("%w: %s after %v", ErrNoSystemd, t.Startup.System.State, t.Startup.System.Took.Round(time.Millisecond))
	}
	if err != nil {
		t.Remove()
		return nil, err
	}
	if t.Startup.System.Gone {
		return t, nil
	}
	return t, t.findLogs(ctx)
}

// lendsNothing says whether a daemon refused a container for what it was to lend it: a
// mount of the host's control groups that there is not, or that it does not allow.
func lendsNothing(err error) bool {
	text := err.Error()
	return !errors.Is(err, agent.ErrNoAnswer) && !strings.Contains(text, "no space left") &&
		slices.ContainsFunc([]string{"cgroup", "mount", "bind source", "tmpfs"}, func(s string) bool { return strings.Contains(text, s) })
}

// tryBoot boots systemd without any package.
func (f *Fleet) tryBoot(ctx context.Context, image string) error {
	bare, err := f.Boot(ctx, image, subject.Overlay{}, "")
	if err != nil {
		return err
	}
	return bare.Remove()
}

func (t *Target) bootInstalled(ctx context.Context, with string) error {
	if err := t.install(ctx); err != nil {
		return err
	}
	if err := t.startDatabase(ctx); err != nil {
		return err
	}
	if with != "" {
		if _, err := t.Replace(ctx, t.QM(), with); err != nil {
			return err
		}
	}
	if err := t.BecomeSystemd(ctx); err != nil {
		return err
	}
	t.Startup.System = &System{}
	err := t.awaitSystem(ctx, t.Startup.System)
	if errors.Is(err, agent.ErrNoAnswer) && ctx.Err() == nil {
		// It does not wait where it lacks something: PID 1 ends, and all with it.
		t.Startup.System.Up, t.Startup.System.Gone, t.Startup.System.State = false, true, "the container has ended"
		return nil
	}
	return err
}

// awaitSystem waits until systemd has started everything, or no longer.
func (t *Target) awaitSystem(ctx context.Context, s *System) error {
	for began := time.Now(); ; {
		res, err := t.Command(ctx, "systemctl", "is-system-running")
		if err != nil {
			return err
		}
		s.State, s.Took = strings.TrimSpace(res.Output+res.StartError), time.Since(began)
		switch s.State {
		case "running", "degraded", "maintenance": // systemctl(1)
			s.Up = true
			return nil
		case "initializing", "starting":
			s.Up = true
		}
		if s.Took > bootLimit {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(bootPoll):
		}
	}
}

// Systemctl has systemd do something; with show it tells of a unit.
func (t *Target) Systemctl(ctx context.Context, limit time.Duration, args ...string) (agent.RunResult, error) {
	return t.Run(ctx, agent.RunRequest{Argv: append([]string{"systemctl", "--no-pager"}, args...), Limit: limit})
}

// findXinetd is the process number of a xinetd that systemd started, directly or by
// way of the init script.
func (t *Target) findXinetd(ctx context.Context) (int, error) {
	snap, err := t.Snapshot(ctx)
	if err != nil {
		return 0, err
	}
	for _, p := range snap.Processes {
		if p.PPID == 1 && path.Base(p.Exe) == path.Base(XinetdArgv[0]) {
			return p.PID, nil
		}
	}
	return 0, fmt.Errorf("%w: it does not run", ErrNoDump)
}

// logDir is where Debian's syslog daemons have their files, and journalDir what of it
// is no text.
const (
	logDir     = "/var/log"
	journalDir = "/var/log/journal/"
	logsAtMost = 1000
)

// syslogFiles are those that a syslog daemon may write to; none where there is none.
func (t *Target) syslogFiles(ctx context.Context) ([]string, error) {
	if !t.ownSyslog {
		return nil, nil
	}
	list, err := t.Walk(ctx, logDir, logsAtMost)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range list {
		// Its own files are read as what they are.
		if e.Mode.IsRegular() && !strings.HasPrefix(e.Path, journalDir) && !slices.Contains(t.logFiles, e.Path) {
			names = append(names, e.Path)
		}
	}
	return names, nil
}

// ofDaemon are the records in a syslog daemon's files. There each message is a line,
// and line feeds in it are written otherwise; other files have other lines.
func ofDaemon(text string) []xinetd.Record {
	var list []xinetd.Record
	for line := range strings.Lines(text) {
		for _, r := range xinetd.ParseLog(line, xinetd.Zone{}) {
			if r.Format == xinetd.FormatSyslog {
				list = append(list, r)
			}
		}
	}
	return list
}

// FileWith is the syslog daemon's file that holds a line; empty where none does.
func (t *Target) FileWith(ctx context.Context, line string) (string, error) {
	names, err := t.syslogFiles(ctx)
	if err != nil {
		return "", err
	}
	for _, name := range append(names, t.logFiles...) {
		text, err := t.ReadFile(ctx, name)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, agent.ErrNotRegular) {
			continue
		}
		if err != nil {
			return "", err
		}
		if strings.Contains(string(text), line) {
			return name, nil
		}
	}
	return "", nil
}
