package observe

import (
	"context"
	"errors"
	"strings"
	"time"

	"qmconformance/harness/agent"
	"qmconformance/harness/requirement"
	"qmconformance/harness/target"
	"qmconformance/harness/xinetd"
)

// UnderSystemd is the stage whose target boots systemd, which starts xinetd, with
// Debian's own syslog daemons. It has one look, since each boot is a container more.
var UnderSystemd = Probed("under-systemd")

// Unit is what systemd says of xinetd's.
type Unit struct {
	Active, Sub, Result string
	// Kill is what becomes of the other processes of the unit when it is stopped;
	// Fragment and DropIns are the files that it is made of.
	Kill, Fragment, DropIns string
}

// Booted is what systemd does with xinetd, one action after the other.
type Booted struct {
	System target.System
	// Unit and Serves are after the boot, with nobody's hand on xinetd.
	Unit   Unit
	Serves map[requirement.Service]Visit

	Reloading
	Restarting

	// Closed says that a port was closed after the stop; Again is a connection
	// after the start that follows it.
	Stop, Start agent.RunResult
	Closed      map[requirement.Service]bool
	Again       map[requirement.Service]Visit

	// Refusals are clients that a limit refuses, in the end.
	Refusals map[requirement.Service]*Filed
}

// Filed is a refused client, and where the system keeps the line on it.
type Filed struct {
	Trail
	// ID is the name under which the service logs, ToFile says that it does so to a
	// file of its own, and Route how the configuration has it.
	ID     string
	ToFile bool
	Route  string
	// File is the one that holds the line; Journal is what the journal has of the unit.
	File    string
	Journal []xinetd.Record
}

const xinetdUnit = "xinetd.service"

// systemctlLimit is for one action of systemd: 0.2 s.
const systemctlLimit = 15 * time.Second

// Boot has systemd start xinetd, reload, restart and stop it, and start it again.
// Nearly all of its time is spent in waiting for systemd.
var Boot = &Look[Booted]{
	Name: "booted", Stage: UnderSystemd, Limit: 3 * time.Minute, Takes: 3 * time.Second, Patient: true,
	Take: func(ctx context.Context, s *Scene) (f Booted, err error) {
		if s.Startup.System == nil {
			return f, errors.New("the target has not booted a system")
		}
		f.System = *s.Startup.System
		if f.System.Gone {
			return f, nil
		}
		if f.Unit, err = unit(ctx, s); err != nil {
			return f, err
		}
		if f.Unit.Active == "active" {
			if err := awaitListeners(ctx, s); err != nil {
				return f, err
			}
		}
		f.Serves = visits(ctx, s, "booted")
		served := 0
		for _, v := range f.Serves {
			if v.Served {
				served++
			}
		}
		if served == 0 || f.Unit.Active != "active" {
			return f, f.journal(ctx, s)
		}
		if err = f.handle(ctx, s); err != nil {
			return f, err
		}
		return f, f.journal(ctx, s)
	},
}

// handle does one action after the other.
func (f *Booted) handle(ctx context.Context, s *Scene) error {
	if err := f.Reloading.by(ctx, s, systemctl); err != nil {
		return err
	}
	if err := f.Restarting.by(ctx, s, systemctl); err != nil {
		return err
	}
	if err := f.stop(ctx, s); err != nil {
		return err
	}
	return f.refuse(ctx, s)
}

// unit asks systemd for xinetd's unit.
func unit(ctx context.Context, s *Scene) (Unit, error) {
	res, err := s.Systemctl(ctx, systemctlLimit, "show", xinetdUnit, "--property=ActiveState,SubState,Result,KillMode,FragmentPath,DropInPaths")
	if err != nil {
		return Unit{}, err
	}
	s.Evidence.Text("systemctl-show", res.Output)
	value := map[string]string{}
	for line := range strings.Lines(res.Output) {
		name, v, _ := strings.Cut(strings.TrimSpace(line), "=")
		value[name] = v
	}
	return Unit{
		Active: value["ActiveState"], Sub: value["SubState"], Result: value["Result"],
		Kill: value["KillMode"], Fragment: value["FragmentPath"], DropIns: value["DropInPaths"],
	}, nil
}

func systemctl(ctx context.Context, s *Scene, verb string) (agent.RunResult, error) {
	res, err := s.Systemctl(ctx, systemctlLimit, verb, xinetdUnit)
	s.Evidence.Text("systemctl-"+verb, res.Output)
	return res, err
}

// journal keeps what the journal says of the unit.
func (f *Booted) journal(ctx context.Context, s *Scene) error {
	res, err := s.Command(ctx, "journalctl", "--no-pager", "-o", "short-precise", "-u", xinetdUnit)
	s.Evidence.Text("journal", res.Output)
	return err
}

func (f *Booted) stop(ctx context.Context, s *Scene) (err error) {
	if f.Stop, err = systemctl(ctx, s, "stop"); err != nil {
		return err
	}
	if f.Closed, err = awaitClosed(ctx, s, "stopped"); err != nil {
		return err
	}
	if f.Start, err = systemctl(ctx, s, "start"); err != nil {
		return err
	}
	if err := awaitListeners(ctx, s); err != nil {
		return err
	}
	f.Again = visits(ctx, s, "started")
	return nil
}

// refuse has one client of each service refused, and looks where the line on it is.
func (f *Booted) refuse(ctx context.Context, s *Scene) error {
	f.Refusals = map[requirement.Service]*Filed{}
	host, err := s.Clients(ctx)
	if err != nil {
		return err
	}
	config, _, err := s.Configuration(ctx)
	if err != nil {
		return err
	}
	var changes []xinetd.Change
	for _, service := range requirement.NetworkServices {
		if !defined(config, service) {
			continue
		}
		_, _, route, _ := config.Where(string(service), "log_type")
		f.Refusals[service] = &Filed{ID: LogID(config, service), ToFile: LogsToFile(config, string(service)), Route: route}
		changes = append(changes, alone(service, refused)...)
	}
	edition, err := s.Edit(ctx, changes...)
	if err != nil {
		return err
	}
	_, err = systemctl(ctx, s, "restart")
	if err == nil {
		err = awaitListeners(ctx, s)
	}
	for service, filed := range f.Refusals {
		if err == nil {
			err = filed.look(ctx, s.at(service), host)
		}
	}
	return errors.Join(err, edition.Undo(ctx))
}

// look has a client refused, and finds the line on it.
func (f *Filed) look(ctx context.Context, s *Scene, host *target.ClientHost) (err error) {
	f.Rule, f.Line = xinetd.ReasonInstances, refused.Line
	if f.From, err = host.TakeAddress(ctx, false); err != nil {
		return err
	}
	mark, err := s.MarkLog(ctx)
	if err != nil {
		return err
	}
	link, err := dialFrom(ctx, s, host, f.From)
	if err != nil {
		return err
	}
	f.end(ctx, link, refusalLimit)
	s.Evidence.Wire(string(s.Service)+"-refused", link.Transcript())
	if !f.Connected {
		return nil
	}
	log, err := s.AwaitLog(ctx, mark, logsFailure(f.ID))
	if err != nil {
		return err
	}
	f.Logged = log.Records
	s.Evidence.Log(string(s.Service)+"-refused.log", log.Text)
	if fails := xinetd.Entries(f.Logged, xinetd.Fail, f.ID); len(fails) > 0 {
		if f.File, err = s.FileWith(ctx, fails[0].Raw); err != nil {
			return err
		}
	}
	return f.readJournal(ctx, s)
}

// readJournal waits for the line in the journal, where it is to be expected.
func (f *Filed) readJournal(ctx context.Context, s *Scene) error {
	for began := time.Now(); ; {
		res, err := s.Command(ctx, "journalctl", "--no-pager", "-q", "-o", "short", "-n", "100", "-u", xinetdUnit)
		if err != nil {
			return err
		}
		f.Journal = nil
		for _, r := range xinetd.ParseLog(res.Output, xinetd.Zone{}) {
			if r.From == f.From {
				f.Journal = append(f.Journal, r)
			}
		}
		if f.ToFile || logsFailure(f.ID)(f.Journal) || time.Since(began) > target.LogLimit {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(gonePoll):
		}
	}
}
