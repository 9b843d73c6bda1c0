package wire

import (
	"context"
	"errors"
	"sync"
)

// Trouble notes that a connection of ours could not be tried, by no fault of the peer's:
// no descriptors, no address, no relay. Whatever was seen then says nothing of the peer.
type Trouble struct {
	mu    sync.Mutex
	first string
}

type troubleKey struct{}

// WithTrouble has every connection that is dialled in a context note its trouble.
func WithTrouble(ctx context.Context) (context.Context, *Trouble) {
	t := &Trouble{}
	return context.WithValue(ctx, troubleKey{}, t), t
}

// Report is where the inbox of a connection that is dialled in a context notes its
// trouble; it may be nil.
func Report(ctx context.Context) *Trouble {
	t, _ := ctx.Value(troubleKey{}).(*Trouble)
	return t
}

// Err is the first one, nil where there was none.
func (t *Trouble) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.first == "" {
		return nil
	}
	return errors.New("a connection could not be tried: " + t.first)
}

func (t *Trouble) note(why string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.first == "" {
		t.first = why
	}
}
