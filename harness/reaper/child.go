package reaper

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/moby/moby/client"
)

const (
	// dutyVariable makes a process the reaper of the session it describes.
	dutyVariable = "QMCONFORMANCE_REAPER"
	aliveFD      = 3
	readyFD      = 4
	// dismissed on the pipe says that nothing is left to do. End of file
	// without it says that the run is gone.
	dismissed = 'd'
)

// childDuty is what the second process needs to know.
type childDuty struct {
	Session string
	Limits  limits
	// Box is the container whose end a guard waits for; empty for the reaper
	// process, which waits for the end of a pipe.
	Box string `json:",omitempty"`
	// Guard is the container that the reaper process dismisses in the end.
	Guard string `json:",omitempty"`
}

// Before main, and not a call that main makes: a program that forgot the call
// would start itself in full, which would start itself in full, and so on.
func init() { maybeRun() }

func maybeRun() {
	text, on := os.LookupEnv(dutyVariable)
	if !on {
		return
	}
	var duty childDuty
	if err := json.Unmarshal([]byte(text), &duty); err != nil || duty.Session == "" {
		os.Exit(2)
	}
	// Only the end of the run ends the reaper, not a signal that was sent to all.
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	// The working directory may be one that the run's user wants to remove.
	_ = os.Chdir("/")
	if duty.Box != "" {
		os.Exit(runGuardFromEnv(duty))
	}
	os.Exit(runChild(duty, os.NewFile(aliveFD, "alive"), os.NewFile(readyFD, "ready")))
}

// runChild waits for the end of the run and then removes what it left.
// The exit status is 0 when nothing is left, as far as the daemon could say.
func runChild(duty childDuty, alive, ready *os.File) int {
	docker, err := client.New(client.FromEnv)
	if err != nil {
		return 2
	}
	defer docker.Close()
	if _, err := ready.Write([]byte{'r'}); err != nil {
		return 2
	}
	ready.Close()
	// This wait has no limit on purpose: it is as long as the run, and the
	// kernel ends it with the run.
	said := make([]byte, 1)
	if n, _ := io.ReadFull(alive, said); n == 1 && said[0] == dismissed {
		return 0
	}
	if !reap(context.Background(), remover{docker, duty.Limits}, duty.Session) {
		return 1
	}
	if duty.Guard != "" {
		removeGuard(docker, duty.Guard, duty.Limits)
	}
	return 0
}

// reap removes the session's objects until none has been seen for the settling
// time. It gives up when the daemon has not answered for the unreachable limit,
// or when the total limit is over, and returns false then.
func reap(ctx context.Context, r remover, session string) bool {
	ctx, cancel := context.WithTimeout(ctx, r.limits.Total)
	defer cancel()
	tick := time.NewTicker(r.limits.Poll)
	defer tick.Stop()
	quietSince, answered := time.Now(), time.Now()
	for {
		seen, _, err := r.session(ctx, session)
		now := time.Now()
		switch {
		case err != nil && now.Sub(answered) >= r.limits.Unreachable:
			return false
		case err != nil:
			quietSince = now
		case seen > 0:
			quietSince, answered = now, now
		default:
			answered = now
			if now.Sub(quietSince) >= r.limits.Settle {
				return true
			}
		}
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}
