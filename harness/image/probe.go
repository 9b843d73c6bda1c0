package image

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"qmconformance/harness/reaper"
)

// holds says which of the paths exist in an image. Nothing of the image is run:
// a container is created, asked, and removed, which also answers for an image
// of which no program can start.
func (s *Store) holds(ctx context.Context, id string, paths ...string) (map[string]bool, error) {
	ctx, hurry := reaper.Lingering(ctx, reaper.Grace)
	defer hurry()
	ctx, cancel := context.WithTimeout(ctx, LimitCall)
	defer cancel()
	fail := func(err error) (map[string]bool, error) {
		return nil, classify(err, "look into image "+short(id), LimitCall)
	}
	created, err := s.docker.ContainerCreate(ctx, client.ContainerCreateOptions{
		Config: &container.Config{
			Image: id, Labels: s.session.Labels(),
			Cmd: []string{"/nothing-runs"}, // an image without a command cannot be created from
		},
		HostConfig: &container.HostConfig{NetworkMode: "none"},
	})
	if err != nil {
		return fail(err)
	}
	defer func() {
		// Not ctx: an interrupt must not leave the container to the reaper.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), LimitCall)
		defer cancel()
		if _, err := s.docker.ContainerRemove(ctx, created.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true}); err != nil {
			fmt.Fprintf(s.log, "container %s is left to the reaper: %v\n", short(created.ID), err)
		}
	}()
	found := map[string]bool{}
	for _, p := range paths {
		_, err := s.docker.ContainerStatPath(ctx, created.ID, client.ContainerStatPathOptions{Path: p})
		if err != nil && !errdefs.IsNotFound(err) {
			return fail(err)
		}
		found[p] = err == nil
	}
	return found, nil
}

// xinetdPlaces are where an image may have xinetd: Debian's place first, then
// the PATH of the image.
func xinetdPlaces(env []string) []string {
	places := []string{"/usr/sbin/xinetd"}
	for _, e := range env {
		list, ok := strings.CutPrefix(e, "PATH=")
		if !ok {
			continue
		}
		for dir := range strings.SplitSeq(list, ":") {
			if p := path.Join(dir, "xinetd"); path.IsAbs(p) && !slices.Contains(places, p) {
				places = append(places, p)
			}
		}
	}
	return places
}

// needXinetd refuses an image without xinetd.
func (s *Store) needXinetd(ctx context.Context, found client.ImageInspectResult, name string) error {
	// What we made ourselves was made with it.
	if found.Config != nil && found.Config.Labels[reaper.LabelOurs] == reaper.Ours && found.Config.Labels[LabelKind] == KindBase && ours(found.RepoTags) {
		return nil
	}
	var env []string
	if found.Config != nil {
		env = found.Config.Env
	}
	places := xinetdPlaces(env)
	held, err := s.holds(ctx, found.ID, places...)
	if err != nil {
		return err
	}
	for _, p := range places {
		if held[p] {
			return nil
		}
	}
	return usage(nil, "BASE=%s has no xinetd: install the package xinetd in that image, or use %s", name, knownBases())
}
