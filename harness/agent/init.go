package agent

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// Init is PID 1: it starts the agent proper as its only child, reaps every
// orphan, and ends when the agent ends or it is told to. Two processes instead
// of one, since a PID 1 that waits for any child would take away the exit
// statuses that the agent waits for.
func Init() int {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGCHLD, bootSignal)
	cmd := exec.Command("/proc/self/exe", "serve")
	cmd.Env = os.Environ()
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return 1
	}
	// The agent needs it for its start, and nothing else here ever does.
	if err := renounce(unix.CAP_NET_RAW); err != nil {
		fmt.Fprintln(os.Stderr, "init:", err)
		return 1
	}
	for s := range signals {
		if s == bootSignal {
			fmt.Fprintln(os.Stderr, "init:", becomeSystemd(cmd.Process.Pid))
			continue
		}
		if s != syscall.SIGCHLD {
			return 0
		}
		for {
			var status syscall.WaitStatus
			pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
			if err == syscall.EINTR {
				continue
			}
			if pid <= 0 {
				break
			}
			if pid == cmd.Process.Pid {
				return status.ExitStatus()
			}
		}
	}
	return 0
}
