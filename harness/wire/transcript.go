package wire

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Limits of a stored transcript. They bound what a flooding peer can make us keep, not
// what the live stream holds.
const (
	// verbatimCap is enough for every conversation of a real session and small enough
	// to be attached to each red verdict.
	verbatimCap = 256 << 10
	// eventCap bounds a trickle of single bytes. Later data only adds to one sum for
	// each direction; events that are not data are always kept, but for urgent bytes.
	eventCap = 4096
)

// Transcript is the stored life of one connection.
type Transcript struct {
	Started time.Time      `json:"started"` // wall clock at the dial
	Local   netip.AddrPort `json:"local"`   // zero if the connection was never made
	Remote  netip.AddrPort `json:"remote"`
	Events  []Event        `json:"events"`
	// Truncated: some events hold fewer bytes than they stand for.
	Truncated bool `json:"truncated"`
}

// First returns the first event of one of the kinds.
func (t Transcript) First(kinds ...Kind) (Event, bool) {
	for _, event := range t.Events {
		for _, kind := range kinds {
			if event.Kind == kind {
				return event, true
			}
		}
	}
	return Event{}, false
}

// Bytes joins the kept data of one kind (KindReceived, KindSent, KindUrgent) in order.
func (t Transcript) Bytes(kind Kind) []byte {
	var all []byte
	for _, event := range t.Events {
		if event.Kind == kind {
			all = append(all, event.Data...)
		}
	}
	return all
}

// Redacted returns a copy in which every occurrence of a secret is overwritten by '*',
// in both directions, in the notes, and also where it is spread over several segments.
func (t Transcript) Redacted(secrets ...string) Transcript {
	out := t
	out.Events = make([]Event, len(t.Events))
	for i, event := range t.Events {
		event.Data = bytes.Clone(event.Data)
		for _, secret := range secrets {
			if secret != "" {
				event.Note = strings.ReplaceAll(event.Note, secret, strings.Repeat("*", len(secret)))
			}
		}
		out.Events[i] = event
	}
	for _, kind := range []Kind{KindSent, KindReceived} {
		plain := t.Bytes(kind)
		masked := bytes.Clone(plain)
		for _, secret := range secrets {
			Mask(plain, masked, secret)
		}
		for i := range out.Events {
			if out.Events[i].Kind == kind {
				n := copy(out.Events[i].Data, masked)
				masked = masked[n:]
			}
		}
	}
	return out
}

// Mask overwrites a secret in masked, byte for byte, wherever plain has it. It looks
// in the untouched text, so that secrets which overlap are all found.
func Mask(plain, masked []byte, secret string) {
	if secret == "" {
		return
	}
	for from := 0; ; {
		at := bytes.Index(plain[from:], []byte(secret))
		if at < 0 {
			return
		}
		for i := range len(secret) {
			masked[from+at+i] = '*'
		}
		from += at + 1
	}
}

// recorder builds a transcript within its limits.
type recorder struct {
	transcript Transcript
	kept       map[Kind]int // bytes kept verbatim
	sum        map[Kind]int // index+1 of the event that takes what is no longer kept
}

func newRecorder(started time.Time, remote netip.AddrPort) recorder {
	return recorder{
		transcript: Transcript{Started: started, Remote: remote},
		kept:       map[Kind]int{},
		sum:        map[Kind]int{},
	}
}

func (r *recorder) add(event Event) {
	t := &r.transcript
	if event.Kind == KindUrgent && len(t.Events) >= eventCap {
		t.Truncated = true
		return // each is one byte, and a peer can send as many as it likes
	}
	if event.Kind != KindReceived && event.Kind != KindSent {
		t.Events = append(t.Events, event)
		return
	}
	room := verbatimCap - r.kept[event.Kind]
	if len(t.Events) >= eventCap {
		room = 0
	}
	if len(event.Data) <= room {
		r.kept[event.Kind] += len(event.Data)
		event.Data = bytes.Clone(event.Data)
		t.Events = append(t.Events, event)
		return
	}
	t.Truncated = true
	if room > 0 {
		r.kept[event.Kind] += room
		event.Data = bytes.Clone(event.Data[:room])
		event.Note = join(event.Note, fmt.Sprintf("first %d of %d bytes kept", room, event.Size))
		t.Events = append(t.Events, event)
		return
	}
	if i := r.sum[event.Kind]; i > 0 && (i == len(t.Events) || len(t.Events) >= eventCap) {
		t.Events[i-1].Size += event.Size
		t.Events[i-1].Note = elided(t.Events[i-1].Size)
		return
	}
	event.Data = nil
	event.Note = join(event.Note, elided(event.Size))
	t.Events = append(t.Events, event)
	r.sum[event.Kind] = len(t.Events)
}

func (r *recorder) snapshot() Transcript {
	t := r.transcript
	t.Events = append([]Event(nil), t.Events...)
	return t
}

func elided(size int) string { return fmt.Sprintf("%d bytes not kept", size) }

func join(first, second string) string {
	if first == "" {
		return second
	}
	return first + "; " + second
}
