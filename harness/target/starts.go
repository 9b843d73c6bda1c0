package target

import (
	"context"
	"errors"
	"sync"
	"time"
)

// startGrace is how long a container may go on starting when its run has ended: a
// start takes 0.4 s, and on a busy machine some seconds. Given up in its midst, or
// removed in it, Docker (seen with 20.10) keeps an endpoint of a container that is no
// more, and the network cannot be removed.
const startGrace = 10 * time.Second

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

// lingering is a context that ends a grace later than the one that it is made from.
func lingering(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(grace):
			cancel(context.Cause(ctx))
		case <-longer.Done():
		}
	})
	return longer, func() {
		stop()
		cancel(context.Canceled)
	}
}
