package agent

import (
	"fmt"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// watches count how often files are opened. An execve(2) opens the program, so
// that the count of a server's program tells whether one was started for a
// connection, however short its life was: the third plane of a refusal.
type watches struct {
	mu     sync.Mutex
	fd     int
	byWD   map[int32]string
	counts map[string]int
}

// Watch begins to count the executions of a program. The path must not be a link.
func (a *Agent) Watch(path string, _ *None) error { return a.watched.add(path) }

// Opened is how often a watched file was opened since Watch.
func (a *Agent) Opened(path string, n *int) error {
	a.watched.mu.Lock()
	defer a.watched.mu.Unlock()
	if _, known := a.watched.counts[path]; !known {
		return fmt.Errorf("%s is not watched", path)
	}
	if err := a.watched.drain(); err != nil {
		return err
	}
	*n = a.watched.counts[path]
	return nil
}

func (w *watches) add(path string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byWD == nil {
		fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
		if err != nil {
			return err
		}
		w.fd, w.byWD, w.counts = fd, map[int32]string{}, map[string]int{}
	}
	if err := w.drain(); err != nil {
		return err
	}
	// The kernel joins an event with an equal one right before it. What an execution
	// reads keeps its opening apart from the next one, but for two at the very same
	// time: the count may be too low by one of them, and never too high.
	wd, err := unix.InotifyAddWatch(w.fd, path, unix.IN_OPEN|unix.IN_ACCESS|unix.IN_CLOSE_NOWRITE)
	if err != nil {
		return fmt.Errorf("watch %s: %w", path, err)
	}
	w.byWD[int32(wd)] = path
	w.counts[path] = 0
	return nil
}

// drain takes what the kernel has queued. It is done when somebody asks and not
// beside it: an opening that came before the question is in the answer, however
// busy the machine is. The queue holds 16384 events, some thousands of executions.
func (w *watches) drain() error {
	buf := make([]byte, 64<<10)
	for {
		n, err := unix.Read(w.fd, buf)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return nil
		case err != nil:
			return fmt.Errorf("watch: %w", err)
		}
		for at := 0; at+unix.SizeofInotifyEvent <= n; {
			event := (*unix.InotifyEvent)(unsafe.Pointer(&buf[at]))
			if path, known := w.byWD[event.Wd]; known && event.Mask&unix.IN_OPEN != 0 {
				w.counts[path]++
			}
			at += unix.SizeofInotifyEvent + int(event.Len)
		}
	}
}
