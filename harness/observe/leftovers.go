package observe

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"qmconformance/harness/process"
)

// Leftover is a process that was not there before, and did not end with its client.
type Leftover struct {
	PID  int
	Comm string
	Args string
	// Program is the file that it runs; empty of a zombie.
	Program string
	// State is that of proc(5); a zombie is a process that nobody has reaped.
	State string
	// Busy is the share of one processor that it took in busyInterval.
	Busy float64
	// RSS is in bytes.
	RSS uint64
}

func (l Leftover) String() string {
	return fmt.Sprintf("%s (pid %d, state %s, %.0f %% of a processor, %d KiB)", l.Args, l.PID, l.State, 100*l.Busy, l.RSS>>10)
}

const (
	// leftLimit is how long a server may take to end after its client: one that
	// hangs up takes a second, and a busy machine a few times that.
	leftLimit = 4 * time.Second
	// busyInterval is the least time over which the processor time of what stays is
	// taken: 50 ticks of the kernel's clock, so that one more or less is 2 %.
	busyInterval = 500 * time.Millisecond
	// runawayTime is the processor time after which nobody waits for the end any
	// longer: to end takes a millisecond, and what has come already no more.
	runawayTime = 200 * time.Millisecond
	// placeLimit is how much longer a place may stay taken than its process lives:
	// a session gives it back before its end.
	placeLimit = 300 * time.Millisecond
	// tick is the kernel's clock as proc(5) shows it, on every machine that Linux
	// runs on today.
	tick = 10 * time.Millisecond
)

// crowd are the processes at one time, by what names one for ever.
type crowd map[[2]uint64]bool

func identity(p process.Process) [2]uint64 { return [2]uint64{uint64(p.PID), p.StartTime} }

func crowdOf(snap process.Snapshot) crowd {
	c := crowd{}
	for _, p := range snap.Processes {
		c[identity(p)] = true
	}
	return c
}

// strangers are the processes that are not among those known, nor children of any of
// them: what a loop of the package's, or cron, starts meanwhile is not of a client's
// doing. Clients' programs are xinetd's children, and those whose parent has ended are
// of process 1.
func (c crowd) strangers(snap process.Snapshot, xinetd int) (list []process.Process) {
	ofOthers := map[int]bool{}
	for _, p := range snap.Processes {
		ofOthers[p.PID] = c[identity(p)] && p.PID != 1 && p.PID != xinetd
	}
	for _, p := range snap.Processes {
		if !c[identity(p)] && !p.KernelThread && !ofOthers[p.PPID] {
			list = append(list, p)
		}
	}
	return list
}

// staying is a process that was not there before, since it was first seen.
type staying struct {
	since time.Duration // by the snapshots' clock
	ticks uint64
	now   process.Process
}

func (p staying) used() time.Duration { return time.Duration(p.now.CPUTicks-p.ticks) * tick }

// awaitLeaving waits until no process is there that was not there before, and
// returns those that stay, with what they do meanwhile. It does not wait on for
// processes that have run away.
func awaitLeaving(ctx context.Context, s *Scene, before crowd) (left []Leftover, took time.Duration, err error) {
	known := map[[2]uint64]staying{}
	for began := time.Now(); ; {
		snap, err := s.Snapshot(ctx)
		if err != nil {
			return nil, 0, err
		}
		took = time.Since(began)
		strangers := before.strangers(snap, s.Startup.Xinetd.Daemon.PID)
		runaways, young := 0, false
		for i, p := range strangers {
			stay, seen := known[identity(p)]
			if !seen {
				stay = staying{since: snap.Clock, ticks: p.CPUTicks}
			}
			stay.now = strangers[i]
			known[identity(p)] = stay
			if stay.used() >= runawayTime {
				runaways++
			}
			young = young || snap.Clock-stay.since < busyInterval
		}
		if len(strangers) == 0 {
			return nil, took, nil
		}
		if took < leftLimit && runaways < len(strangers) || young && took < leftLimit+2*busyInterval {
			if err := pause(ctx, gonePoll); err != nil {
				return nil, took, err
			}
			continue
		}
		s.Evidence.Snapshot("left", snap)
		for _, p := range strangers {
			stay := known[identity(p)]
			interval := max(snap.Clock-stay.since, tick)
			left = append(left, Leftover{
				PID: p.PID, Comm: p.Comm, Args: strings.Join(p.Args, " "), Program: p.Exe, State: p.State, RSS: p.RSS,
				Busy: stay.used().Seconds() / interval.Seconds(),
			})
		}
		return left, took, nil
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// awaitPlaces waits until the database has no more users than before.
func awaitPlaces(ctx context.Context, s *Scene, before int) (n int, text string, err error) {
	for began := time.Now(); ; {
		n, text, err = slots(ctx, s)
		if err != nil || n <= before || time.Since(began) > placeLimit {
			return n, text, err
		}
		if err := pause(ctx, gonePoll); err != nil {
			return n, text, err
		}
	}
}

// clearAway ends what was left, so that it does not take processor time from other
// targets, and has the database look for places whose users are gone, so that the
// next manner finds room. qm's own clean-up does the same, each five minutes.
func clearAway(ctx context.Context, s *Scene, left []Leftover, lost bool) error {
	for _, l := range left {
		if err := s.Signal(ctx, l.PID, syscall.SIGKILL); err != nil && !isGone(err) {
			return err
		}
	}
	if len(left) == 0 && !lost {
		return nil
	}
	// A qm that does not know the word says so, and nothing is lost.
	res, err := s.Command(ctx, s.QM(), "-cleanup")
	s.Evidence.Text("cleanup", res.Output)
	return err
}

// isGone says that a signal found no process. The error has come through net/rpc,
// which keeps no more of it than its text.
func isGone(err error) bool {
	return strings.Contains(err.Error(), syscall.ESRCH.Error()) || strings.Contains(err.Error(), os.ErrProcessDone.Error())
}
