package qmclient

import (
	"bytes"
	"context"
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"qmconformance/harness/wire"
)

// A reply is what it says on the wire, and nothing else is taken for one.
func FuzzDecode(f *testing.F) {
	f.Add(NotLoggedIn().Encode())
	f.Add(append(Reply{Status: -1, Data: []byte("x")}.Encode(), "more"...))
	f.Add([]byte("Database is not started"))
	f.Add([]byte("ScarletDME is suspended\n"))
	f.Add(EncodeLogin("alice", "pw"))
	f.Add([]byte{9, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		form, reply, size := Decode(data)
		switch form {
		case FormReply:
			if size > len(data) || !bytes.Equal(reply.Encode(), data[:size]) {
				t.Fatalf("% x was read as %v, which is % x", data, reply, reply.Encode())
			}
			if form, _, _ := Decode(data[:size-1]); form != FormPartial {
				t.Fatalf("one byte less is %s", form)
			}
		case FormNothing, FormPartial, FormText, FormBadLength:
			if size != 0 || reply.Data != nil {
				t.Fatalf("%s of size %d: %v", form, size, reply)
			}
		default:
			t.Fatalf("form %q", form)
		}
		if form == FormText && binary.LittleEndian.Uint32(data) <= MaxReply {
			t.Fatalf("a possible length is taken for text: % x", data[:4])
		}
		// What is complete stays so, whatever follows.
		if again, _, n := Decode(append(bytes.Clone(data), "\x00more"...)); form == FormReply && (again != form || n != size) {
			t.Fatalf("with more bytes behind it a reply became %s of %d bytes", again, n)
		}
		if len(reply.String()) > 1000 {
			t.Fatal("a clause for a report is as long as the peer likes")
		}
	})
}

// spoken is a link whose peer has said all it will say, and ended.
type spoken struct {
	wire.Link
	inbox *wire.Inbox
}

var anywhere = netip.MustParseAddrPort("192.0.2.1:4243")

func (l spoken) Await(ctx context.Context, what string, limit time.Duration, enough func([]byte, bool) bool) wire.Outcome {
	return l.inbox.Await(ctx, what, limit, enough)
}
func (l spoken) Send([]byte)          {}
func (l spoken) Unread() []byte       { return l.inbox.Unread() }
func (l spoken) Consume(n int) []byte { return l.inbox.Consume(n) }
func (l spoken) say(data []byte)      { l.deliver(wire.Event{Kind: wire.KindReceived, Data: data}) }
func (l spoken) deliver(e wire.Event) { l.inbox.Deliver(e) }

// No byte of a peer gets lost: it is in the greeting, in a result, behind the last
// reply, or still there to be read.
func FuzzConversation(f *testing.F) {
	f.Add([]byte{Ack}, NotLoggedIn().Encode())
	f.Add([]byte{Ack, 1, 2}, []byte("text"))
	f.Add([]byte("No free user slots\n"), []byte{})
	f.Add([]byte{}, []byte{12, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, greeting, answer []byte) {
		link := spoken{inbox: wire.NewInbox(anywhere)}
		link.deliver(wire.Event{Kind: wire.KindConnected})
		if len(greeting) > 0 {
			link.say(greeting)
		}
		link.deliver(wire.Event{Kind: wire.KindFIN})
		c := New(link)
		g := c.Greet(t.Context())
		var heard []byte
		if g.Ack {
			heard = append(heard, Ack)
		}
		if heard = append(heard, g.Early...); !bytes.Equal(heard, greeting) {
			t.Fatalf("the greeting % x was heard as % x", greeting, heard)
		}
		link.Consume(len(g.Early))

		if len(answer) > 0 {
			link.say(answer)
		}
		heard = nil
		for range len(answer) + 1 {
			r := c.Exchange(t.Context(), ActionQuit, nil, time.Millisecond)
			if r.Form == FormReply {
				t.Fatal("bytes that were there before the request were taken for its reply")
			}
			_, _ = r.String(), g.String()
			if len(r.Raw) == 0 {
				break
			}
			heard = append(heard, r.Raw...)
		}
		surplus, _ := c.AwaitEnd(t.Context())
		if heard = append(heard, surplus...); !bytes.Equal(heard, answer) {
			t.Fatalf("the answer % x was heard as % x", answer, heard)
		}
	})
}
