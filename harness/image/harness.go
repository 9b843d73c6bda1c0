package image

import (
	"archive/tar"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"qmconformance/docker"
)

// Where the harness's programs are in a target.
const (
	AgentPath   = "/.conformance/agent"
	StandinPath = "/.conformance/standin" // a tree
	ProbePath   = "/.conformance/probe"
)

// File is one file to put under /.conformance.
type File struct {
	Content []byte
	Mode    fs.FileMode // permission bits only
}

// Harness returns base with the files added. Names are slash-separated and
// relative to /.conformance: "agent", "standin/bin/qm", "probe".
func (s *Store) Harness(ctx context.Context, base Image, files map[string]File) (Image, error) {
	names := slices.Sorted(maps.Keys(files))
	dockerfile := docker.File(docker.Target)
	parts := []string{KindTarget, base.ID, string(dockerfile)}
	for _, name := range names {
		if !fs.ValidPath(name) || name == "." {
			return Image{}, fmt.Errorf("harness file %q: not a relative path", name)
		}
		f := files[name]
		parts = append(parts, name, strconv.FormatUint(uint64(f.Mode.Perm()), 8), string(f.Content))
	}
	hash := hashOf(parts...)
	return s.cached(ctx, recipe{
		kind: KindTarget, ref: refOf(KindTarget, "", hash, 12), hash: hash, base: base.ID,
		dockerfile: dockerfile,
		context:    func(tw *tar.Writer) error { return harnessContext(tw, names, files) },
	})
}

func harnessContext(tw *tar.Writer, names []string, files map[string]File) error {
	const root = "conformance"
	dirs := map[string]bool{root: true}
	if err := addDir(tw, root); err != nil {
		return err
	}
	for _, name := range names {
		// Every directory gets an entry: one that is only implied has a mode of
		// the daemon's choice.
		dir := root
		for part := range strings.SplitSeq(path.Dir(name), "/") {
			if part == "." {
				continue
			}
			dir = path.Join(dir, part)
			if dirs[dir] {
				continue
			}
			dirs[dir] = true
			if err := addDir(tw, dir); err != nil {
				return err
			}
		}
		f := files[name]
		if err := addFile(tw, path.Join(root, name), int64(f.Mode.Perm()), f.Content); err != nil {
			return err
		}
	}
	return nil
}
