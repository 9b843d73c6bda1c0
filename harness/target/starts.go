package target

import (
	"context"
	"errors"
	"sync"
)

var errOver = errors.New("the run is over")

// starts are the containers that are being started.
type starts struct {
	mu   sync.RWMutex
	over bool
}

// begin notes a start; the function that it returns is called at its end.
func (s *starts) begin() (end func(), err error) {
	s.mu.RLock()
	if s.over {
		s.mu.RUnlock()
		return nil, errOver
	}
	return s.mu.RUnlock, nil
}

// Settle waits until no container is being started, and lets none be started any more.
// Whoever removes them all calls it before.
func (f *Fleet) Settle(ctx context.Context) {
	settled := make(chan struct{})
	go func() {
		f.starts.mu.Lock()
		f.starts.over = true
		f.starts.mu.Unlock()
		close(settled)
	}()
	select {
	case <-settled:
	case <-ctx.Done():
	}
}
