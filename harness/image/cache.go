package image

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"qmconformance/harness/reaper"
)

// lookup finds a cached image by its tag and checks the whole hash, because the
// tag holds a few digits of it only and anybody can move a tag. A hit is tagged
// again: the daemon notes the time, and that is the image's last use.
func (s *Store) lookup(ctx context.Context, kind, ref, hash string) (Image, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, LimitCall)
	defer cancel()
	found, err := s.docker.ImageInspect(ctx, ref)
	if errdefs.IsNotFound(err) {
		return Image{}, false, nil
	}
	if err != nil {
		return Image{}, false, classify(err, "inspect "+ref, LimitCall)
	}
	if found.Config == nil || found.Config.Labels[LabelHash] != hash || found.Config.Labels[reaper.LabelOurs] != reaper.Ours {
		return Image{}, false, nil
	}
	if _, err := s.docker.ImageTag(ctx, client.ImageTagOptions{Source: found.ID, Target: ref}); err != nil {
		if errdefs.IsNotFound(err) { // removed between the two requests
			return Image{}, false, nil
		}
		return Image{}, false, classify(err, "tag "+ref, LimitCall)
	}
	return Image{ID: found.ID, Ref: ref, Kind: kind, Cached: true}, true, nil
}

// use is a cached image and when it was last looked up.
type use struct {
	id   string
	last time.Time
}

// superfluous picks what to remove: all but the newest, and of those nothing
// that was in use a moment ago.
func superfluous(images []use, keep int, fresh time.Duration, now time.Time) []string {
	sorted := slices.Clone(images)
	slices.SortStableFunc(sorted, func(a, b use) int { return cmp.Compare(b.last.UnixNano(), a.last.UnixNano()) })
	var drop []string
	for i, u := range sorted {
		if i >= keep && now.Sub(u.last) > fresh {
			drop = append(drop, u.id)
		}
	}
	return drop
}

// supersede removes old cached images of a kind. It is housekeeping behind a
// successful build: what fails here is logged, and no reason to fail a run.
// Without force the daemon itself refuses to remove an image that is in use.
func (s *Store) supersede(ctx context.Context, kind string) {
	ctx, cancel := context.WithTimeout(ctx, LimitCall)
	defer cancel()
	list, err := s.docker.ImageList(ctx, client.ImageListOptions{Filters: client.Filters{}.
		Add("label", reaper.LabelOurs+"="+reaper.Ours, LabelKind+"="+kind)})
	if err != nil {
		fmt.Fprintf(s.log, "old images stay: %v\n", err)
		return
	}
	var uses []use
	tags := map[string][]string{}
	for _, i := range list.Items {
		if i.Labels[reaper.LabelOurs] != reaper.Ours || i.Labels[LabelKind] != kind || i.Labels[reaper.LabelSession] != "" || !ours(i.RepoTags) {
			continue
		}
		inspected, err := s.docker.ImageInspect(ctx, i.ID)
		if err != nil {
			continue
		}
		last := inspected.Metadata.LastTagTime
		if created := time.Unix(i.Created, 0); last.Before(created) {
			last = created
		}
		uses = append(uses, use{i.ID, last})
		tags[i.ID] = i.RepoTags
	}
	for _, id := range superfluous(uses, keepNewest, keepFresh, time.Now()) {
		names := tags[id]
		if len(names) == 0 {
			names = []string{id}
		}
		for _, name := range names {
			if _, err := s.docker.ImageRemove(ctx, name, client.ImageRemoveOptions{PruneChildren: true}); err != nil {
				fmt.Fprintf(s.log, "old image %s stays: %v\n", name, err)
			}
		}
	}
}

// Clean removes every image that carries our label, cached or left behind,
// except those of a run that is alive. It returns the number of removed images
// and a line for each that stays.
func (s *Store) Clean(ctx context.Context) (removed int, stay []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, LimitBuild)
	defer cancel()
	// An image that others are built on goes only after them; each round
	// removes at least one level, and ends the loop when it removes nothing.
	for {
		list, err := s.docker.ImageList(ctx, client.ImageListOptions{
			Filters: client.Filters{}.Add("label", reaper.LabelOurs+"="+reaper.Ours),
		})
		if err != nil {
			return removed, stay, classify(err, "list images", LimitBuild)
		}
		stay = nil
		progress := false
		for _, i := range list.Items {
			if i.Labels[reaper.LabelOurs] != reaper.Ours {
				continue
			}
			if !ours(i.RepoTags) {
				continue
			}
			if reaper.Alive(ctx, i.Labels, s.docker) {
				stay = append(stay, short(i.ID)+": belongs to a run that is alive")
				continue
			}
			// With several tags an image cannot go by its ID without force; force
			// would also take it from under a stopped container.
			var failed error
			for _, name := range append(slices.Clone(i.RepoTags), i.ID) {
				_, err := s.docker.ImageRemove(ctx, name, client.ImageRemoveOptions{PruneChildren: true})
				if err != nil && !errdefs.IsNotFound(err) {
					failed = err
				}
			}
			if failed != nil {
				stay = append(stay, oneLine(short(i.ID), failed))
				continue
			}
			removed++
			progress = true
		}
		if !progress {
			return removed, stay, nil
		}
	}
}
