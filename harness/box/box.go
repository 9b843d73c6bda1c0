// Package box finds the container that this process runs in, where it is one of
// the very daemon that it talks to. Such a run must join the network of its
// targets to reach them, and everything that it started ends with its container.
package box

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// Box is the container.
type Box struct {
	ID string
	// Image is the ID of what it was started from, User and Groups are what it runs
	// as: what is started beside it can reach what it reaches.
	Image, User string
	Groups      []string
	// NetworkMode is how it is attached.
	NetworkMode string
	// HostNetwork says that it sees the host's own interfaces, and so every network
	// of the daemon.
	HostNetwork bool
	// Mounts are "-v" options that give another container the same files.
	Mounts []string
	// Reference is the name of the image, as the user gave it.
	Reference string
}

const mountInfo = "/proc/self/mountinfo"

// Find returns nil where this process is in no container of that daemon: on the
// host, or in a container of another one, which sees our targets as little as we do.
func Find(ctx context.Context, docker *client.Client) (*Box, error) {
	text, err := os.ReadFile(mountInfo)
	if err != nil {
		return nil, fmt.Errorf("see whether this is a container: %w", err)
	}
	id := idIn(string(text))
	if id == "" {
		return nil, nil
	}
	res, err := docker.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if errdefs.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("see whether this is a container: %w", err)
	}
	c := res.Container
	b := &Box{ID: c.ID, Image: c.Image}
	if c.Config != nil {
		b.User, b.Reference = c.Config.User, c.Config.Image
	}
	if c.HostConfig != nil {
		b.Groups = c.HostConfig.GroupAdd
		b.NetworkMode = string(c.HostConfig.NetworkMode)
		b.HostNetwork = c.HostConfig.NetworkMode.IsHost()
	}
	for _, m := range c.Mounts {
		if m.Source != "" {
			mount := m.Source + ":" + m.Destination
			if !m.RW {
				mount += ":ro"
			}
			b.Mounts = append(b.Mounts, mount)
		}
	}
	return b, nil
}

// ours matches what a daemon mounts into each of its containers: files of a
// directory that bears the container's ID.
var ours = regexp.MustCompile(`/([0-9a-f]{64})/(?:userdata/)?(?:hostname|hosts|resolv\.conf)$`)

// idIn finds the container's ID in the list of mounts, proc_pid_mountinfo(5). The
// host's name would not do: it can be set, and is the host's on the host's network.
func idIn(mounts string) string {
	for line := range strings.Lines(mounts) {
		fields := strings.Fields(line)
		if len(fields) < 5 || filepath.Dir(fields[4]) != "/etc" {
			continue
		}
		if m := ours.FindStringSubmatch(fields[3]); m != nil {
			return m[1]
		}
	}
	return ""
}

// Command are the words that start the same image again in the same way.
func (b *Box) Command() []string {
	words := []string{"docker", "run", "--rm"}
	if b.HostNetwork {
		words = append(words, "--network=host")
	}
	if b.User != "" {
		words = append(words, "--user="+b.User)
	}
	for _, g := range b.Groups {
		words = append(words, "--group-add="+g)
	}
	for _, m := range b.Mounts {
		words = append(words, "-v", m)
	}
	return append(words, b.Reference)
}
