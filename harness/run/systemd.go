package run

import (
	"context"
	"errors"
	"slices"

	"qmconformance/harness/image"
	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/target"
)

// bootable are the images whose targets boot systemd, with the whole tree and with a
// thinned one, or why there are none.
type bootable struct {
	whole, thin image.Image
	why         string
}

// withSystemd makes them where a selected requirement wants one. They are made before
// the looks begin: packages that are unpacked in their midst would take the processors
// from them.
func withSystemd(ctx context.Context, r *run, store *image.Store) (b bootable, err error) {
	if !slices.Contains(judge.StagesOf(r.keys), observe.UnderSystemd) {
		return bootable{why: "nothing that was selected wants it"}, nil
	}
	set, err := r.kit.Programs(ctx)
	if err != nil {
		return b, err
	}
	on, err := store.Base(ctx, r.subject.Base)
	if err != nil {
		return b, err
	}
	on, err = store.WithSystemd(ctx, on)
	switch {
	case err != nil && (ctx.Err() != nil || !image.Unpackaged(err)):
		return b, err
	case err != nil:
		r.note("what needs a system that boots is not judged: Debian's packages systemd and rsyslog could not be installed (build.log tells why)")
		return bootable{why: "Debian's packages systemd and rsyslog could not be installed on its base (build.log tells why)"}, nil
	}
	b.whole, b.thin, err = finish(ctx, r, store, on, set)
	return b, err
}

// bootSystemd makes the target that boots systemd. What the machine is without is no
// error of the run's.
func (s *stages) bootSystemd(ctx context.Context, name observe.Stage, st *stage) (err error) {
	if s.systemd.why != "" {
		return &observe.Cannot{Capability: requirement.BootSystemd, Why: s.systemd.why}
	}
	boot := func(on image.Image) (*target.Target, error) {
		t, err := s.fleet.Boot(ctx, on.ID, s.overlay, image.ProbePath)
		if errors.Is(err, target.ErrNoSystemd) && ctx.Err() == nil {
			err = &observe.Cannot{Capability: requirement.BootSystemd, Why: err.Error()}
		}
		return t, err
	}
	if st.target, err = boot(s.systemd.thin); err != nil {
		return err
	}
	// A thinned tree is never to blame: see start.
	if !well(st.target) && s.systemd.thin.ID != s.systemd.whole.ID {
		if err := st.target.Remove(); err != nil {
			return err
		}
		if st.target, err = boot(s.systemd.whole); err != nil {
			return err
		}
	}
	if st.target.Startup.System.Gone {
		s.note("target %s has ended", name)
		return nil
	}
	dump, err := state(ctx, st.target)
	if err != nil {
		return err
	}
	st.target.Pace(dump)
	st.ports, err = ports(ctx, st.target, dump)
	s.note("target %s is up", name)
	return err
}
