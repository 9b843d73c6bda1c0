package target

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"qmconformance/harness/agent"
	"qmconformance/harness/reaper"
)

// AgentPath is where our images hold the agent.
const AgentPath = "/.conformance/agent"

// capabilities are what a container of ours runs with: those that installing,
// starting and serving need, and SYS_PTRACE, without which root may not look at
// the descriptors of a process of another user. Nothing else of Docker's usual set.
var capabilities = []string{
	"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE",
	"SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT", "SYS_PTRACE",
}

// Container is a booted container with an agent that answers.
type Container struct {
	*agent.Client
	ID     string
	V4, V6 netip.Addr
	// Booted is how long it took from the request to the agent's first answer.
	Booted time.Duration
	tc     testcontainers.Container
	docker *client.Client
}

// containerOptions vary what a container may do.
type containerOptions struct {
	image string
	// clientHost adds NET_ADMIN, so that it can take addresses of its own; a target
	// has NET_RAW in its place.
	clientHost bool
	// systemd gives the container what systemd wants to find when it becomes PID 1.
	systemd bool
}

// boot starts a container of ours and waits for its agent.
func (f *Fleet) boot(ctx context.Context, opts containerOptions) (*Container, error) {
	began := time.Now()
	end, err := f.starts.begin()
	if err != nil {
		return nil, err
	}
	defer end()
	run := ctx
	ctx, hurry := reaper.Lingering(run, reaper.Grace)
	defer hurry()
	ctx, cancel := context.WithTimeout(ctx, CreateLimit)
	defer cancel()
	var groups controlGroups
	if opts.systemd {
		if groups, err = f.controlGroups(ctx); err != nil {
			return nil, err
		}
	}
	token := newToken()
	// NET_RAW is for the agent alone, which records packets and then gives it up:
	// the subject never has it.
	caps := append([]string{"NET_RAW"}, capabilities...)
	if opts.clientHost {
		caps = append([]string{"NET_ADMIN"}, capabilities...)
	}
	tc, err := testcontainers.GenericContainer(ctx, testcontainers.GenericContainerRequest{
		Started: true,
		ContainerRequest: testcontainers.ContainerRequest{
			Name:       reaper.ContainerName(f.session.ID, int(f.booted.Add(1))),
			Image:      opts.image,
			Entrypoint: []string{AgentPath, "init"},
			Cmd:        []string{},
			Env:        map[string]string{agent.TokenEnv: token},
			Labels:     f.session.Labels(),
			Networks:   []string{f.network.Name},
			ConfigModifier: func(c *container.Config) {
				c.User = "0:0"
				c.WorkingDir = "/"
				c.Healthcheck = &container.HealthConfig{Test: []string{"NONE"}}
			},
			HostConfigModifier: func(h *container.HostConfig) {
				h.AutoRemove = true
				h.CapDrop = []string{"ALL"}
				h.CapAdd = caps
				h.Memory = f.Room.Memory
				h.MemorySwap = f.Room.Memory
				pids := f.Room.PIDs
				h.PidsLimit = &pids
				h.Ulimits = []*container.Ulimit{{Name: "nofile", Soft: 1024, Hard: filesLimit}, {Name: "core", Soft: 0, Hard: 0}}
				h.Sysctls = map[string]string{"net.ipv6.conf.all.disable_ipv6": "0"}
				if opts.systemd {
					groups.prepare(h)
				}
			},
		},
	})
	if err != nil {
		if tc != nil && tc.GetContainerID() != "" {
			_ = (&Container{ID: tc.GetContainerID(), docker: f.Docker}).Remove()
		}
		return nil, fmt.Errorf("start a container: %w", err)
	}
	c := &Container{ID: tc.GetContainerID(), docker: f.Docker, tc: tc}
	if err := c.locate(ctx, f.network.Name); err != nil {
		c.Remove()
		return nil, err
	}
	agentCtx, cancelAgent := context.WithTimeout(ctx, agentLimit)
	defer cancelAgent()
	if c.Client, err = agent.Connect(agentCtx, c.V4, token); err != nil {
		c.Remove()
		return nil, err
	}
	if run.Err() != nil {
		c.Remove()
		return nil, context.Cause(run)
	}
	c.Booted = time.Since(began)
	return c, nil
}

// locate learns the container's own addresses; it is never reached through a
// published port, whose proxy accepts for a server that isn't there.
func (c *Container) locate(ctx context.Context, networkName string) error {
	info, err := c.tc.Inspect(ctx)
	if err != nil {
		return fmt.Errorf("inspect the container: %w", err)
	}
	n, ok := info.NetworkSettings.Networks[networkName]
	if !ok || !n.IPAddress.IsValid() {
		return errNoAddress
	}
	c.V4, c.V6 = n.IPAddress, n.GlobalIPv6Address
	return nil
}

// removeLimit bounds a removal; what is left then is the reaper's.
const removeLimit = 20 * time.Second

// Remove ends the container at once. Testcontainers' own way bounds the stop and not the
// removal.
func (c *Container) Remove() error {
	if c.Client != nil {
		c.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), removeLimit)
	defer cancel()
	_, err := c.docker.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	if errdefs.IsNotFound(err) || errdefs.IsConflict(err) {
		return nil // it removes itself when it ends
	}
	return err
}
