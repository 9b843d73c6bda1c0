package agent

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"qmconformance/harness/process"
	"qmconformance/harness/yardstick"
)

// helpers are programs beside the super-server: the yardsticks of a benchmark,
// and the ends of sessions that it waits for.
type helpers struct {
	mu      sync.Mutex
	running map[int]*daemon
	ends    map[int]chan int64
}

// HelperRequest starts a program that is to listen on ports.
type HelperRequest struct {
	Argv  []string
	Ports []uint16
	// Ready is how long it may take until it listens on all of them.
	Ready time.Duration
}

// StartHelper starts a program and waits until all its ports are listened on. A
// port that is taken already is an error: its owner would be measured instead.
func (a *Agent) StartHelper(req HelperRequest, res *Daemon) error {
	if len(req.Argv) == 0 {
		return errors.New("no command given")
	}
	before, err := process.Read("/proc")
	if err != nil {
		return err
	}
	for _, port := range req.Ports {
		if len(before.Listeners(port)) > 0 {
			return fmt.Errorf("port %d is taken", port)
		}
	}
	d, err := startDaemon(req.Argv)
	if err != nil {
		return err
	}
	a.helpers.mu.Lock()
	if a.helpers.running == nil {
		a.helpers.running = map[int]*daemon{}
	}
	a.helpers.running[d.status().PID] = d
	a.helpers.mu.Unlock()
	for began := time.Now(); ; {
		*res = d.status()
		now, err := process.Read("/proc")
		if err != nil {
			return err
		}
		ready := !slices.ContainsFunc(req.Ports, func(port uint16) bool { return len(now.Listeners(port)) == 0 })
		switch {
		case !res.Running:
			return fmt.Errorf("%s ended: %s: %s", req.Argv[0], res.Exit, res.Output)
		case ready:
			return nil
		case time.Since(began) > req.Ready:
			_ = syscall.Kill(-res.PID, syscall.SIGKILL)
			return fmt.Errorf("%s does not listen on %v within %v: %s", req.Argv[0], req.Ports, req.Ready, res.Output)
		}
		time.Sleep(readyPoll)
	}
}

// HelperState is how a helper fares, with what it wrote.
func (a *Agent) HelperState(pid int, res *Daemon) error {
	d, err := a.helper(pid)
	if err == nil {
		*res = d.status()
	}
	return err
}

func (a *Agent) helper(pid int) (*daemon, error) {
	a.helpers.mu.Lock()
	defer a.helpers.mu.Unlock()
	d, ok := a.helpers.running[pid]
	if !ok {
		return nil, fmt.Errorf("process %d is no helper", pid)
	}
	return d, nil
}

// StopHelper ends a helper by SIGTERM, and by SIGKILL after the grace.
func (a *Agent) StopHelper(pid int, res *Daemon) error {
	d, err := a.helper(pid)
	if err != nil {
		return err
	}
	if d.status().Running {
		_ = syscall.Kill(pid, syscall.SIGTERM)
		select {
		case <-d.done:
		case <-time.After(stopGrace):
			_ = syscall.Kill(pid, syscall.SIGKILL)
			<-d.done
		}
	}
	*res = d.status()
	return nil
}

// endLimit is how long the end of a session is waited for: a real one is gone a
// millisecond after the connection, and one that hangs up after a second.
const endLimit = 10 * time.Second

// Ends are the two ends of a connection.
type Ends struct{ Client, Server netip.AddrPort }

// WatchEnd finds the process that serves a connection and begins to wait for its end.
// The answer is its number: from then on the end is not missed.
func (a *Agent) WatchEnd(of Ends, pid *int) error {
	snap, err := process.Read("/proc")
	if err != nil {
		return err
	}
	server, found := snap.ServerOn(of.Client, of.Server)
	if !found {
		return fmt.Errorf("no process serves %v", of.Client)
	}
	fd, err := unix.PidfdOpen(server.PID, 0)
	if err != nil {
		return fmt.Errorf("process %d: %w", server.PID, err)
	}
	end := make(chan int64, 1)
	a.helpers.mu.Lock()
	if a.helpers.ends == nil {
		a.helpers.ends = map[int]chan int64{}
	}
	a.helpers.ends[server.PID] = end
	a.helpers.mu.Unlock()
	go func() {
		defer unix.Close(fd)
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		deadline := time.Now().Add(endLimit)
		for {
			n, err := unix.Poll(fds, int(time.Until(deadline).Milliseconds())+1)
			if err == unix.EINTR && time.Now().Before(deadline) {
				continue
			}
			if n == 1 {
				end <- yardstick.Now()
			}
			close(end)
			return
		}
	}()
	*pid = server.PID
	return nil
}

// Ended is when a watched process ended, by the kernel's monotonic clock.
func (a *Agent) Ended(pid int, at *int64) error {
	a.helpers.mu.Lock()
	end, ok := a.helpers.ends[pid]
	delete(a.helpers.ends, pid)
	a.helpers.mu.Unlock()
	if !ok {
		return fmt.Errorf("the end of process %d is not watched", pid)
	}
	when, ended := <-end
	if !ended {
		return fmt.Errorf("process %d has not ended within %v", pid, endLimit)
	}
	*at = when
	return nil
}
