package wire

import (
	"bytes"
	"net/netip"
	"testing"
)

// FuzzRedacted: a secret is in no direction of a transcript that is shown, however it
// was cut into segments, and nothing else is changed.
func FuzzRedacted(f *testing.F) {
	f.Add([]byte("pass word password"), "password", uint8(3))
	f.Add([]byte("aaaaaa"), "aa", uint8(1))
	f.Add([]byte("x*y**z"), "*y*", uint8(2))
	f.Fuzz(func(t *testing.T, data []byte, secret string, size uint8) {
		inbox := NewInbox(netip.AddrPort{})
		for rest := data; len(rest) > 0; {
			n := min(1+int(size), len(rest))
			inbox.Deliver(Event{Kind: KindReceived, Data: rest[:n]})
			rest = rest[n:]
		}
		transcript := inbox.Transcript()
		before := transcript.Bytes(KindReceived)
		shown := transcript.Redacted(secret).Bytes(KindReceived)
		if !bytes.Equal(transcript.Bytes(KindReceived), before) {
			t.Fatal("the transcript itself was changed")
		}
		if len(shown) != len(before) {
			t.Fatalf("%d bytes became %d", len(before), len(shown))
		}
		for i := range shown {
			if shown[i] != before[i] && shown[i] != '*' {
				t.Fatalf("byte %d became %q", i, shown[i])
			}
		}
		for at := 0; secret != ""; at++ {
			i := bytes.Index(before[at:], []byte(secret))
			if i < 0 {
				break
			}
			if at += i; !bytes.Equal(shown[at:at+len(secret)], bytes.Repeat([]byte{'*'}, len(secret))) {
				t.Fatalf("%q is shown as %q", before, shown)
			}
		}
		_ = transcript.Text()
	})
}
