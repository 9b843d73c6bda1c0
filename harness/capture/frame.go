package capture

import (
	"encoding/binary"
	"net/netip"
)

// Lengths and numbers of Ethernet, IPv4 (RFC 791), IPv6 (RFC 8200) and TCP (RFC
// 9293) headers. Three fixed headers are read here by hand: a decoder of all
// protocols would be the larger part of the agent.
const (
	ethernetHeader = 14
	ipv6Header     = 40
	tcpHeader      = 20
	etherIPv4      = 0x0800
	etherIPv6      = 0x86dd
	protocolTCP    = 6
)

// Flags of a TCP segment.
const (
	FIN uint8 = 1 << iota
	SYN
	RST
	PSH
	ACK
)

// Segment is the TCP part of a packet.
type Segment struct {
	From, To netip.AddrPort
	Seq      uint32
	Flags    uint8
	// Payload are the data that the packet holds, a part of its Data.
	Payload []byte
	// checksum is where that of the TCP header is, payload where the data begin.
	checksum, payload int
}

// Segment reads a packet; false where it is none of TCP.
func (p Packet) Segment() (Segment, bool) { return parse(p.Data) }

func parse(data []byte) (s Segment, ok bool) {
	if len(data) < ethernetHeader {
		return s, false
	}
	ip := data[ethernetHeader:]
	var from, to netip.Addr
	var header, length int
	switch binary.BigEndian.Uint16(data[12:]) {
	case etherIPv4:
		if len(ip) < 20 || ip[9] != protocolTCP || binary.BigEndian.Uint16(ip[6:])&0x1fff != 0 {
			return s, false
		}
		header, length = int(ip[0]&0xf)*4, int(binary.BigEndian.Uint16(ip[2:]))
		from, to = netip.AddrFrom4([4]byte(ip[12:16])), netip.AddrFrom4([4]byte(ip[16:20]))
	case etherIPv6:
		if len(ip) < ipv6Header || ip[6] != protocolTCP {
			return s, false
		}
		header, length = ipv6Header, ipv6Header+int(binary.BigEndian.Uint16(ip[4:]))
		from, to = netip.AddrFrom16([16]byte(ip[8:24])), netip.AddrFrom16([16]byte(ip[24:40]))
	default:
		return s, false
	}
	// A short packet is padded to Ethernet's least length; what the kernel merged
	// beyond 64 KiB says 0.
	if length > header && length < len(ip) {
		ip = ip[:length]
	}
	if header < 20 || len(ip) < header+tcpHeader {
		return s, false
	}
	tcp := ip[header:]
	offset := int(tcp[12]>>4) * 4
	if offset < tcpHeader || len(tcp) < offset {
		return s, false
	}
	return Segment{
		From:     netip.AddrPortFrom(from, binary.BigEndian.Uint16(tcp)),
		To:       netip.AddrPortFrom(to, binary.BigEndian.Uint16(tcp[2:])),
		Seq:      binary.BigEndian.Uint32(tcp[4:]),
		Flags:    tcp[13],
		Payload:  tcp[offset:],
		checksum: ethernetHeader + header + 16,
		payload:  ethernetHeader + header + offset,
	}, true
}

// Opens says that the segment is the first one of an attempt to connect.
func (s Segment) Opens() bool { return s.Flags&(SYN|ACK) == SYN }

// Answers says that it is the second one of the handshake.
func (s Segment) Answers() bool { return s.Flags&(SYN|ACK) == SYN|ACK }
