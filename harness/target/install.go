package target

import (
	"context"
	"fmt"
	"path"
	"strings"
	"sync"
	"time"

	"qmconformance/harness/agent"
	"qmconformance/harness/subject"
	"qmconformance/harness/xinetd"
)

// Users of the harness's own, added to every target. Two have qmusers as their
// primary group, two have a group of their own, as Debian gives every user.
var (
	Carol = agent.User{Name: "hcarol", Group: "qmusers", Hash: testHash, Home: "/home/hcarol"}
	Dave  = agent.User{Name: "hdave", Group: "qmusers", Hash: testHash, Home: "/home/hdave"}
	Alice = agent.User{Name: "halice", Hash: testHash, Home: "/home/halice"}
	Bob   = agent.User{Name: "hbob", Hash: testHash, Home: "/home/hbob"}
	users = []agent.User{Carol, Dave, Alice, Bob}
)

// Password is that of every test user. It opens nothing but containers of ours,
// which publish no port and live for a run.
const Password = "conform-4242"

// testHash is Password under SHA-512 crypt: of the hashes that qm accepts the one
// that costs 2 ms instead of 20. Source: ScarletDME gplsrc/linuxio.c:711.
const testHash = "$6$conformance$VV7DsuKgYu8vtMRLzMqGKriexahdKS0rVnjzYjLx84lf1GyJ0b7nCSbe2Mbk8vc.jdW3YsZY/u2vQMfb6SGcj0"

// Installation is what happened to a target before anything was started.
type Installation struct {
	// Files are the paths that the package laid over the root.
	Files []string
	// Setup is how setup.sh ended; nil where the package has none.
	Setup *agent.RunResult
	// SyslogSupplied says that nothing served /dev/log and the harness does.
	SyslogSupplied bool
	// Took is the whole time, Overlaid that of the overlay alone.
	Took, Overlaid time.Duration
}

// Startup is how the database and the super-server were started.
type Startup struct {
	// Command is what started the database: start.sh, or qm -start.
	Command string
	Start   agent.RunResult
	// StartedAt and XinetdAt are when the start command ended and when xinetd was
	// started, by the target's clock.
	Xinetd agent.Readiness
	// System is the system that booted and started xinetd; nil where the agent did.
	System *System
}

// Target is a subject in a container.
type Target struct {
	*Container
	Installation Installation
	Startup      Startup
	// Tree is the directory of the qm tree in the target.
	Tree string

	fleet   *Fleet
	overlay subject.Overlay
	// logFiles are where xinetd logs to, beside syslog.
	logFiles []string
	// forSystemd says that the target is to boot systemd, ownSyslog that its system has
	// a syslog daemon of its own.
	forSystemd, ownSyslog bool
	// easing are the changes that lift the package's low limits, eased what was
	// changed by them.
	easing []xinetd.Change
	eased  *Edition
	paces  paces

	marking sync.Mutex
	// marked is how many messages there were at the last mark.
	marked int
}

const scriptDir = "/.conformance/"

// Install boots an image and lays the package over it: overlay, setup.sh, the
// harness's users. An error is ours or Docker's; what the package did wrong is in
// the Installation.
func (f *Fleet) Install(ctx context.Context, image string, overlay subject.Overlay) (*Target, error) {
	c, err := f.boot(ctx, containerOptions{image: image})
	if err != nil {
		return nil, err
	}
	t := &Target{Container: c, fleet: f, overlay: overlay}
	if err := t.install(ctx); err != nil {
		t.Remove()
		return nil, err
	}
	return t, nil
}

// Clone boots another target from an image that was made of an installed one. It
// is what the first was before its start.
func (f *Fleet) Clone(ctx context.Context, image string, of *Target) (*Target, error) {
	c, err := f.boot(ctx, containerOptions{image: image})
	if err != nil {
		return nil, err
	}
	t := &Target{Container: c, fleet: f, overlay: of.overlay, Installation: of.Installation, Tree: of.Tree}
	if err := t.supplySyslog(ctx); err != nil {
		t.Remove()
		return nil, err
	}
	return t, nil
}

func (t *Target) install(ctx context.Context) error {
	began := time.Now()
	if len(t.overlay.Archive) > 0 {
		if err := t.Unpack(ctx, t.overlay.Archive); err != nil {
			return err
		}
	}
	t.Installation.Files = t.overlay.Files
	t.Installation.Overlaid = time.Since(began)
	if err := t.supplySyslog(ctx); err != nil {
		return err
	}
	if t.overlay.Setup != nil {
		res, err := t.script(ctx, subject.SetupScript, t.overlay.Setup)
		if err != nil {
			return err
		}
		t.Installation.Setup = &res
	}
	if err := t.AddUsers(ctx, users); err != nil {
		return err
	}
	t.Installation.Took = time.Since(began)
	return t.findTree(ctx)
}

// supplySyslog serves /dev/log where nobody does, or will.
func (t *Target) supplySyslog(ctx context.Context) (err error) {
	if t.forSystemd {
		return nil
	}
	t.Installation.SyslogSupplied, err = t.Syslog(ctx)
	return err
}

// script runs one of the package's scripts as the contract says: /bin/sh, as
// root, in /, without input, within ScriptLimit. It needs no execute bit and no
// first line, and no copy of it stays.
func (t *Target) script(ctx context.Context, name string, text []byte) (agent.RunResult, error) {
	at := scriptDir + name
	if err := t.WriteFile(ctx, at, text, 0o600); err != nil {
		return agent.RunResult{}, err
	}
	return t.Run(ctx, agent.RunRequest{Argv: []string{"/bin/sh", at}, Limit: ScriptLimit})
}

// usualTree is where the qm tree is unless scarlet.conf says otherwise.
const usualTree = "/usr/qmsys"

// findTree asks the target's own scarlet.conf where the tree is: a package may
// have moved it.
func (t *Target) findTree(ctx context.Context) error {
	t.Tree = usualTree
	text, err := t.ReadFile(ctx, "/etc/scarlet.conf")
	if err != nil {
		return nil // judged elsewhere; the usual place will do
	}
	for line := range strings.Lines(string(text)) {
		if dir, ok := strings.CutPrefix(strings.TrimSpace(line), "QMSYS="); ok && path.IsAbs(dir) {
			if _, err := t.Stat(ctx, path.Join(dir, "bin/qm")); err == nil {
				t.Tree = path.Clean(dir)
			}
		}
	}
	return nil
}

// QM is the path of the database's program.
func (t *Target) QM() string { return path.Join(t.Tree, "bin/qm") }

// Start starts the database and then xinetd. A start that fails is a fact of the
// Startup, and xinetd is started all the same, as a system's init would.
func (t *Target) Start(ctx context.Context) error {
	err := t.startDatabase(ctx)
	if err != nil {
		return err
	}
	// A package may bring a syslog daemon, which takes /dev/log for itself.
	if t.ownSyslog, err = t.SyslogReplaced(ctx); err != nil {
		return err
	}
	t.Startup.Xinetd, err = t.StartXinetd(ctx, agent.StartRequest{Argv: XinetdArgv, Ready: readyLimit})
	if err != nil {
		return fmt.Errorf("start xinetd: %w", err)
	}
	return t.findLogs(ctx)
}

func (t *Target) startDatabase(ctx context.Context) (err error) {
	if t.overlay.Start != nil {
		t.Startup.Command = subject.StartScript
		t.Startup.Start, err = t.script(ctx, subject.StartScript, t.overlay.Start)
	} else {
		t.Startup.Command = t.QM() + " -start"
		t.Startup.Start, err = t.Run(ctx, agent.RunRequest{Argv: []string{t.QM(), "-start"}, Limit: ScriptLimit})
	}
	return err
}

// XinetdArgv starts xinetd as Debian's init script does, but in the foreground,
// so that the agent is told when it ends.
var XinetdArgv = []string{"/usr/sbin/xinetd", "-dontfork", "-pidfile", "/run/xinetd.pid", "-stayalive", "-inetd_compat"}
