package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"qmconformance/harness/agent"
	"qmconformance/harness/image"
	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/subject"
	"qmconformance/harness/target"
	"qmconformance/harness/xinetd"
)

// stages boots the targets of a run, each when it is first asked for, by installing
// the package; where that is slow, all but the first from what the first prepared.
type stages struct {
	fleet *target.Fleet
	store *image.Store
	// whole is what targets are booted from, thin what those with the probe in qm's
	// place are; it may be the same.
	whole, thin image.Image
	// systemd is what the target that boots systemd is booted from.
	systemd bootable
	overlay subject.Overlay
	// further are the targets that will be wanted beside the first.
	further []observe.Stage
	note    func(format string, args ...any)
	// described is told of the first target, to ask it what it is.
	described func(context.Context, *target.Target) error

	installOnce sync.Once
	first       *target.Target
	prepared    image.Image
	installErr  error

	clientOnce sync.Once
	clients    *target.ClientHost
	clientErr  error

	mu    sync.Mutex
	ready map[observe.Stage]*stage

	ahead ahead
}

// errUnready is what a target is that never came to its end of being made.
var errUnready = errors.New("it was not made to its end, by a defect of the harness")

type stage struct {
	once   sync.Once
	target *target.Target
	ports  map[requirement.Service]uint16
	err    error
}

// Has reports what a target in a container of ours can do, which is everything. That
// one cannot boot systemd is known when it is wanted: see bootSystemd.
func (s *stages) Has(c requirement.Capability) bool {
	return slices.Contains(requirement.Capabilities, c)
}

// install makes the first target, up to where it would be started.
func (s *stages) install(ctx context.Context) error {
	s.installOnce.Do(func() {
		s.installErr = errUnready // which a panic in it leaves so
		s.installErr = s.installFirst(ctx)
	})
	return s.installErr
}

func (s *stages) installFirst(ctx context.Context) (err error) {
	s.ahead.start(ctx, s.probed(), s.thin.ID != s.whole.ID, s.make)
	defer s.ahead.firstIsInstalled()
	if s.first, err = s.fleet.Install(ctx, s.whole.ID, s.overlay); err != nil {
		return err
	}
	if s.worthACopy(s.first.Installation.Took) {
		if err := s.copyFirst(ctx); err != nil {
			return err
		}
	}
	s.note("installed in %v", s.first.Installation.Took)
	return s.described(ctx, s.first)
}

// copyFirst makes an image of the first target, for those that are made from then on.
func (s *stages) copyFirst(ctx context.Context) error {
	var prepared image.Image
	err := s.fleet.Unbroken(func() (err error) {
		prepared, err = s.store.Snapshot(ctx, s.first.ID)
		return err
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prepared = prepared
	return err
}

// worthACopy says whether an image of the first target is cheaper than the further
// installations. Docker compares two whole file systems for one, and packs what
// differs: 0.7 s of a processor for a small package, 7 s where every file of a large
// tree has another owner.
func (s *stages) worthACopy(took time.Duration) bool {
	n := len(s.further)
	if took < slowInstallation && s.whole.ID != s.thin.ID {
		// Where there are few files, that is over in a moment.
		n = len(slices.DeleteFunc(slices.Clone(s.further), observe.Stage.HasProbe))
	}
	return time.Duration(n)*took > copyCost
}

const (
	copyCost = 7 * time.Second
	// slowInstallation is what no number of files explains: setup.sh itself is slow.
	slowInstallation = 5 * time.Second
)

// probed are the further stages with the probe in qm's place.
func (s *stages) probed() (list []observe.Stage) {
	for _, name := range s.further {
		if name.HasProbe() {
			list = append(list, name)
		}
	}
	return list
}

// another makes a target as the first one was before its start, or takes the one that
// was made ahead.
func (s *stages) another(ctx context.Context, name observe.Stage) (*target.Target, error) {
	if t, err := s.ahead.claim(ctx, name); t != nil || err != nil {
		return t, err
	}
	return s.make(ctx, name)
}

func (s *stages) make(ctx context.Context, name observe.Stage) (*target.Target, error) {
	if prepared := s.copied(); prepared.ID != "" {
		return s.fleet.Clone(ctx, prepared.ID, s.first)
	}
	if !name.HasProbe() {
		return s.fleet.Install(ctx, s.whole.ID, s.overlay)
	}
	return s.fleet.Install(ctx, s.thin.ID, s.overlay)
}

// copied is the image of the first target, if one was made by now.
func (s *stages) copied() image.Image {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.prepared
}

// start starts a target. What fails in one with a thinned tree may have missed what
// was left out, and is tried with the whole one: a thinned tree is never to blame.
func (s *stages) start(ctx context.Context, name observe.Stage, t *target.Target) (*target.Target, error) {
	if err := t.Start(ctx); err != nil {
		return t, err
	}
	if well(t) || s.copied().ID != "" || !name.HasProbe() || s.thin.ID == s.whole.ID {
		return t, nil
	}
	if err := t.Remove(); err != nil {
		return t, err
	}
	t, err := s.fleet.Install(ctx, s.whole.ID, s.overlay)
	if err != nil {
		return t, err
	}
	return t, t.Start(ctx)
}

// well says that neither the installation nor the start of the database failed.
func well(t *target.Target) bool {
	setup := t.Installation.Setup
	return t.Startup.Start.OK() && (setup == nil || setup.OK())
}

// Scene gives a look its target.
func (s *stages) Scene(ctx context.Context, name observe.Stage, service requirement.Service) (*observe.Scene, error) {
	s.mu.Lock()
	if s.ready == nil {
		s.ready = map[observe.Stage]*stage{}
	}
	st, ok := s.ready[name]
	if !ok {
		st = &stage{}
		s.ready[name] = st
	}
	s.mu.Unlock()
	st.once.Do(func() {
		st.err = errUnready
		st.err = s.boot(ctx, name, st)
	})
	if st.err != nil {
		return nil, fmt.Errorf("target %s: %w", name, st.err)
	}
	return &observe.Scene{Target: st.target, Service: service, Port: st.ports[service], Ports: st.ports, Clients: s.clientHost}, nil
}

// clientHost boots the host that clients with addresses of their own are on.
func (s *stages) clientHost(ctx context.Context) (*target.ClientHost, error) {
	s.clientOnce.Do(func() { s.clients, s.clientErr = s.fleet.NewClientHost(ctx, s.thin.ID) })
	return s.clients, s.clientErr
}

func (s *stages) boot(ctx context.Context, name observe.Stage, st *stage) error {
	if name == observe.UnderSystemd {
		return s.bootSystemd(ctx, name, st)
	}
	if err := s.install(ctx); err != nil {
		return err
	}
	var err error
	if name == observe.AsShipped {
		st.target = s.first
	} else if st.target, err = s.another(ctx, name); err != nil {
		return err
	}
	if st.target, err = s.start(ctx, name, st.target); err != nil {
		return err
	}
	if name.HasProbe() {
		if _, err := st.target.Replace(ctx, st.target.QM(), image.ProbePath); err != nil {
			return err
		}
	}
	dump, err := state(ctx, st.target)
	if err != nil {
		return err
	}
	if st.ports, err = ports(ctx, st.target, dump); err != nil {
		return err
	}
	switch {
	case name.HasProbe():
		err = st.target.Ease(ctx, dump)
	case name != observe.Hostile: // whose looks lift the limits themselves
		st.target.Pace(dump)
	}
	s.note("target %s is up", name)
	return err
}

// state is xinetd's own account of itself; empty where it gives none, or none that can
// be read. That nobody could be asked is an error.
func state(ctx context.Context, t *target.Target) (xinetd.Dump, error) {
	text, err := t.Dump(ctx)
	switch {
	case unheard(ctx, err):
		return xinetd.Dump{}, fmt.Errorf("ask xinetd for its state: %w", err)
	case err != nil:
		return xinetd.Dump{}, nil
	}
	dump, _ := xinetd.ParseDump(text)
	return dump, nil
}

// unheard says that an error is none of the subject's: nobody could ask it.
func unheard(ctx context.Context, err error) bool {
	return errors.Is(err, agent.ErrNoAnswer) || err != nil && ctx.Err() != nil
}

// ports are where the services listen in a target: as xinetd has it, else as the
// services database says, else the usual ones. What is right is judged elsewhere.
func ports(ctx context.Context, t *target.Target, dump xinetd.Dump) (map[requirement.Service]uint16, error) {
	found := map[requirement.Service]uint16{}
	for _, service := range requirement.NetworkServices {
		found[service] = service.UsualPort()
		for _, settings := range dump.Service(string(service)) {
			if settings.Port.Set {
				found[service] = uint16(settings.Port.Value)
			}
		}
		if len(dump.Service(string(service))) > 0 {
			continue
		}
		res, err := t.Command(ctx, "getent", "services", string(service)+"/tcp")
		if err != nil {
			return nil, err
		}
		if fields := strings.Fields(res.Output); res.OK() && len(fields) > 1 {
			number, _, _ := strings.Cut(fields[1], "/")
			if port, err := strconv.ParseUint(number, 10, 16); err == nil {
				found[service] = uint16(port)
			}
		}
	}
	return found, nil
}
