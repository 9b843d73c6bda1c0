package image

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/moby/moby/client"

	"qmconformance/docker"
	"qmconformance/harness/settings"
)

func knownBases() string {
	return strings.Join(settings.Releases, ", ") + ", or any image with xinetd in it"
}

// Base returns the image underneath everything else. A Debian release by its
// name is made on first use: from a registry where one answers within
// [LimitRegistry], else from Debian packages. Any other name is an image of this
// daemon, or one that a registry has; it must hold xinetd.
func (s *Store) Base(ctx context.Context, name string) (Image, error) {
	if slices.Contains(settings.Releases, name) {
		return s.debian(ctx, name)
	}
	if _, err := reference.ParseAnyReference(name); err != nil {
		return Image{}, usage(nil, "BASE=%q is not the name of an image: use %s", name, knownBases())
	}
	found, err := s.inspect(ctx, name)
	cached := err == nil
	if errdefs.IsNotFound(err) {
		if perr := s.pull(ctx, name); perr != nil {
			if errors.Is(perr, context.Canceled) {
				return Image{}, perr
			}
			return Image{}, usage(perr, "BASE=%s is no image of this machine, and no registry gave it: use %s", name, knownBases())
		}
		found, err = s.inspect(ctx, name)
	}
	if err != nil {
		return Image{}, classify(err, "inspect "+name, LimitCall)
	}
	if err := s.needXinetd(ctx, found, name); err != nil {
		return Image{}, err
	}
	return Image{ID: found.ID, Ref: name, Kind: KindForeign, Cached: cached}, nil
}

func (s *Store) inspect(ctx context.Context, name string) (client.ImageInspectResult, error) {
	ctx, cancel := context.WithTimeout(ctx, LimitCall)
	defer cancel()
	return s.docker.ImageInspect(ctx, name)
}

// baseRef is the tag of a release's base and the full hash of its recipe. Both
// ways of making it are one recipe: they give the same set of packages.
func baseRef(release string) (ref, hash string) {
	hash = hashOf(KindBase, release, string(docker.File(docker.RegistryBase)), string(docker.File(docker.Bootstrap)))
	return refOf(KindBase, release, hash, 8), hash
}

func (s *Store) debian(ctx context.Context, release string) (Image, error) {
	ref, hash := baseRef(release)
	if found, ok, err := s.lookup(ctx, KindBase, ref, hash); ok || err != nil {
		return found, err
	}
	unlock, err := lock(ctx, ref, LimitLock)
	if err != nil {
		return Image{}, err
	}
	defer unlock()
	if found, ok, err := s.lookup(ctx, KindBase, ref, hash); ok || err != nil {
		return found, err
	}
	rerr := s.fromRegistry(ctx, release, ref, hash)
	if rerr != nil {
		if ctx.Err() != nil {
			return Image{}, ctx.Err()
		}
		fmt.Fprintf(s.log, "no base from a registry: %s\n", oneLine(release, rerr))
		s.tell("no registry answers: making the base %s from Debian packages, which takes half a minute", release)
		if err := s.fromPackages(ctx, release, ref, hash); err != nil {
			return Image{}, err
		}
	}
	found, ok, err := s.lookup(ctx, KindBase, ref, hash)
	if err != nil {
		return Image{}, err
	}
	if !ok {
		return Image{}, &EnvironmentError{Problem: "Docker made " + ref + " and does not have it: something else removes images here"}
	}
	found.Cached = false
	s.supersede(ctx, KindBase)
	return found, nil
}

// fromRegistry builds the base on the release's slim image, pulled if it is not here.
func (s *Store) fromRegistry(ctx context.Context, release, ref, hash string) error {
	name := "debian:" + release + "-slim"
	if _, err := s.inspect(ctx, name); err != nil {
		if !errdefs.IsNotFound(err) {
			return err
		}
		if err := s.pull(ctx, name); err != nil {
			return err
		}
	}
	return s.build(ctx, recipe{
		kind: KindBase, ref: ref, hash: hash, base: name,
		dockerfile: docker.File(docker.RegistryBase),
		labels:     map[string]string{LabelSource: "registry"},
	})
}

// pull fetches an image. A registry that is out of reach is noticed within
// [LimitRegistry]: the daemon sends its first byte when it has the manifest.
func (s *Store) pull(outer context.Context, name string) error {
	ctx, cancel := context.WithTimeout(outer, LimitPull)
	defer cancel()
	answered := time.AfterFunc(LimitRegistry, cancel)
	stream, err := s.docker.ImagePull(ctx, name, client.ImagePullOptions{})
	if err == nil {
		defer stream.Close()
	}
	if late := !answered.Stop(); late && outer.Err() == nil {
		return fmt.Errorf("no registry answered within %s", LimitRegistry)
	}
	if err != nil {
		return err
	}
	s.tell("pulling %s", name)
	_, err = s.messages(stream)
	return err
}
