package wire

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"
)

// Inbox collects the events of one connection and lets callers wait on them. Whoever
// watches the socket delivers; it may sit in this process or at the far end of a relay.
type Inbox struct {
	started time.Time

	mu        sync.Mutex
	changed   chan struct{} // closed and replaced at each change
	record    recorder
	unread    []byte
	total     int
	lastAt    time.Duration // of the last bytes received
	connected bool
	settled   bool  // the attempt to connect is decided
	ending    Event // what ended the reading; Kind is empty before
	queued    int   // bytes given to Queue and neither sent nor failed
	finQueued bool
	failed    Event // the last send-failed; Kind is empty before
	trouble   *Trouble
}

// NewInbox starts the record of a connection to remote whose dial begins now.
func NewInbox(remote netip.AddrPort) *Inbox {
	started := time.Now()
	return &Inbox{started: started, changed: make(chan struct{}), record: newRecorder(started, remote)}
}

// Tell has the inbox note what is no fault of the peer's.
func (b *Inbox) Tell(t *Trouble) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trouble = t
}

// Elapsed is the time since the dial began.
func (b *Inbox) Elapsed() time.Duration { return time.Since(b.started) }

// SetLocal stores our end's address when it is known.
func (b *Inbox) SetLocal(local netip.AddrPort) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.record.transcript.Local = local
}

// Queue counts bytes on their way to the socket, so that Flush can wait for them.
func (b *Inbox) Queue(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queued += n
}

// QueueFIN counts a half-close on its way to the socket.
func (b *Inbox) QueueFIN() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.finQueued = true
}

// Deliver takes the next event. The data is copied.
func (b *Inbox) Deliver(event Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if event.Size == 0 {
		event.Size = len(event.Data)
	}
	b.record.add(event)
	if event.Kind == KindLocalError {
		b.trouble.note(event.Note)
	}
	switch event.Kind {
	case KindConnected:
		b.connected, b.settled = true, true
	case KindReceived:
		b.unread = append(b.unread, event.Data...)
		b.total += len(event.Data)
		b.lastAt = event.At
	case KindSent:
		b.queued -= event.Size
	case KindShutdown:
		b.finQueued = false
	case KindSendFailed:
		b.queued, b.finQueued = 0, false
		b.failed = event
	}
	if event.Kind.endsReading() {
		b.settled = true
		if b.ending.Kind == "" {
			b.ending = event
		}
	}
	close(b.changed)
	b.changed = make(chan struct{})
}

// Connected tells whether the handshake was ever completed.
func (b *Inbox) Connected() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.connected
}

// Settled waits until the connection is made or has failed, and for nothing else. It
// returns false if ctx was done first.
func (b *Inbox) Settled(ctx context.Context) bool {
	for {
		b.mu.Lock()
		settled, changed := b.settled, b.changed
		b.mu.Unlock()
		if settled {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// More waits until there are more than n events. It becomes no event itself; it returns
// false if ctx was done first.
func (b *Inbox) More(ctx context.Context, n int) bool {
	for {
		b.mu.Lock()
		events, changed := len(b.record.transcript.Events), b.changed
		b.mu.Unlock()
		if events > n {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// Await is Link.Await.
func (b *Inbox) Await(ctx context.Context, what string, limit time.Duration, enough func(received []byte, ended bool) bool) Outcome {
	return b.wait(ctx, what, limit, func(outcome *Outcome, data []byte, ending Event) bool {
		if enough(data, ending.Kind != "") {
			outcome.Result, outcome.At = Enough, b.receivedAt()
			return true
		}
		if ending.Kind != "" {
			outcome.Result, outcome.At, outcome.Note = resultOf(ending.Kind), ending.At, ending.Note
			return true
		}
		return false
	})
}

// Flush is Link.Flush. It relies on the deliverer: every queued byte ends in a sent or a send-failed event.
func (b *Inbox) Flush(ctx context.Context, limit time.Duration) Outcome {
	return b.wait(ctx, "the kernel to take what was queued", limit, func(outcome *Outcome, _ []byte, _ Event) bool {
		b.mu.Lock()
		empty, failed := b.queued <= 0 && !b.finQueued, b.failed
		b.mu.Unlock()
		switch {
		case failed.Kind != "":
			outcome.Result, outcome.At, outcome.Note = SendFailed, failed.At, failed.Note
		case empty:
			outcome.Result, outcome.At = Enough, b.Elapsed()
		default:
			return false
		}
		return true
	})
}

// wait runs decide at the start, after each change, and once more when the time is over, so that
// an event which arrives together with the end of the wait is not lost.
func (b *Inbox) wait(ctx context.Context, what string, limit time.Duration, decide func(*Outcome, []byte, Event) bool) Outcome {
	outcome := Outcome{What: what, Limit: limit}
	begin := time.Now()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	var over Result
	for {
		b.mu.Lock()
		data := b.unread[:len(b.unread):len(b.unread)]
		ending, changed := b.ending, b.changed
		outcome.Unread, outcome.Total = len(b.unread), b.total
		b.mu.Unlock()
		outcome.Took = time.Since(begin)
		if decide(&outcome, data, ending) {
			return outcome
		}
		if over != "" {
			return b.ranOut(outcome, over)
		}
		select {
		case <-changed:
		case <-timer.C:
			over = TimedOut
		case <-ctx.Done():
			over = Cancelled
		}
	}
}

func (b *Inbox) ranOut(outcome Outcome, over Result) Outcome {
	outcome.Result, outcome.At = over, b.Elapsed()
	note := fmt.Sprintf("%s, waited %s", outcome.What, Duration(outcome.Limit))
	if over == Cancelled {
		note = fmt.Sprintf("%s, given up after %s", outcome.What, Duration(outcome.Took))
	}
	b.Deliver(Event{At: outcome.At, Kind: KindTimeout, Note: note})
	return outcome
}

func (b *Inbox) receivedAt() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lastAt
}

// Unread is Link.Unread.
func (b *Inbox) Unread() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.unread[:len(b.unread):len(b.unread)]
}

// Consume is Link.Consume.
func (b *Inbox) Consume(n int) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	n = max(0, min(n, len(b.unread)))
	taken := b.unread[:n:n]
	b.unread = b.unread[n:]
	return taken
}

// Transcript is Link.Transcript.
func (b *Inbox) Transcript() Transcript {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.record.snapshot()
}
