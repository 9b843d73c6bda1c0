package agent

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Systemd becomes PID 1 by being executed in our init's place: a container cannot be
// given it from the start, since the subject is installed before the system boots.
// The agent goes on as its child, outside every unit.

// bootSignal has our init turn into systemd.
const bootSignal = syscall.SIGUSR1

// systemd is the program of Debian's package systemd-sysv.
const systemd = "/sbin/init"

// becomeSystemd returns only where it could not be done.
func becomeSystemd(serving int) error {
	if _, err := os.Stat(systemd); err != nil {
		return err
	}
	watchdog := exec.Command("/proc/self/exe", WatchdogVerb, strconv.Itoa(serving))
	watchdog.Stdout, watchdog.Stderr = os.Stdout, os.Stderr
	if err := watchdog.Start(); err != nil {
		return err
	}
	// Nothing of our own environment: what PID 1 has every service gets, and the
	// agent's token is in it. The variable is how systemd knows that it is in a
	// container (systemd.io/CONTAINER_INTERFACE).
	err := syscall.Exec(systemd, []string{systemd}, []string{"container=docker", plainEnv[0]})
	_ = watchdog.Process.Kill()
	return fmt.Errorf("execute %s: %w", systemd, err)
}

// BecomeSystemd tells PID 1 to turn into systemd. Whether it did shows by what
// answers then.
func (a *Agent) BecomeSystemd(None, *None) error {
	if os.Getppid() != 1 {
		return errors.New("PID 1 is not this agent's")
	}
	return syscall.Kill(1, bootSignal)
}

// WatchdogVerb is the argument that the watchdog is started with.
const WatchdogVerb = "watchdog"

// powerOff has systemd end at once, without stopping its units (systemd(1):
// SIGRTMIN+14, with glibc's SIGRTMIN). In a container it then exits, 0.5 s later.
// Nothing but its own consent ends PID 1 from within.
const powerOff = syscall.Signal(34 + 14)

// powerOffAgain is the pause before the wish is repeated: systemd may just be
// executing itself anew.
const powerOffAgain = time.Second

// Watchdog ends the container when the agent has ended, as our own init would: with
// systemd in its place nobody else notices.
func Watchdog(serving string) int {
	pid, err := strconv.Atoi(serving)
	if err != nil {
		return 1
	}
	awaitEnd(pid)
	for {
		if err := syscall.Kill(1, powerOff); err != nil {
			return 1
		}
		time.Sleep(powerOffAgain)
	}
}

// awaitEnd waits for the end of a process that need not be a child.
func awaitEnd(pid int) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return // it has ended
	}
	defer unix.Close(fd)
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		if n, err := unix.Poll(fds, -1); n == 1 || err != nil && err != unix.EINTR {
			return
		}
	}
}
