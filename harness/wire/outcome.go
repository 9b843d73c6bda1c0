package wire

import (
	"fmt"
	"time"
)

// Result names how a wait ended.
type Result string

// Enough is the only good result of a wait; each of the others names what came instead.
const (
	Enough         Result = "enough"
	EndedByFIN     Result = "fin"
	EndedByReset   Result = "reset"
	TimedOut       Result = "timeout"   // the limit of the wait
	Cancelled      Result = "cancelled" // the context of the wait
	Overflow       Result = "overflow"
	Refused        Result = "refused"
	Unreachable    Result = "unreachable"
	ConnectTimeout Result = "connect-timeout"
	ClosedByUs     Result = "closed"
	SendFailed     Result = "send-failed" // of a flush only
	LocalError     Result = "local-error"
)

// Outcome says how a wait ended, in a form fit for the "actual" line of a report.
type Outcome struct {
	Result Result `json:"result"`
	// What was waited for, in the caller's words, and for how long at most.
	What  string        `json:"what"`
	Limit time.Duration `json:"limit_ns"`
	Took  time.Duration `json:"took_ns"`
	// At is the time since the dial of the event that decided; of the last one received for Enough.
	At time.Duration `json:"at_ns"`
	// Unread counts the bytes not yet consumed, Total all that were received since the dial.
	Unread int    `json:"unread"`
	Total  int    `json:"total"`
	Note   string `json:"note,omitempty"`
}

// OK tells whether what was waited for arrived.
func (o Outcome) OK() bool { return o.Result == Enough }

// Ended tells whether the peer ended the connection, by FIN or RST.
func (o Outcome) Ended() bool { return o.Result == EndedByFIN || o.Result == EndedByReset }

// Silent tells whether the wait ran out, however many bytes there were.
func (o Outcome) Silent() bool { return o.Result == TimedOut }

// String is one clause: "FIN after 0 bytes, 1.2 ms", "nothing for 2 s".
func (o Outcome) String() string {
	text := o.clause()
	if o.Note != "" && o.Result != Enough {
		text += " (" + o.Note + ")"
	}
	return text
}

func (o Outcome) clause() string {
	switch o.Result {
	case Enough:
		return fmt.Sprintf("%s, %s", count(o.Unread), Duration(o.At))
	case EndedByFIN:
		return fmt.Sprintf("FIN after %s, %s", count(o.Total), Duration(o.At))
	case EndedByReset:
		return fmt.Sprintf("RST after %s, %s", count(o.Total), Duration(o.At))
	case TimedOut:
		if o.Unread == 0 {
			return "nothing for " + Duration(o.Limit)
		}
		return fmt.Sprintf("%s, but not %s within %s", count(o.Unread), o.What, Duration(o.Limit))
	case Cancelled:
		return fmt.Sprintf("given up after %s while waiting for %s", Duration(o.Took), o.What)
	case Overflow:
		return fmt.Sprintf("more than %s without an end, %s", count(o.Total), Duration(o.At))
	case Refused:
		return "connection refused after " + Duration(o.At)
	case Unreachable:
		return "unreachable after " + Duration(o.At)
	case ConnectTimeout:
		return "no answer to the connect for " + Duration(o.At)
	case ClosedByUs:
		return "closed by us after " + count(o.Total)
	case SendFailed:
		return "could not send all, " + Duration(o.At)
	case LocalError:
		return "could not try"
	}
	return string(o.Result)
}

func count(n int) string {
	if n == 1 {
		return "1 byte"
	}
	return fmt.Sprintf("%d bytes", n)
}

// resultOf translates the event that ended the reading.
func resultOf(kind Kind) Result {
	switch kind {
	case KindFIN:
		return EndedByFIN
	case KindReset:
		return EndedByReset
	case KindOverflow:
		return Overflow
	case KindRefused:
		return Refused
	case KindUnreachable:
		return Unreachable
	case KindConnectTimeout:
		return ConnectTimeout
	case KindLocalError:
		return LocalError
	}
	return ClosedByUs
}
