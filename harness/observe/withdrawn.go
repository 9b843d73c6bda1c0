package observe

import (
	"context"
	"errors"
	"slices"
	"strings"
	"syscall"
	"time"

	"qmconformance/harness/requirement"
	"qmconformance/harness/xinetd"
)

// Breakage is a service's file that was broken before a reload.
type Breakage struct {
	Reload
	// File and Line are where the broken line stands.
	File string
	Line int
}

// Breakages are one for each service that is defined, one at a time.
type Breakages struct {
	Of map[requirement.Service]Breakage
}

// Withdrawal is a service that one reload took away and the next one put back.
type Withdrawal struct {
	Reload
	// Back is a connection to each service after the second one.
	Back map[requirement.Service]Visit
}

// Withdrawals are one for each service that is defined, one at a time.
type Withdrawals struct {
	Of map[requirement.Service]Withdrawal
}

// brokenLine lacks the blank before its operator: for such a line xinetd drops the
// whole service, and nothing else of the file.
const brokenLine = "umask=" + changedUmask

// Breaks reloads xinetd with a broken file of one service. What that does to the
// sessions of a real qm would be done to its database as well: this is the probe's.
var Breaks = &Look[Breakages]{
	Name: "reload-broken", Takes: 300 * time.Millisecond, Stage: WithProbe, Last: true, Limit: 90 * time.Second,
	Take: func(ctx context.Context, s *Scene) (Breakages, error) {
		f := Breakages{Of: map[requirement.Service]Breakage{}}
		err := eachDefined(ctx, s, func(service requirement.Service) error {
			b := Breakage{}
			err := reloadEdited(ctx, s, "broken-"+string(service), xinetd.Change{
				Service: string(service), Attribute: "umask", Line: brokenLine,
			}, func(r Reload) (err error) {
				b.Reload = r
				b.File, b.Line, err = whereIs(ctx, s, brokenLine)
				return err
			})
			f.Of[service] = b
			return err
		})
		return f, err
	},
}

// Withdraws disables one service after the other, and enables it again.
var Withdraws = &Look[Withdrawals]{
	Name: "reload-withdrawn", Takes: 300 * time.Millisecond, Stage: WithProbe, Last: true, Limit: 90 * time.Second,
	Take: func(ctx context.Context, s *Scene) (Withdrawals, error) {
		f := Withdrawals{Of: map[requirement.Service]Withdrawal{}}
		err := eachDefined(ctx, s, func(service requirement.Service) error {
			w := Withdrawal{}
			name := "withdrawn-" + string(service)
			err := reloadEdited(ctx, s, name, xinetd.Set(string(service), "disable", "yes"), func(r Reload) error {
				w.Reload = r
				return nil
			})
			if err == nil {
				err = reloadNow(ctx, s)
				w.Back = visits(ctx, s, name+"-back")
			}
			f.Of[service] = w
			return err
		})
		return f, err
	},
}

// eachDefined does something for each service that is defined, with a xinetd that
// was started afresh, and leaves one that was.
func eachDefined(ctx context.Context, s *Scene, do func(requirement.Service) error) error {
	config, _, err := s.Configuration(ctx)
	if err != nil {
		return err
	}
	for _, service := range requirement.NetworkServices {
		if !defined(config, service) {
			continue
		}
		if err := afresh(ctx, s); err != nil {
			return err
		}
		if err := do(service); err != nil {
			return errors.Join(err, afresh(ctx, s))
		}
	}
	return afresh(ctx, s)
}

// defined says that a service has a block that xinetd reads.
func defined(config xinetd.Config, service requirement.Service) bool {
	return slices.ContainsFunc(config.Service(string(service)), func(b xinetd.Block) bool { return b.Dropped == "" })
}

// reloadEdited reloads xinetd with a change, lets then see what came of it, and takes
// the change back, which xinetd is not told.
func reloadEdited(ctx context.Context, s *Scene, name string, change xinetd.Change, then func(Reload) error) error {
	undo := func() error { return nil }
	r, err := reload(ctx, s, name, func() error {
		edition, err := s.Edit(ctx, change)
		if err == nil {
			undo = func() error { return edition.Undo(ctx) }
		}
		return err
	})
	if err == nil {
		err = then(r)
	}
	return errors.Join(err, undo())
}

// reloadNow has xinetd reload, and waits until it says that it has.
func reloadNow(ctx context.Context, s *Scene) error {
	mark, err := s.MarkLog(ctx)
	if err != nil {
		return err
	}
	if pid := s.Startup.Xinetd.Daemon.PID; pid > 0 {
		_ = s.Signal(ctx, pid, syscall.SIGHUP)
	}
	_, err = s.AwaitLog(ctx, mark, reconfigured)
	return err
}

// whereIs finds a line in the files that xinetd reads.
func whereIs(ctx context.Context, s *Scene, wanted string) (file string, line int, err error) {
	config, _, err := s.Configuration(ctx)
	if err != nil {
		return "", 0, err
	}
	for _, file := range config.Files {
		text, err := s.ReadFile(ctx, file)
		if err != nil {
			return "", 0, err
		}
		for i, l := range strings.Split(string(text), "\n") {
			if strings.TrimSpace(l) == wanted {
				return file, i + 1, nil
			}
		}
	}
	return "", 0, nil
}
