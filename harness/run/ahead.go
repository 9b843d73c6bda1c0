package run

import (
	"context"
	"sync"

	"qmconformance/harness/observe"
	"qmconformance/harness/target"
)

// maker makes the target of a stage, up to where it would be started.
type maker func(context.Context, observe.Stage) (*target.Target, error)

// ahead makes targets before anybody asks for them, one after another in the order in
// which they will be wanted, and one more than were asked for: a package that is found
// wrong early costs no more than one target in vain. Where they are light it makes as
// many as it can while the first is installed: nothing can be judged then, and a large
// tree keeps one processor busy for seconds.
type ahead struct {
	mu    sync.Mutex
	begun map[observe.Stage]*early
	// first is closed when the first target is installed.
	first chan struct{}
	stop  context.CancelFunc
	busy  sync.WaitGroup
}

// early is a target that is or was made ahead.
type early struct {
	// claimed is closed when it is asked for, done when it is there.
	claimed, done chan struct{}
	target        *target.Target
	err           error
}

// start begins, and goes on until end is called: the look that begins it may be over
// long before what is made. What is asked for in the meantime is left to whoever asks.
func (a *ahead) start(ctx context.Context, list []observe.Stage, light bool, prepare maker) {
	a.mu.Lock()
	defer a.mu.Unlock()
	ctx, a.stop = context.WithCancel(context.WithoutCancel(ctx))
	a.begun, a.first = map[observe.Stage]*early{}, make(chan struct{})
	a.busy.Go(func() {
		var before *early
		for _, name := range list {
			if !a.admits(ctx, before, light) {
				return
			}
			e := a.begin(name)
			if e == nil {
				continue
			}
			e.target, e.err = prepare(ctx, name)
			close(e.done)
			before = e
		}
	})
}

// admits waits until another may be made; false where none will be wanted.
func (a *ahead) admits(ctx context.Context, before *early, light bool) bool {
	if before == nil {
		return ctx.Err() == nil
	}
	if light {
		select {
		case <-a.first:
		default:
			return ctx.Err() == nil
		}
	}
	select {
	case <-before.claimed:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// firstIsInstalled says so.
func (a *ahead) firstIsInstalled() { close(a.first) }

// begin notes that a target is made now; nil where it is or was already.
func (a *ahead) begin(name observe.Stage) *early {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.begun[name] != nil {
		return nil
	}
	e := &early{claimed: make(chan struct{}), done: make(chan struct{})}
	a.begun[name] = e
	return e
}

// claim waits for the target of a stage, which is asked for once, if it was begun
// ahead. There is none otherwise, and whoever asked makes it.
func (a *ahead) claim(ctx context.Context, name observe.Stage) (*target.Target, error) {
	if e := a.begin(name); e != nil {
		close(e.claimed)
		return nil, nil
	}
	a.mu.Lock()
	e := a.begun[name]
	a.mu.Unlock()
	close(e.claimed)
	select {
	case <-e.done:
		return e.target, e.err
	case <-ctx.Done():
		a.halt() // nobody else will want it
		return nil, context.Cause(ctx)
	}
}

// end waits until nothing is being made any more: nobody will want it.
func (a *ahead) end() {
	a.halt()
	a.busy.Wait()
}

// halt cancels what is being made.
func (a *ahead) halt() {
	a.mu.Lock()
	stop := a.stop
	a.mu.Unlock()
	if stop != nil {
		stop()
	}
}
