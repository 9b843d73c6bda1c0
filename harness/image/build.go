package image

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/build"
	"github.com/moby/moby/client"
)

// recipe is one cached image that a Dockerfile makes.
type recipe struct {
	kind, ref, hash string
	base            string // what FROM names
	dockerfile      []byte
	labels          map[string]string // beside those of every cached image
	// context writes the rest of the build context; nil if there is none. It is
	// called at most once, and an error of it fails the build.
	context func(*tar.Writer) error
}

// cached returns the image of the recipe, building it if it is not there.
func (s *Store) cached(ctx context.Context, r recipe) (Image, error) {
	if found, ok, err := s.lookup(ctx, r.kind, r.ref, r.hash); ok || err != nil {
		return found, err
	}
	unlock, err := lock(ctx, r.ref, LimitLock)
	if err != nil {
		return Image{}, err
	}
	defer unlock()
	// Whoever held the lock has probably built it.
	if found, ok, err := s.lookup(ctx, r.kind, r.ref, r.hash); ok || err != nil {
		return found, err
	}
	s.tell("building the image %s", r.ref)
	if err := s.build(ctx, r); err != nil {
		return Image{}, classify(err, "build "+r.ref, LimitBuild)
	}
	found, ok, err := s.lookup(ctx, r.kind, r.ref, r.hash)
	if err != nil {
		return Image{}, err
	}
	if !ok {
		return Image{}, &EnvironmentError{Problem: "Docker built " + r.ref + " and does not have it: something else removes images here"}
	}
	found.Cached = false
	s.supersede(ctx, r.kind)
	return found, nil
}

// build streams the context into the classic builder, which every engine from
// 20.10 on has, with or without BuildKit.
func (s *Store) build(ctx context.Context, r recipe) error {
	ctx, cancel := context.WithTimeout(ctx, LimitBuild)
	defer cancel()
	in, out := io.Pipe()
	wrote := make(chan error, 1)
	go func() {
		tw := tar.NewWriter(out)
		err := addFile(tw, "Dockerfile", 0o644, append(slices.Clone(r.dockerfile), r.labelLine()...))
		if err == nil && r.context != nil {
			err = r.context(tw)
		}
		if err == nil {
			err = tw.Close()
		}
		// Without an error the daemon would take half a context for a whole one.
		out.CloseWithError(err)
		wrote <- err
	}()
	res, err := s.docker.ImageBuild(ctx, in, client.ImageBuildOptions{
		Version: build.BuilderV1, Tags: []string{r.ref},
		BuildArgs: map[string]*string{"BASE": &r.base},
		Remove:    true, ForceRemove: true, // no intermediate container stays, whatever happens
	})
	if err == nil {
		_, err = s.messages(res.Body)
		res.Body.Close()
	}
	in.CloseWithError(errors.New("the build has ended"))
	// The writer's own error is the cause of what the daemon then complains of.
	var u *UsageError
	if werr := <-wrote; werr != nil && (err == nil || errors.As(werr, &u)) {
		return werr
	}
	return err
}

// labelLine sets all labels in one instruction. The API's own parameter for
// labels makes one of each, and each costs a commit.
func (r recipe) labelLine() string {
	labels := labelsOf(r.kind, r.hash)
	maps.Copy(labels, r.labels)
	line := "\nLABEL"
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		line += fmt.Sprintf(" %q=%q", name, labels[name])
	}
	return line + "\n"
}

// progress is one line of the JSON streams that builds, pulls and imports answer with.
type progress struct {
	Stream string `json:"stream"`
	Status string `json:"status"`
	ID     string `json:"id"`
	Error  string `json:"error"`
	Aux    struct {
		ID string `json:"ID"`
	} `json:"aux"`
}

// messages reads such a stream to its end, copies what it says to the log and
// returns the last status. The HTTP status of these requests is 200 even when
// they fail; the error is a line of the stream.
func (s *Store) messages(body io.Reader) (last string, err error) {
	decoder := json.NewDecoder(body)
	for {
		var p progress
		switch err := decoder.Decode(&p); {
		case errors.Is(err, io.EOF):
			return last, nil
		case err != nil:
			return last, fmt.Errorf("read the daemon's answer: %w", err)
		}
		if p.Error != "" {
			return last, errors.New(p.Error)
		}
		if p.Stream != "" {
			fmt.Fprint(s.log, p.Stream)
		}
		if p.Status != "" {
			// A layer's progress comes many times a second; its ID marks it.
			if p.ID == "" {
				fmt.Fprintln(s.log, strings.TrimSpace(p.Status))
			}
			last = p.Status
		}
	}
}

// epoch is the time stamp of what we write into a context ourselves, so that
// the same content gives the same layer.
var epoch = time.Unix(0, 0)

func addFile(tw *tar.Writer, name string, mode int64, content []byte) error {
	err := tw.WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(content)),
		Uname: "root", Gname: "root", ModTime: epoch,
	})
	if err != nil {
		return err
	}
	_, err = io.Copy(tw, bytes.NewReader(content))
	return err
}

func addDir(tw *tar.Writer, name string) error {
	return tw.WriteHeader(&tar.Header{
		Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o755, Uname: "root", Gname: "root", ModTime: epoch,
	})
}
