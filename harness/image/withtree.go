package image

import (
	"archive/tar"
	"context"
	"io"
	"os"
	"time"

	"qmconformance/docker"
)

const (
	treePrefix = "usr/qmsys"
	configPath = "etc/scarlet.conf"
)

// defaultConfig is the configuration where the image has none. The names and
// meanings of the parameters are those of gplsrc/config.c; without NUMUSERS
// there, ScarletDME allows one user only.
const defaultConfig = `# Supplied by the conformance harness: the image had no such file.
[qm]
QMSYS=/usr/qmsys
GRPSIZE=2
NUMUSERS=10
SORTMEM=4096
`

// WithTree returns on with the installed tree treeDir copied to /usr/qmsys, as
// owner root:root, and with a default /etc/scarlet.conf if on has none. An image
// that holds /usr/qmsys already is refused: two trees in one would be judged as neither.
func (s *Store) WithTree(ctx context.Context, on Image, treeDir string) (Image, error) {
	if err := CheckTree(treeDir); err != nil {
		return Image{}, err
	}
	t, err := readTree(treeDir)
	if err != nil {
		return Image{}, err
	}
	return s.withTree(ctx, on, t)
}

// WithThinnedTree is WithTree for a target in which qm itself is replaced: with most
// of the tree's records left out, see [tree.thinned]. Without a difference worth an
// image of its own it is what WithTree returns.
func (s *Store) WithThinnedTree(ctx context.Context, on Image, treeDir string) (Image, error) {
	if err := CheckTree(treeDir); err != nil {
		return Image{}, err
	}
	t, err := readTree(treeDir)
	if err != nil {
		return Image{}, err
	}
	return s.withTree(ctx, on, t.thinned())
}

func (s *Store) withTree(ctx context.Context, on Image, t *tree) (Image, error) {
	digest, err := t.digest()
	if err != nil {
		return Image{}, err
	}
	dockerfile := docker.File(docker.Tree)
	hash := hashOf(KindTree, on.ID, string(dockerfile), defaultConfig, digest)
	r := recipe{kind: KindTree, ref: refOf(KindTree, "", hash, 12), hash: hash, base: on.ID, dockerfile: dockerfile}
	r.context = func(tw *tar.Writer) error {
		held, err := s.holds(ctx, on.ID, "/"+treePrefix, "/"+configPath)
		if err != nil {
			return err
		}
		if held["/"+treePrefix] {
			return usage(nil, "the image %s holds /%s already: use QMSYS=image to judge that, or a BASE without it", on.Ref, treePrefix)
		}
		return t.nested(tw, digest, !held["/"+configPath])
	}
	return s.cached(ctx, r)
}

// nested writes tree.tar into the build context. The size of an archive's
// member comes before its content, so it goes through a scratch file rather
// than through memory: a tree may hold data of any size.
func (t *tree) nested(tw *tar.Writer, digest string, withConfig bool) error {
	scratch, err := os.CreateTemp("", "qmconformance-tree-*.tar")
	if err != nil {
		return &EnvironmentError{Problem: "no room for a temporary file: free some, or set TMPDIR", Cause: err}
	}
	// Without a name at once: nothing is left behind, however this process ends.
	defer scratch.Close()
	if err := os.Remove(scratch.Name()); err != nil {
		return err
	}
	inner := tar.NewWriter(scratch)
	wrote, err := t.write(inner, treePrefix)
	if err != nil {
		return err
	}
	if wrote != digest {
		return t.changed("contents")
	}
	if withConfig {
		if err := addFile(inner, configPath, 0o644, []byte(defaultConfig)); err != nil {
			return err
		}
	}
	if err := inner.Close(); err != nil {
		return &EnvironmentError{Problem: "no room for a temporary file: free some, or set TMPDIR", Cause: err}
	}
	size, err := scratch.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if _, err := scratch.Seek(0, io.SeekStart); err != nil {
		return err
	}
	err = tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "tree.tar", Mode: 0o600, Size: size, ModTime: time.Unix(0, 0)})
	if err != nil {
		return err
	}
	_, err = io.Copy(tw, scratch)
	return err
}
