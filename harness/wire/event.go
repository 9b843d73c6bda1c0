// Package wire observes one TCP connection from the client's end.
//
// What happens is kept as typed, timed events: bytes, FIN, RST, urgent data, a
// refusal and a wait of ours that ran out are different facts, and a judgement
// about a network service depends on which of them it was. The package owns its
// sockets instead of using net.Conn, because net.Conn folds several of these
// facts into one error string and does not show urgent data at all.
package wire

import "time"

// Kind names what happened. The values are stable: they appear in stored transcripts.
type Kind string

// The first group ends an attempt to connect, or starts a connection. The second is
// what the peer did, the third what we did, the fourth what we failed to do.
const (
	KindConnected      Kind = "connected"       // the handshake is complete
	KindRefused        Kind = "refused"         // RST in answer to our SYN
	KindUnreachable    Kind = "unreachable"     // no route, or the path was reported dead (Note says which error)
	KindConnectTimeout Kind = "connect-timeout" // no answer to our SYN within the limit

	KindReceived Kind = "received" // bytes, in stream order
	KindUrgent   Kind = "urgent"   // one byte of urgent data (tcp(7)), outside the stream
	KindFIN      Kind = "fin"      // the peer ended its direction in order
	KindReset    Kind = "reset"    // the peer's RST

	KindSent     Kind = "sent"     // bytes that the kernel took from us in one send
	KindShutdown Kind = "shutdown" // our FIN (half-close)
	KindAborted  Kind = "aborted"  // our RST
	KindClosed   Kind = "closed"   // our close

	KindTimeout    Kind = "timeout"     // OUR wait ran out; Note says what was waited for, and how long
	KindOverflow   Kind = "overflow"    // the receive cap is reached and more was there; reading has stopped for good
	KindSendFailed Kind = "send-failed" // bytes of ours that will never be sent
	KindElided     Kind = "elided"      // no event: some were left out here, to keep a record short
	KindLocalError Kind = "local-error" // our own system refused (no descriptor, no such source address): never the peer's fault
)

// Event is one thing that happened on a connection.
type Event struct {
	// At is the time since the dial began, by the monotonic clock.
	At   time.Duration `json:"at_ns"`
	Kind Kind          `json:"kind"`
	// Data holds what was sent or received. It is shorter than Size where the transcript left bytes out.
	Data []byte `json:"data,omitempty"`
	// Size is the number of bytes that the event stands for, kept in Data or not.
	Size int    `json:"size,omitempty"`
	Note string `json:"note,omitempty"`
}

// endsReading tells whether nothing more can be received after an event of this kind.
func (k Kind) endsReading() bool {
	switch k {
	case KindRefused, KindUnreachable, KindConnectTimeout, KindLocalError,
		KindFIN, KindReset, KindOverflow, KindClosed, KindAborted:
		return true
	}
	return false
}

// endsSending tells whether nothing more can be sent after an event of this kind. A FIN
// of the peer is not among them: a half-closed peer may still read.
func (k Kind) endsSending() bool {
	switch k {
	case KindRefused, KindUnreachable, KindConnectTimeout, KindLocalError,
		KindReset, KindClosed, KindAborted:
		return true
	}
	return false
}
