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
	var known bool
	if *n, known = a.watched.counts[path]; !known {
		return fmt.Errorf("%s is not watched", path)
	}
	return nil
}

func (w *watches) add(path string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byWD == nil {
		fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
		if err != nil {
			return err
		}
		w.fd, w.byWD, w.counts = fd, map[int32]string{}, map[string]int{}
		go w.read()
	}
	wd, err := unix.InotifyAddWatch(w.fd, path, unix.IN_OPEN)
	if err != nil {
		return fmt.Errorf("watch %s: %w", path, err)
	}
	w.byWD[int32(wd)] = path
	w.counts[path] = 0
	return nil
}

func (w *watches) read() {
	buf := make([]byte, 64<<10)
	for {
		n, err := unix.Read(w.fd, buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return
		}
		w.mu.Lock()
		for at := 0; at+unix.SizeofInotifyEvent <= n; {
			event := (*unix.InotifyEvent)(unsafe.Pointer(&buf[at]))
			if path, known := w.byWD[event.Wd]; known && event.Mask&unix.IN_OPEN != 0 {
				w.counts[path]++
			}
			at += unix.SizeofInotifyEvent + int(event.Len)
		}
		w.mu.Unlock()
	}
}
