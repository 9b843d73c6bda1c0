package capture

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"

	"qmconformance/harness/wire"
)

// Blotted is a copy in which every occurrence of a secret is overwritten by '*',
// also where it is spread over several segments or sent again. The checksums are
// changed by what the bytes were changed by: one that was right stays right, and
// one that the kernel had left to the network card stays unfinished. The packets
// that were changed are counted.
func (c Connection) Blotted(secrets ...string) (blotted Connection, changed map[int]bool) {
	out := c
	out.Packets = slices.Clone(c.Packets)
	changed = map[int]bool{}
	for _, from := range []netip.AddrPort{c.Client, c.Server} {
		for _, stretch := range stretches(c.Packets, from) {
			masked := bytes.Clone(stretch.data)
			for _, secret := range secrets {
				wire.Mask(stretch.data, masked, secret)
			}
			if bytes.Equal(masked, stretch.data) {
				continue
			}
			for _, part := range stretch.parts {
				data := out.Packets[part.packet].Data
				s, _ := parse(data)
				text := bytes.Clone(s.Payload)
				for i := range text {
					// What was sent again may differ from what was sent first.
					if at := part.at - stretch.from + int64(i); masked[at] != stretch.data[at] {
						text[i] = masked[at]
					}
				}
				if bytes.Equal(text, s.Payload) {
					continue
				}
				if !changed[part.packet] {
					data = bytes.Clone(data)
				}
				changed[part.packet] = true
				out.Packets[part.packet].Data = replace(data, s, text)
			}
		}
	}
	return out, changed
}

// stretch is a part of a stream without a gap, and which packets brought it.
type stretch struct {
	from  int64
	data  []byte
	parts []part
}

type part struct {
	packet int
	at     int64 // place in the stream
}

// stretches put the payloads of one direction in their order in the stream.
func stretches(packets []Packet, from netip.AddrPort) []stretch {
	var parts []part
	payload := map[int][]byte{}
	var last uint32
	var at int64
	for i, p := range packets {
		s, ok := p.Segment()
		if !ok || s.From != from {
			continue
		}
		if len(payload) == 0 && len(parts) == 0 {
			last = s.Seq
		}
		// Numbers wrap around; neighbours are less than half their range apart.
		at += int64(int32(s.Seq - last))
		last = s.Seq
		if len(s.Payload) > 0 {
			place := at
			if s.Flags&SYN != 0 {
				place++ // the SYN counts as a byte before the data
			}
			parts = append(parts, part{i, place})
			payload[i] = s.Payload
		}
	}
	slices.SortStableFunc(parts, func(a, b part) int { return cmp.Compare(a.at, b.at) })
	var list []stretch
	for _, p := range parts {
		data := payload[p.packet]
		if n := len(list); n > 0 && p.at <= list[n-1].from+int64(len(list[n-1].data)) {
			s := &list[n-1]
			s.parts = append(s.parts, p)
			if overlap := s.from + int64(len(s.data)) - p.at; overlap < int64(len(data)) {
				s.data = append(s.data, data[overlap:]...)
			}
			continue
		}
		list = append(list, stretch{p.at, bytes.Clone(data), []part{p}})
	}
	return list
}

// replace puts a text of the same length in the place of a payload, and adds the
// difference to the checksum (RFC 1624).
func replace(data []byte, s Segment, text []byte) []byte {
	sum := uint32(^binary.BigEndian.Uint16(data[s.checksum:]))
	for i, b := range text {
		old := s.Payload[i]
		if i%2 == 0 { // the header is a whole number of words
			sum += uint32(^(uint16(old) << 8)) + uint32(b)<<8
		} else {
			sum += uint32(^uint16(old)) + uint32(b)
		}
		sum = sum&0xffff + sum>>16
	}
	sum = sum&0xffff + sum>>16
	copy(data[s.payload:], text)
	binary.BigEndian.PutUint16(data[s.checksum:], ^uint16(sum))
	return data
}
