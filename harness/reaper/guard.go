package reaper

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"qmconformance/harness/box"
)

// A guard is a third process for a run in a container: what kills the container
// kills every process in it, the reaper with the run. The guard is the same image
// in a container beside it; it waits for the run's container to end.

// labelGuard holds the session that a guard's container guards. It is no label of
// the session's own: a guard must not remove itself before its work is done.
const labelGuard = "qmconformance.dev.guard"

// startGuard starts it, and returns its container's ID when it is on duty.
func startGuard(session Session, docker *client.Client, lim limits) (id string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), lim.Guard)
	defer cancel()
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	duty, err := json.Marshal(childDuty{Session: session.ID, Limits: lim, Box: session.Box.ID})
	if err != nil {
		return "", err
	}
	created, err := docker.ContainerCreate(ctx, client.ContainerCreateOptions{
		Config: &container.Config{
			Image: session.Box.Image, Entrypoint: []string{self}, Cmd: []string{}, User: session.Box.User,
			Env: append(daemonEnvironment(), dutyVariable+"="+string(duty)),
			// Its output is one byte, and no log driver's business.
			Tty: true, AttachStdout: true,
			Labels:      map[string]string{LabelOurs: Ours, labelGuard: session.ID},
			Healthcheck: &container.HealthConfig{Test: []string{"NONE"}},
		},
		HostConfig: &container.HostConfig{
			AutoRemove: true, NetworkMode: guardNetwork(session.Box), GroupAdd: session.Box.Groups,
			// The daemon's socket, and the program where it is not in the image.
			VolumesFrom: []string{session.Box.ID},
		},
	})
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			removeGuard(docker, created.ID, lim)
		}
	}()
	said, err := docker.ContainerAttach(ctx, created.ID, client.ContainerAttachOptions{Stream: true, Stdout: true})
	if err != nil {
		return "", err
	}
	defer said.Close()
	if _, err := docker.ContainerStart(ctx, created.ID, client.ContainerStartOptions{}); err != nil {
		return "", err
	}
	deadline, _ := ctx.Deadline()
	_ = said.Conn.SetReadDeadline(deadline)
	if b, err := said.Reader.ReadByte(); err != nil || b != onDuty {
		return "", fmt.Errorf("it did not report for duty: %w", err)
	}
	return created.ID, nil
}

// guardNetwork is none where the daemon is behind a socket among the mounts.
func guardNetwork(b *box.Box) container.NetworkMode {
	if host := os.Getenv(client.EnvOverrideHost); host != "" && !isLocal(host) {
		return container.NetworkMode(b.NetworkMode)
	}
	return "none"
}

func daemonEnvironment() []string {
	var env []string
	for _, name := range []string{client.EnvOverrideHost, client.EnvTLSVerify, client.EnvOverrideCertPath, client.EnvOverrideAPIVersion} {
		if v, set := os.LookupEnv(name); set {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// removeGuard dismisses it.
func removeGuard(docker *client.Client, id string, lim limits) {
	ctx, cancel := context.WithTimeout(context.Background(), lim.Call)
	defer cancel()
	// One that cannot be removed ends by itself with the run's container.
	_, _ = docker.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
}

// onDuty is what a guard says when it can see what it guards.
const onDuty = 'r'

func runGuardFromEnv(duty childDuty) int {
	docker, err := client.New(client.FromEnv)
	if err != nil {
		return 2
	}
	defer docker.Close()
	return runGuard(duty, docker, os.Stdout)
}

// runGuard is the guard's own life.
func runGuard(duty childDuty, docker *client.Client, ready *os.File) int {
	ctx := context.Background()
	if boxLife(ctx, docker, duty.Box, duty.Limits.Call) != alive {
		return 2
	}
	if _, err := ready.Write([]byte{onDuty}); err != nil {
		return 2
	}
	if !awaitEnd(ctx, docker, duty) {
		return 2
	}
	if reap(ctx, remover{docker, duty.Limits}, duty.Session) {
		return 0
	}
	return 1
}

// awaitEnd waits for the end of the run's container, as long as that takes. It
// returns false when the daemon has not been there for the limit: a daemon that
// is restarted must not look like a run that has ended.
func awaitEnd(ctx context.Context, docker *client.Client, duty childDuty) bool {
	answered := time.Now()
	for {
		ended := docker.ContainerWait(ctx, duty.Box, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
		select {
		case <-ended.Result:
		case <-ended.Error:
		}
		switch boxLife(ctx, docker, duty.Box, duty.Limits.Call) {
		case gone:
			return true
		case alive:
			answered = time.Now()
		case unknown:
			if time.Since(answered) >= duty.Limits.Unreachable {
				return false
			}
		}
		time.Sleep(duty.Limits.Poll)
	}
}

// boxLife says whether a run's container still runs. The daemon that has the
// run's objects has its container too, so its word is exact from everywhere.
func boxLife(ctx context.Context, docker *client.Client, id string, limit time.Duration) life {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	res, err := docker.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	switch {
	case errdefs.IsNotFound(err):
		return gone
	case err != nil || res.Container.State == nil:
		return unknown
	case res.Container.State.Running:
		return alive
	}
	return gone
}
