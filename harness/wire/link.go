package wire

import (
	"context"
	"net/netip"
	"time"
)

// Link is one connection as its user sees it. Nothing here returns an error: what goes
// wrong is an event in the transcript and the result of the next wait. Conn is the link
// of this process; one that relays over another host can be built around an Inbox.
type Link interface {
	// Connected tells whether the handshake was ever completed.
	Connected() bool
	// Send queues data and returns at once. Each call makes at least one send of its own,
	// so a command given in one call is not split by us while the kernel has room.
	Send(data []byte)
	// SendUrgent queues one byte as urgent data, in order with the data around it.
	SendUrgent(b byte)
	// CloseWrite ends our direction (FIN) after all that is queued.
	CloseWrite()
	// Abort ends the connection by RST at once; what is queued is dropped.
	Abort()
	// Close reads what the kernel holds already, gives it what it takes at once of the queue, closes, and
	// returns when everything that belonged to the connection is freed. It is safe to call more than once.
	Close()
	// PauseReading makes a slow reader: while paused, bytes and FIN stay in the kernel.
	PauseReading(paused bool)
	// Await waits until enough says so, the connection ends, the limit is over or ctx is done. It calls
	// enough with all bytes that are not yet consumed, at the start and after each change; ended tells that no more
	// will come. The slice may be kept but not changed. What names the awaited thing for the transcript.
	Await(ctx context.Context, what string, limit time.Duration, enough func(received []byte, ended bool) bool) Outcome
	// Flush waits until the kernel has taken all that was queued.
	Flush(ctx context.Context, limit time.Duration) Outcome
	// Unread returns what is not yet consumed, without waiting.
	Unread() []byte
	// Consume removes the first n unread bytes, or all if there are fewer, and returns them.
	Consume(n int) []byte
	// Transcript returns the life of the connection so far.
	Transcript() Transcript
	LocalAddr() netip.AddrPort
	RemoteAddr() netip.AddrPort
}

// AtLeast is a condition for Await: n unread bytes.
func AtLeast(n int) func([]byte, bool) bool {
	return func(received []byte, _ bool) bool { return len(received) >= n }
}

// TheEnd is a condition for Await that no bytes fulfil: the wait ends with the connection, or runs out.
func TheEnd([]byte, bool) bool { return false }
