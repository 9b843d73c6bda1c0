package bench

import (
	"qmconformance/harness/bench/caller"
)

// Phase is a part of a connection's life.
type Phase string

// The phases. Setup is the sum: from the call to where the server can be used.
const (
	Connect   Phase = "connect"    // the handshake
	FirstByte Phase = "first_byte" // from there to the first byte
	Ready     Phase = "ready"      // from there to the prompt, or to the first reply
	LoggedIn  Phase = "login"      // from naming the user to his session
	Request   Phase = "request"    // a command and its answer
	Close     Phase = "close"      // from our leave to the end of the stream
	Gone      Phase = "gone"       // from our leave to the end of the process
	Setup     Phase = "setup"
	// Work is the set-up without the client's own pause on port 4242, which waits for
	// nothing of the server's: what is compared.
	Work Phase = "work"
)

// Phases in the order of a connection's life.
var Phases = []Phase{Connect, FirstByte, Ready, LoggedIn, Request, Close, Gone}

// rawColumns name the numbers of a raw connection: nanoseconds from its start,
// beginning with the start itself from the start of the measurement.
var rawColumns = []string{"start", "connected", "first_byte", "asked", "ready", "login_at", "logged_in", "request_at", "answered", "left_at", "ended", "gone"}

// span of one phase of a call; ok is false where the call has none of it.
func span(c caller.Call, gone int64, p Phase) (ns int64, ok bool) {
	var from, to int64
	switch p {
	case Connect:
		from, to = c.Start, c.Connected
	case FirstByte:
		from, to = c.Connected, c.First
	case Ready:
		if c.Ready == c.First {
			return 0, false // its first byte is all that it says
		}
		from, to = c.First, c.Ready
	case LoggedIn:
		from, to = c.LoginAt, c.LoggedIn
	case Request:
		from, to = c.RequestAt, c.Answered
	case Close:
		from, to = c.LeftAt, c.Ended
	case Gone:
		from, to = c.LeftAt, gone
	case Setup:
		from, to = c.Intended, c.Ready
	case Work:
		return work(c)
	}
	return to - from, from != 0 && to != 0
}

// work is the set-up up to the first byte, and from our answer on.
func work(c caller.Call) (ns int64, ok bool) {
	if c.Err != nil || c.Ready == 0 {
		return 0, false
	}
	if c.Asked == 0 {
		return c.Ready - c.Start, true
	}
	return (c.First - c.Start) + (c.Ready - c.Asked), true
}

func rawOf(c caller.Call, gone, origin int64) []int64 {
	at := func(t int64) int64 {
		if t == 0 {
			return 0
		}
		return t - c.Start
	}
	return []int64{
		c.Start - origin, at(c.Connected), at(c.First), at(c.Asked), at(c.Ready), at(c.LoginAt),
		at(c.LoggedIn), at(c.RequestAt), at(c.Answered), at(c.LeftAt), at(c.Ended), at(gone),
	}
}
