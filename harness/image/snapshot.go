package image

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"qmconformance/harness/reaper"
)

// Snapshot makes an image of a container as it is now. The container is not
// paused: the caller takes the snapshot while nothing in it writes, and a pause
// would stop the clock of whoever waits for the agent. The image belongs to the
// session and is removed with it.
func (s *Store) Snapshot(ctx context.Context, containerID string) (Image, error) {
	ctx, hurry := reaper.Lingering(ctx, reaper.Grace)
	defer hurry()
	ctx, cancel := context.WithTimeout(ctx, LimitCommit)
	defer cancel()
	labels := s.session.With(map[string]string{LabelKind: KindSnapshot, LabelHash: ""})
	var changes []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		changes = append(changes, fmt.Sprintf("LABEL %q=%q", name, labels[name]))
	}
	done, err := s.docker.ContainerCommit(ctx, containerID, client.ContainerCommitOptions{NoPause: true, Changes: changes})
	if err != nil {
		return Image{}, classify(err, "take a snapshot", LimitCommit)
	}
	return Image{ID: done.ID, Kind: KindSnapshot}, nil
}

// RemoveImage removes a snapshot of this session; one that is gone already is
// no error. It refuses every other image.
func (s *Store) RemoveImage(ctx context.Context, i Image) error {
	ctx, cancel := context.WithTimeout(ctx, LimitCall)
	defer cancel()
	found, err := s.docker.ImageInspect(ctx, i.ID)
	if errdefs.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return classify(err, "inspect a snapshot", LimitCall)
	}
	if s.session.ID == "" || found.Config == nil || found.Config.Labels[reaper.LabelSession] != s.session.ID {
		return errors.New("image " + short(i.ID) + " does not belong to this run: not removed")
	}
	_, err = s.docker.ImageRemove(ctx, i.ID, client.ImageRemoveOptions{Force: true, PruneChildren: true})
	if errdefs.IsNotFound(err) {
		return nil
	}
	return classify(err, "remove a snapshot", LimitCall)
}
