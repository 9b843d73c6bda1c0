package capture

import (
	"bytes"
	"testing"
)

// FuzzSegment: what is taken for a segment lies inside its packet, whatever the lengths
// in the headers say.
func FuzzSegment(f *testing.F) {
	whole := tcp(f, client, server, PSH|ACK, 7, "hello")
	f.Add(whole)
	f.Add(tcp(f, client6, server6, SYN, 1, ""))
	f.Add(whole[:len(whole)-len("hello")-3])
	options := bytes.Clone(whole)
	options[ethernetHeader] = 0x4f // a header of sixty bytes
	f.Add(options)
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		s, ok := parse(data)
		if !bytes.Equal(data, before) {
			t.Fatal("the packet was changed")
		}
		if !ok {
			return
		}
		if s.checksum+2 > s.payload || s.payload+len(s.Payload) > len(data) {
			t.Fatalf("checksum at %d, payload at %d with %d bytes, in a packet of %d", s.checksum, s.payload, len(s.Payload), len(data))
		}
		if !bytes.Equal(s.Payload, data[s.payload:s.payload+len(s.Payload)]) {
			t.Fatal("the payload is none of the packet's")
		}
	})
}
