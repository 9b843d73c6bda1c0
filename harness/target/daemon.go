package target

import (
	"context"
	"fmt"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"qmconformance/harness/usage"
)

// sameDaemon refuses settings by which Testcontainers goes elsewhere than the rest of
// the harness: tc.host in ~/.testcontainers.properties comes before DOCKER_HOST there,
// and what is made with another daemon our reaper does not remove; a prefix for the names
// of images is put before the numbers of ours.
func sameDaemon(ctx context.Context, docker *client.Client) error {
	if prefix := testcontainers.ReadConfig().Config.HubImageNamePrefix; prefix != "" {
		return usage.Errorf("Testcontainers is set to look for images at %q (hub.image.name.prefix, or TESTCONTAINERS_HUB_IMAGE_NAME_PREFIX), and those of a run are made here; leave it out", prefix)
	}
	theirs, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return fmt.Errorf("ask Testcontainers for its Docker daemon: %w", err)
	}
	its, err := theirs.Info(ctx, client.InfoOptions{})
	if err != nil {
		return fmt.Errorf("ask Testcontainers for its Docker daemon: %w", err)
	}
	ours, err := docker.Info(ctx, client.InfoOptions{})
	if err != nil {
		return fmt.Errorf("ask the Docker daemon what it is: %w", err)
	}
	if its.Info.ID != ours.Info.ID {
		return usage.Errorf("Testcontainers uses another Docker daemon (%s) than DOCKER_HOST names (%s); set both to the same one, or leave out tc.host in ~/.testcontainers.properties", its.Info.Name, ours.Info.Name)
	}
	return nil
}
