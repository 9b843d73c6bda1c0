package capture

import (
	"net/netip"
	"testing"

	"github.com/gopacket/gopacket/layers"
	. "github.com/onsi/gomega"
	"golang.org/x/net/bpf"
)

var (
	client6 = netip.MustParseAddrPort("[2001:db8::1]:50000")
	server6 = netip.MustParseAddrPort("[2001:db8::2]:4242")
)

func TestASegmentIsReadOffItsPacket(t *testing.T) {
	g := NewWithT(t)
	for _, ends := range [][2]netip.AddrPort{{client, server}, {client6, server6}} {
		data := tcp(t, ends[0], ends[1], PSH|ACK, 7, "hello")
		s, ok := parse(data)
		g.Expect(ok).To(BeTrue())
		g.Expect([]netip.AddrPort{s.From, s.To}).To(Equal(ends[:]))
		g.Expect(s.Seq).To(BeEquivalentTo(7))
		g.Expect(s.Flags).To(Equal(PSH | ACK))
		g.Expect(string(s.Payload)).To(Equal("hello"))
		padded, ok := parse(append(data, 0, 0, 0))
		g.Expect(ok).To(BeTrue())
		g.Expect(string(padded.Payload)).To(Equal("hello"), "what an interface pads with is no data")
		for n := range data {
			_, ok := parse(data[:n])
			g.Expect(ok && n < len(data)-len("hello")).To(BeFalse(), "cut at %d", n)
		}
	}
}

func TestWhatIsNoSegment(t *testing.T) {
	g := NewWithT(t)
	udp := frame(t, client.Addr(), server.Addr(), &layers.UDP{SrcPort: 1, DstPort: 4242}, "x")
	fragment := tcp(t, client, server, ACK, 1, "x")
	fragment[ethernetHeader+7] = 9
	arp := tcp(t, client, server, ACK, 1, "x")
	arp[12], arp[13] = 8, 6
	short := tcp(t, client, server, ACK, 1, "x")
	short[ethernetHeader] = 0x41 // a header of four bytes
	offset := tcp(t, client, server, ACK, 1, "x")
	offset[ethernetHeader+24+12] = 0xf0 // longer than the packet
	for name, data := range map[string][]byte{"udp": udp, "a fragment": fragment, "arp": arp, "a short header": short, "a long offset": offset} {
		_, ok := parse(data)
		g.Expect(ok).To(BeFalse(), name)
	}
}

func TestTheFilter(t *testing.T) {
	g := NewWithT(t)
	const own = 61442
	vm, err := bpf.NewVM(without(own))
	g.Expect(err).NotTo(HaveOccurred())
	passes := func(data []byte) bool {
		n, err := vm.Run(data)
		g.Expect(err).NotTo(HaveOccurred())
		return n >= len(data)
	}
	for _, ends := range [][2]netip.AddrPort{{client, server}, {client6, server6}} {
		a, b := ends[0], ends[1]
		control := netip.AddrPortFrom(b.Addr(), own)
		g.Expect(passes(tcp(t, a, b, SYN, 1, ""))).To(BeTrue())
		g.Expect(passes(tcp(t, b, a, SYN|ACK, 1, ""))).To(BeTrue())
		g.Expect(passes(tcp(t, a, control, ACK, 1, "x"))).To(BeFalse(), "to the agent")
		g.Expect(passes(tcp(t, control, a, ACK, 1, "x"))).To(BeFalse(), "from the agent")
		g.Expect(passes(frame(t, a.Addr(), b.Addr(), &layers.UDP{SrcPort: 1, DstPort: 4242}, "x"))).To(BeFalse())
	}
	arp := tcp(t, client, server, ACK, 1, "x")
	arp[12], arp[13] = 8, 6
	g.Expect(passes(arp)).To(BeFalse())
	fragment := tcp(t, client, server, ACK, 1, "x")
	fragment[ethernetHeader+7] = 9
	g.Expect(passes(fragment)).To(BeFalse())
	_, err = bpf.Assemble(append(once(1), without(own)...))
	g.Expect(err).NotTo(HaveOccurred())
}
