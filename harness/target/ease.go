package target

import (
	"context"
	"errors"

	"qmconformance/harness/requirement"
	"qmconformance/harness/xinetd"
)

// What looks may need that are about something else than limits.
const (
	// easyRate is the rate of connections that xinetd allows where a package says
	// nothing of it (xinetd.conf(5), cps).
	easyRate = 50
	// easyPlaces is more than the sessions that any of them holds at once. What is set in
	// its place is a number too: where a block says that there is no limit, a rule that
	// is tried would not go.
	easyPlaces = 20
)

// Ease lifts the package's own limits on connections where they are so low that looks
// of ours might run into them, and starts xinetd anew then: a package may well allow
// ten connections in a second, and three at once, and no more. dump is the state of the
// xinetd that runs.
func (t *Target) Ease(ctx context.Context, dump xinetd.Dump) error {
	t.easing = easing(dump)
	if len(t.easing) == 0 {
		return nil
	}
	return t.ease(ctx)
}

func (t *Target) ease(ctx context.Context) (err error) {
	if t.eased, err = t.Edit(ctx, t.easing...); err != nil {
		return err
	}
	_, err = t.Respawn(ctx)
	return err
}

// easing are the changes that lift low limits. That there are no places at all is more
// than a low limit: it stays. What a service inherits is listed with the defaults alone.
func easing(dump xinetd.Dump) (changes []xinetd.Change) {
	low := func(limit, inherited xinetd.Optional, enough int) bool {
		if !limit.Set {
			limit = inherited
		}
		return limit.Set && limit.Value > 0 && limit.Value < enough
	}
	for _, service := range requirement.NetworkServices {
		for _, s := range dump.Service(string(service)) {
			if low(s.ConnectionsPerSecond, dump.Defaults.ConnectionsPerSecond, easyRate) {
				changes = append(changes, xinetd.Set(string(service), "cps", "50 10"))
			}
			if low(s.Instances, dump.Defaults.Instances, easyPlaces) {
				changes = append(changes, xinetd.Set(string(service), "instances", "100"))
			}
			if low(s.PerSource, dump.Defaults.PerSource, easyPlaces) {
				changes = append(changes, xinetd.Set(string(service), "per_source", "100"))
			}
		}
	}
	return changes
}

// Strictly does something while the package's own limits are in force, with an xinetd
// that has counted no connection yet if they were not before.
func (t *Target) Strictly(ctx context.Context, do func() error) (err error) {
	if t.eased == nil {
		return do()
	}
	if err := t.eased.Undo(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.ease(context.WithoutCancel(ctx))) }()
	if _, err := t.Respawn(ctx); err != nil {
		return err
	}
	return do()
}
