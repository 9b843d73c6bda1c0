package agent

import (
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// starts count how often the probe was started for a connection: it writes a byte into
// a pipe with a name, whoever it runs as. The count tells whether a program was
// executed for a client, however short its life was: the third plane of a refusal. To
// watch the program's file would count everybody who looks at it.
type starts struct {
	mu    sync.Mutex
	pipes map[string]*pipe
}

type pipe struct{ fd, count int }

// CountStarts begins to count at nought the bytes that are written into the pipe of a
// name, which it makes.
func (a *Agent) CountStarts(path string, _ *None) error {
	a.started.mu.Lock()
	defer a.started.mu.Unlock()
	if p := a.started.pipes[path]; p != nil {
		err := p.drain()
		p.count = 0
		return err
	}
	if err := unix.Mkfifo(path, 0o666); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("make the pipe %s: %w", path, err)
	}
	// Whoever a server runs as writes into it, whatever our own umask is.
	if err := unix.Chmod(path, 0o666); err != nil {
		return fmt.Errorf("open the pipe %s to everybody: %w", path, err)
	}
	// For both, so that it does not end with each writer.
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open the pipe %s: %w", path, err)
	}
	if a.started.pipes == nil {
		a.started.pipes = map[string]*pipe{}
	}
	a.started.pipes[path] = &pipe{fd: fd}
	return nil
}

// Starts is how many were written since CountStarts.
func (a *Agent) Starts(path string, n *int) error {
	a.started.mu.Lock()
	defer a.started.mu.Unlock()
	p := a.started.pipes[path]
	if p == nil {
		return fmt.Errorf("nobody counts at %s", path)
	}
	err := p.drain()
	*n = p.count
	return err
}

// drain takes what is in the pipe. It is done when somebody asks and not beside it: a
// start that came before the question is in the answer, however busy the machine is.
// The pipe holds 64 KiB, a byte for each start.
func (p *pipe) drain() error {
	buf := make([]byte, 4<<10)
	for {
		n, err := unix.Read(p.fd, buf)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return nil
		case err != nil:
			return fmt.Errorf("read the pipe: %w", err)
		}
		p.count += n
	}
}
