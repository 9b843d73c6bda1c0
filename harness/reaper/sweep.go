package reaper

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/moby/moby/client"
)

// Sweep removes what dead runs left behind: objects with our label whose owner
// label names a process that is known to be gone. It never touches an object
// without our label, a cached image (which has no owner), an object of a live
// run, or one whose owner cannot be judged from here; see [judge] for when
// that is. It returns the number of removed objects and what could not be removed.
// The error is of the daemon: not reachable, or silent for longer than the limit.
func Sweep(ctx context.Context, docker *client.Client) (removed int, left []Leftover, err error) {
	self, err := currentOwner(procRoot, machineIDFile)
	if err != nil {
		return 0, nil, err
	}
	return sweep(ctx, remover{docker, defaultLimits}, procRoot, self)
}

func sweep(ctx context.Context, r remover, proc string, self Owner) (removed int, left []Leftover, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.limits.Stop)
	defer cancel()
	local := isLocal(r.docker.DaemonHost())
	boxes := map[string]life{}
	for _, kind := range kinds {
		objects, lerr := r.list(ctx, kind, LabelOwner, "")
		if lerr != nil {
			err = errors.Join(err, fmt.Errorf("list %ss: %w", kind, lerr))
			if silent(lerr) {
				break
			}
			continue
		}
		var dead []object
		for _, o := range objects {
			if r.ownerLife(ctx, boxes, o.labels, proc, self, local) == gone {
				dead = append(dead, o)
			}
		}
		failed := r.removeAll(ctx, dead)
		removed += len(dead) - len(failed)
		left = append(left, failed...)
	}
	return removed, left, err
}

// ownerLife judges the owner that labels name. One in a container of this daemon
// is as alive as its container, which the daemon knows and /proc may not show:
// from within another container no process of it is seen. boxes are those that
// were asked about before.
func (r remover) ownerLife(ctx context.Context, boxes map[string]life, labels map[string]string, proc string, self Owner, local bool) life {
	owner, err := parseOwner(labels[LabelOwner], labels[LabelPlace])
	if err != nil {
		return unknown
	}
	id := labels[LabelBox]
	if id == "" {
		return judge(proc, owner, self, local)
	}
	known, asked := boxes[id]
	if !asked {
		known = boxLife(ctx, r.docker, id, r.limits.Call)
		boxes[id] = known
	}
	return known
}

func isLocal(host string) bool { return strings.HasPrefix(host, "unix://") }

// Alive reports whether the labels name an owner that is alive or cannot be
// judged from here. Labels without an owner are nobody's: false.
func Alive(ctx context.Context, labels map[string]string, docker *client.Client) bool {
	if _, err := parseOwner(labels[LabelOwner], labels[LabelPlace]); err != nil {
		return false
	}
	self, err := currentOwner(procRoot, machineIDFile)
	if err != nil {
		return true
	}
	r := remover{docker, defaultLimits}
	return r.ownerLife(ctx, map[string]life{}, labels, procRoot, self, isLocal(docker.DaemonHost())) != gone
}
