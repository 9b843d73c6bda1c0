package reaper

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// kinds of objects, in the order of removal: a network cannot go while a
// container is attached to it, nor an image while a container uses it.
const (
	kindContainer = "container"
	kindNetwork   = "network"
	kindImage     = "image"
)

var kinds = []string{kindContainer, kindNetwork, kindImage}

// object is one thing in the daemon that carries our label.
type object struct {
	kind, id string
	labels   map[string]string
}

func (o object) String() string {
	id := strings.TrimPrefix(o.id, "sha256:")
	return o.kind + " " + id[:min(12, len(id))]
}

// Leftover is an object that could not be removed, and why.
type Leftover struct {
	Kind string // "container", "network" or "image"
	ID   string
	Err  error
}

func (l Leftover) String() string {
	return fmt.Sprintf("%s: %v", object{kind: l.Kind, id: l.ID}, l.Err)
}

// remover talks to one daemon; every request has its own limit.
type remover struct {
	docker *client.Client
	limits limits
}

// list returns the objects of one kind that carry the label "name=value", or
// the label name with any value. The daemon filters, and the answer is filtered
// once more: what is removed must not depend on a proxy or a foreign
// implementation of the API having understood the filter.
func (r remover) list(ctx context.Context, kind, name, value string) ([]object, error) {
	ctx, cancel := context.WithTimeout(ctx, r.limits.List)
	defer cancel()
	filters := client.Filters{}.Add("label", LabelOurs+"="+Ours)
	if value == "" {
		filters.Add("label", name)
	} else {
		filters.Add("label", name+"="+value)
	}
	var found []object
	switch kind {
	case kindContainer:
		res, err := r.docker.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filters})
		if err != nil {
			return nil, err
		}
		for _, c := range res.Items {
			found = append(found, object{kind, c.ID, c.Labels})
		}
	case kindNetwork:
		res, err := r.docker.NetworkList(ctx, client.NetworkListOptions{Filters: filters})
		if err != nil {
			return nil, err
		}
		for _, n := range res.Items {
			found = append(found, object{kind, n.ID, n.Labels})
		}
	case kindImage:
		res, err := r.docker.ImageList(ctx, client.ImageListOptions{Filters: filters})
		if err != nil {
			return nil, err
		}
		for _, i := range res.Items {
			found = append(found, object{kind, i.ID, i.Labels})
		}
	}
	var ours []object
	for _, o := range found {
		got, has := o.labels[name]
		if o.labels[LabelOurs] == Ours && has && (value == "" || got == value) {
			ours = append(ours, o)
		}
	}
	return ours, nil
}

// remove removes one object. One that is gone already, or that somebody else is
// removing right now, is no error: the reaper of a dead run and the sweep of
// the next one may meet.
func (r remover) remove(ctx context.Context, o object) error {
	ctx, cancel := context.WithTimeout(ctx, r.limits.Call)
	defer cancel()
	var err error
	switch o.kind {
	case kindContainer:
		_, err = r.docker.ContainerRemove(ctx, o.id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	case kindNetwork:
		if id := o.labels[LabelBox]; id != "" {
			// The run's own container is attached, and is no object of the session: it
			// may go on. That it is not attached is what we want.
			_, _ = r.docker.NetworkDisconnect(ctx, o.id, client.NetworkDisconnectOptions{Container: id, Force: true})
		}
		_, err = r.docker.NetworkRemove(ctx, o.id, client.NetworkRemoveOptions{})
		if err != nil && strings.Contains(err.Error(), "active endpoints") {
			r.detachTheGone(ctx, o)
			_, err = r.docker.NetworkRemove(ctx, o.id, client.NetworkRemoveOptions{})
		}
	case kindImage:
		// Force: a session's image may carry several names, and it goes with all of them.
		_, err = r.docker.ImageRemove(ctx, o.id, client.ImageRemoveOptions{Force: true, PruneChildren: true})
	}
	if errdefs.IsNotFound(err) || err != nil && strings.Contains(err.Error(), "already in progress") {
		return nil
	}
	return err
}

// ContainerName is the name of the n-th container, from 1, of a session.
func ContainerName(session string, n int) string {
	return fmt.Sprintf("qmconformance-%s-%d", session, n)
}

// mostContainers bounds the search. A run has some ten, a benchmark with a baseline some
// twenty; who tries the benchmark's gate many times may have more.
const mostContainers = 64

// detachTheGone takes endpoints from a network whose containers are no more: where a
// container is removed while it starts, Docker (seen with 20.10) keeps its endpoint,
// lists it nowhere, and finds it by the container's name.
func (r remover) detachTheGone(ctx context.Context, network object) {
	for n := 1; n <= mostContainers && ctx.Err() == nil; n++ {
		_, _ = r.docker.NetworkDisconnect(ctx, network.id, client.NetworkDisconnectOptions{
			Container: ContainerName(network.labels[LabelSession], n), Force: true,
		})
	}
}

// silent says that the daemon did not answer in time. It is not asked for more then:
// each question would cost its whole limit.
func silent(err error) bool { return errors.Is(err, context.DeadlineExceeded) }

// removeAll removes the objects of one kind, a few at a time.
func (r remover) removeAll(ctx context.Context, objects []object) []Leftover {
	var (
		mu   sync.Mutex
		left []Leftover
		wg   sync.WaitGroup
		slot = make(chan struct{}, parallelRemovals)
	)
	for _, o := range objects {
		wg.Add(1)
		slot <- struct{}{}
		go func() {
			defer func() { <-slot; wg.Done() }()
			if err := r.remove(ctx, o); err != nil {
				mu.Lock()
				left = append(left, Leftover{o.kind, o.id, err})
				mu.Unlock()
			}
		}()
	}
	wg.Wait()
	return left
}

// session removes everything that one session has in the daemon now.
// It returns how many objects it saw and what is left of them. A kind that
// cannot be listed does not keep the other kinds from being removed.
func (r remover) session(ctx context.Context, id string) (seen int, left []Leftover, err error) {
	if id == "" {
		return 0, nil, errors.New("no session ID: refusing to remove by an empty label")
	}
	for _, kind := range kinds {
		objects, lerr := r.list(ctx, kind, LabelSession, id)
		if lerr != nil {
			err = errors.Join(err, fmt.Errorf("list %ss: %w", kind, lerr))
			if silent(lerr) {
				break
			}
			continue
		}
		seen += len(objects)
		left = append(left, r.removeAll(ctx, objects)...)
	}
	return seen, left, err
}
