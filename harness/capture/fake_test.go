package capture

import (
	"net/netip"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

var (
	client = netip.MustParseAddrPort("192.0.2.1:50000")
	server = netip.MustParseAddrPort("192.0.2.2:4242")
	began  = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
)

// tcp makes a packet as an interface would show it, with right checksums.
func tcp(t testing.TB, from, to netip.AddrPort, flags uint8, seq uint32, payload string) []byte {
	t.Helper()
	segment := &layers.TCP{
		SrcPort: layers.TCPPort(from.Port()), DstPort: layers.TCPPort(to.Port()), Seq: seq, Window: 1000,
		SYN: flags&SYN != 0, ACK: flags&ACK != 0, FIN: flags&FIN != 0, RST: flags&RST != 0, PSH: flags&PSH != 0,
	}
	return frame(t, from.Addr(), to.Addr(), segment, payload)
}

// transport is a layer whose checksum covers the addresses.
type transport interface {
	gopacket.SerializableLayer
	SetNetworkLayerForChecksum(gopacket.NetworkLayer) error
	LayerType() gopacket.LayerType
}

func frame(t testing.TB, from, to netip.Addr, over transport, payload string) []byte {
	t.Helper()
	ethernet := &layers.Ethernet{SrcMAC: make([]byte, 6), DstMAC: make([]byte, 6), EthernetType: layers.EthernetTypeIPv4}
	protocol := layers.IPProtocolTCP
	if over.LayerType() == layers.LayerTypeUDP {
		protocol = layers.IPProtocolUDP
	}
	var network gopacket.SerializableLayer
	var err error
	if from.Is4() {
		// With options, so that no header has its least length everywhere.
		ip := &layers.IPv4{
			Version: 4, TTL: 64, Protocol: protocol, SrcIP: from.AsSlice(), DstIP: to.AsSlice(),
			Options: []layers.IPv4Option{{OptionType: 1}},
		}
		err, network = over.SetNetworkLayerForChecksum(ip), ip
	} else {
		ethernet.EthernetType = layers.EthernetTypeIPv6
		ip := &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: protocol, SrcIP: from.AsSlice(), DstIP: to.AsSlice()}
		err, network = over.SetNetworkLayerForChecksum(ip), ip
	}
	if err != nil {
		t.Fatal(err)
	}
	buffer := gopacket.NewSerializeBuffer()
	options := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(buffer, options, ethernet, network, over, gopacket.Payload(payload)); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

// film is a sequence of packets, a millisecond apart.
type film struct {
	t    testing.TB
	at   time.Time
	list []Packet
}

func newFilm(t testing.TB) *film { return &film{t: t, at: began} }

func (f *film) packet(from, to netip.AddrPort, flags uint8, seq uint32, payload string) *film {
	data := tcp(f.t, from, to, flags, seq, payload)
	f.list = append(f.list, Packet{At: f.at, Interface: 2, Length: len(data), Data: data})
	f.at = f.at.Add(time.Millisecond)
	return f
}

func (f *film) kept(l Limits) *memory {
	m := newMemory(l)
	for _, p := range f.list {
		m.add(p)
	}
	return m
}

// roomy are limits that nothing here reaches.
var roomy = Limits{Total: 1 << 20, Connection: 1 << 20}

// between two ends at a time.
func wanting(local, remote netip.AddrPort, from, until time.Duration) Want {
	return Want{Name: "wanted", Local: local, Remote: remote, From: began.Add(from), Until: began.Add(until)}
}
