// Package image turns names into image IDs: a base, the harness's programs on
// it, an installed qm tree, and snapshots of a prepared container. Everything
// but snapshots is cached by a hash of what went into it, in tags and labels of
// the Docker daemon itself, so that there is no second book to go out of step.
package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/moby/client"

	"qmconformance/harness/reaper"
)

// Labels of cached images, beside [reaper.LabelOurs].
const (
	LabelKind   = "qmconformance.dev.kind"
	LabelHash   = "qmconformance.dev.hash"   // full hash of what went in
	LabelSource = "qmconformance.dev.source" // of a base: "registry" or "packages"
)

// Kinds of images. Cached ones are tagged "qmconformance/<kind>:...".
const (
	KindBase     = "base"
	KindTarget   = "target"
	KindTree     = "tree"
	KindSystemd  = "systemd"
	KindSnapshot = "snapshot" // never tagged, dies with its session
	KindForeign  = "foreign"  // not made by us
)

// Image is an image that is present in the daemon.
type Image struct {
	ID     string // "sha256:..."
	Ref    string // the tag, or the name as it was given; empty for a snapshot
	Kind   string
	Cached bool // nothing had to be built or pulled
}

// Store makes images in one daemon on behalf of one session.
type Store struct {
	docker  *client.Client
	session reaper.Session
	log     io.Writer
	say     func(string)
}

// NewStore returns a store. What builds say goes to log, and one line on each
// thing that takes a while to say; nil discards either.
func NewStore(docker *client.Client, session reaper.Session, log io.Writer, say func(string)) *Store {
	if log == nil {
		log = io.Discard
	}
	if say == nil {
		say = func(string) {}
	}
	return &Store{docker: docker, session: session, log: log, say: say}
}

// tell says what is about to take a while, and notes it in the log.
func (s *Store) tell(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	fmt.Fprintln(s.log, line)
	s.say(line)
}

// Connect returns a client of the Docker daemon that the environment names, or
// of the first local one that answers. The error is an [EnvironmentError] that
// came within [LimitAnswer] for each socket.
func Connect(ctx context.Context) (*client.Client, error) {
	hosts := []string{os.Getenv(client.EnvOverrideHost)}
	if hosts[0] == "" {
		// Behind the usual one: where rootless Docker and Docker Desktop put theirs.
		for _, socket := range []string{
			filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "docker.sock"),
			filepath.Join(os.Getenv("HOME"), ".docker/run/docker.sock"),
		} {
			if info, err := os.Stat(socket); err == nil && info.Mode()&os.ModeSocket != 0 {
				hosts = append(hosts, "unix://"+socket)
			}
		}
	}
	var first error
	for _, host := range hosts {
		docker, err := connect(ctx, host)
		if err == nil {
			return docker, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

func connect(ctx context.Context, host string) (*client.Client, error) {
	options := []client.Opt{client.FromEnv}
	if host != "" {
		options = append(options, client.WithHost(host))
	}
	docker, err := client.New(options...)
	if err != nil {
		return nil, usage(err, "DOCKER_HOST=%s cannot be used", host)
	}
	limited, cancel := context.WithTimeout(ctx, LimitAnswer)
	defer cancel()
	if _, err := docker.Ping(limited, client.PingOptions{NegotiateAPIVersion: true}); err != nil {
		docker.Close()
		return nil, classify(err, "answer", LimitAnswer)
	}
	return docker, nil
}

// hashOf is the cache key of an image: every part with its length, so that no
// two lists of parts look alike.
func hashOf(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s\n", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// refOf is the tag of a cached image. prefix may be empty.
func refOf(kind, prefix, hash string, digits int) string {
	if prefix != "" {
		prefix += "-"
	}
	return repositories + kind + ":" + prefix + hash[:digits]
}

// repositories is what the names of our images begin with.
const repositories = "qmconformance/"

// untagged is how older daemons list an image without a name.
const untagged = "<none>:<none>"

// ours says that an image that carries our label was made by us: one that somebody
// built on ours inherits the label, and has a name of their choice.
func ours(tags []string) bool {
	return !slices.ContainsFunc(tags, func(tag string) bool {
		return tag != untagged && !strings.HasPrefix(tag, repositories)
	})
}

func labelsOf(kind, hash string) map[string]string {
	return map[string]string{reaper.LabelOurs: reaper.Ours, LabelKind: kind, LabelHash: hash}
}

func short(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	return id[:min(12, len(id))]
}
