package capture

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

func port(n uint16) netip.AddrPort { return netip.AddrPortFrom(client.Addr(), n) }

func TestOnlyWhatIsWanted(t *testing.T) {
	g := NewWithT(t)
	f := newFilm(t)
	for n := range uint16(3) {
		f.packet(port(50000+n), server, SYN, 1, "").packet(server, port(50000+n), SYN|ACK, 9, "")
	}
	f.packet(port(50001), server, ACK, 2, "")
	found := f.kept(roomy).find([]Want{wanting(port(50001), server, 0, time.Second)})
	g.Expect(found).To(HaveLen(1))
	g.Expect(found[0].Client).To(Equal(port(50001)))
	g.Expect(found[0].Server).To(Equal(server))
	g.Expect(found[0].Name).To(Equal("wanted"))
	g.Expect(found[0].Packets).To(Equal([]Packet{f.list[2], f.list[3], f.list[6]}))
}

func TestAPortThatIsUsedAnew(t *testing.T) {
	g := NewWithT(t)
	f := newFilm(t).packet(client, server, SYN, 100, "").packet(client, server, SYN, 100, "").packet(server, client, RST|ACK, 0, "")
	f.at = began.Add(time.Minute)
	f.packet(client, server, SYN, 200, "").packet(server, client, SYN|ACK, 9, "")
	m := f.kept(roomy)
	first := m.find([]Want{wanting(client, server, 0, time.Millisecond)})
	g.Expect(first).To(HaveLen(1))
	g.Expect(first[0].Packets).To(HaveLen(3), "a SYN that is sent again begins nothing")
	second := m.find([]Want{wanting(client, server, time.Minute, time.Minute+time.Second)})
	g.Expect(second).To(HaveLen(1))
	g.Expect(second[0].Packets).To(HaveLen(2))
}

func TestAnAttemptWhoseOwnPortIsNotKnown(t *testing.T) {
	g := NewWithT(t)
	f := newFilm(t).packet(client, server, SYN, 1, "").packet(server, client, RST|ACK, 0, "").
		packet(port(50002), server, SYN, 1, "").packet(server, port(50002), SYN|ACK, 0, "")
	f.at = began.Add(time.Minute)
	f.packet(port(50001), server, SYN, 1, "")
	found := f.kept(roomy).find([]Want{wanting(netip.AddrPort{}, server, 0, time.Millisecond)})
	g.Expect(found).To(HaveLen(1))
	g.Expect(found[0].Client).To(Equal(client))
}

func TestAConnectionWhoseBeginningWasNotSeen(t *testing.T) {
	g := NewWithT(t)
	f := newFilm(t).packet(server, client, PSH|ACK, 5, "late")
	found := f.kept(roomy).find([]Want{wanting(client, server, -time.Minute, time.Second)})
	g.Expect(found).To(HaveLen(1))
	answered := newFilm(t).packet(server, client, SYN|ACK, 5, "").kept(roomy).find([]Want{wanting(client, server, -time.Minute, time.Second)})
	g.Expect(answered[0].Client).To(Equal(client), "who answers is the server")
	g.Expect(f.kept(roomy).find([]Want{wanting(client, server, time.Minute, time.Hour)})).To(BeEmpty())
}

func TestTheQuestionForAClientsUser(t *testing.T) {
	g := NewWithT(t)
	ident := netip.AddrPortFrom(client.Addr(), 113)
	asker := func(n uint16) netip.AddrPort { return netip.AddrPortFrom(server.Addr(), n) }
	f := newFilm(t).packet(client, server, SYN, 1, "").
		packet(asker(40000), ident, SYN, 1, "").packet(asker(40000), ident, PSH|ACK, 2, "50000,4242\r\n").
		packet(asker(40001), ident, SYN, 1, "").packet(asker(40001), ident, PSH|ACK, 2, "50001 , 4242\r\n").
		packet(asker(40002), ident, SYN, 1, "").packet(ident, asker(40002), RST|ACK, 0, "")
	found := f.kept(roomy).find([]Want{wanting(client, server, 0, time.Second)})
	var asked []string
	for _, c := range found {
		if c.Identity {
			asked = append(asked, c.Client.String())
		}
	}
	g.Expect(found).To(HaveLen(3))
	g.Expect(asked).To(Equal([]string{"192.0.2.2:40000", "192.0.2.2:40002"}), "not the one that is about another client")
}

func TestTheLimitOfAConnection(t *testing.T) {
	g := NewWithT(t)
	f := newFilm(t).packet(client, server, SYN, 1, "").packet(port(50001), server, SYN, 1, "")
	for n := range uint32(50) {
		f.packet(client, server, PSH|ACK, 2+n*1000, strings.Repeat("x", 1000))
	}
	m := f.kept(Limits{Total: 1 << 20, Connection: 10_000})
	found := m.find([]Want{wanting(client, server, 0, time.Second), wanting(port(50001), server, 0, time.Second)})
	g.Expect(found).To(HaveLen(2))
	g.Expect(found[0].Dropped + len(found[0].Packets)).To(Equal(51))
	g.Expect(found[0].Packets[len(found[0].Packets)-1]).To(Equal(f.list[len(f.list)-1]), "the end is what is kept")
	g.Expect(found[0].Packets).To(HaveLen(8))
	g.Expect(found[1].Packets).To(HaveLen(1), "the flood of one costs another nothing")
	g.Expect(Capture{Connections: found, Status: Status{Limits: m.limits}}.Missing()).To(ContainSubstring("the oldest 43 packets were dropped"))
}

func TestTheLimitOfAll(t *testing.T) {
	g := NewWithT(t)
	f := newFilm(t)
	for n := range uint16(100) {
		f.packet(port(50000+n), server, SYN, 1, "").packet(port(50000+n), server, PSH|ACK, 2, strings.Repeat("x", 1000))
	}
	m := f.kept(Limits{Total: 20_000, Connection: 1 << 20})
	g.Expect(m.kept).To(BeNumerically("<=", 20_000))
	g.Expect(m.kept).To(BeNumerically(">", 18_000))
	g.Expect(m.dropped).To(BeNumerically(">", 150))
	sum := 0
	for _, c := range m.flows {
		sum += c.bytes
		for _, p := range c.packets {
			g.Expect(p.Data).NotTo(BeNil())
		}
	}
	g.Expect(sum).To(Equal(m.kept))
	oldest := m.find([]Want{wanting(port(50000), server, 0, time.Millisecond)})
	g.Expect(oldest).To(HaveLen(1), "that there was one is still known")
	g.Expect(oldest[0].Packets).To(BeEmpty())
	g.Expect(oldest[0].Dropped).To(Equal(2))
	youngest := m.find([]Want{wanting(port(50099), server, 0, time.Second)})
	g.Expect(youngest[0].Packets).To(HaveLen(2))
}

// Both limits at once: a place in the order that is empty must not cost another
// connection a packet, nor one be forgotten.
func TestBothLimits(t *testing.T) {
	g := NewWithT(t)
	f := newFilm(t)
	for n := range uint32(400) {
		f.packet(port(50000+uint16(n*n%7)), server, PSH|ACK, n, strings.Repeat("x", int(n*37%500)))
	}
	m := f.kept(Limits{Total: 9_000, Connection: 2_000})
	held := 0
	for _, c := range m.flows {
		held += len(c.packets)
		g.Expect(c.bytes).To(BeNumerically("<=", 2_000), fmt.Sprint(c.client))
	}
	g.Expect(m.kept).To(BeNumerically("<=", 9_000))
	g.Expect(held + m.dropped).To(Equal(400))
	g.Expect(m.seen).To(Equal(400))
}

func TestWhatIsSaidOfWhatIsMissing(t *testing.T) {
	g := NewWithT(t)
	found := newFilm(t).packet(client, server, SYN, 1, "").kept(roomy).find([]Want{wanting(client, server, 0, time.Second)})
	g.Expect(Capture{Connections: found}.Missing()).To(BeEmpty())
	g.Expect(Capture{}.Missing()).To(ContainSubstring("There are no packets of these connections"))
	g.Expect(Capture{Connections: found, Status: Status{Seen: 9, Lost: 3}}.Missing()).To(ContainSubstring("lost 3 of 9"))
	g.Expect(Capture{Status: Status{Absent: "no CAP_NET_RAW"}}.Missing()).To(ContainSubstring("no CAP_NET_RAW"))
	var nobody *Recorder
	g.Expect(nobody.Find(nil).Missing()).To(ContainSubstring("nobody recorded any"))
}
