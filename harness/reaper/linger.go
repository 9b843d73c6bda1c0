package reaper

import (
	"context"
	"time"
)

// Grace is how long a request that makes something may go on when its run has ended: to
// start a container takes 0.4 s, and to commit one on a slow storage driver was seen to
// take 5 s. A request that is given up completes in the daemon all the same, behind the
// back of whoever removes what there is. And of a container that is given up, or
// removed, in the midst of its start, Docker (seen with 20.10) keeps an endpoint, so
// that the network cannot be removed.
const Grace = 10 * time.Second

// Lingering is a context that ends a grace later than the one that it is made from.
func Lingering(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
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
