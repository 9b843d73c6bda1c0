package capture

import (
	"bytes"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	. "github.com/onsi/gomega"
)

const secret = "conform-4242"

func payloads(c Connection) []string {
	var list []string
	for _, p := range c.Packets {
		if s, _ := p.Segment(); len(s.Payload) > 0 {
			list = append(list, string(s.Payload))
		}
	}
	return list
}

// summed says whether the checksum of a packet is right, as the library has it.
func summed(t *testing.T, p Packet) bool {
	t.Helper()
	packet := gopacket.NewPacket(p.Data, layers.LayerTypeEthernet, gopacket.Default)
	tcp := packet.TransportLayer().(*layers.TCP)
	if err := tcp.SetNetworkLayerForChecksum(packet.NetworkLayer()); err != nil {
		t.Fatal(err)
	}
	err, result := tcp.VerifyChecksum()
	if err != nil {
		t.Fatal(err)
	}
	return result.Valid
}

func TestASecretIsBlotted(t *testing.T) {
	for name, c := range map[string]struct {
		film *film
		want []string
	}{
		"in one segment":     {newFilm(t).packet(client, server, PSH|ACK, 10, "a"+secret+"\r"), []string{"a************\r"}},
		"at an odd place":    {newFilm(t).packet(client, server, PSH|ACK, 10, secret+"x"), []string{"************x"}},
		"in either way":      {newFilm(t).packet(server, client, PSH|ACK, 10, secret), []string{"************"}},
		"in two segments":    {newFilm(t).packet(client, server, SYN, 9, "").packet(client, server, ACK, 10, "x conf").packet(client, server, ACK, 16, "orm-4242 y"), []string{"x ****", "******** y"}},
		"byte by byte":       {newFilm(t).packet(client, server, ACK, 1, "conform").packet(client, server, ACK, 8, "-").packet(client, server, ACK, 9, "4242"), []string{"*******", "*", "****"}},
		"sent again":         {newFilm(t).packet(client, server, ACK, 1, secret).packet(client, server, ACK, 1, secret+"!"), []string{"************", "************!"}},
		"out of order":       {newFilm(t).packet(client, server, ACK, 1, "x").packet(client, server, ACK, 8, "m-4242").packet(client, server, ACK, 2, "confor"), []string{"x", "******", "******"}},
		"around the number":  {newFilm(t).packet(client, server, ACK, 0xfffffffe, "conf").packet(client, server, ACK, 2, "orm-4242"), []string{"****", "********"}},
		"over a gap":         {newFilm(t).packet(client, server, ACK, 1, "conform").packet(client, server, ACK, 18, "-4242"), []string{"conform", "-4242"}},
		"nothing of the two": {newFilm(t).packet(client, server, ACK, 1, "conform").packet(server, client, ACK, 8, "-4242"), []string{"conform", "-4242"}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			var before [][]byte
			for _, p := range c.film.list {
				before = append(before, bytes.Clone(p.Data))
			}
			blotted, changed := Connection{Client: client, Server: server, Packets: c.film.list}.Blotted("", secret)
			g.Expect(payloads(blotted)).To(Equal(c.want))
			for i, p := range blotted.Packets {
				g.Expect(summed(t, p)).To(BeTrue(), "packet %d", i)
				g.Expect(changed[i]).To(Equal(!bytes.Equal(p.Data, before[i])))
				g.Expect(c.film.list[i].Data).To(Equal(before[i]), "the original is as it was")
			}
		})
	}
}

// The kernel leaves checksums to the network card; one that is not finished must
// not look finished afterwards.
func TestAChecksumThatWasWrongStaysSo(t *testing.T) {
	g := NewWithT(t)
	f := newFilm(t).packet(client, server, ACK, 1, secret)
	s, _ := f.list[0].Segment()
	f.list[0].Data[s.checksum] ^= 0x55
	g.Expect(summed(t, f.list[0])).To(BeFalse())
	blotted, _ := Connection{Client: client, Server: server, Packets: f.list}.Blotted(secret)
	g.Expect(payloads(blotted)).To(Equal([]string{"************"}))
	g.Expect(summed(t, blotted.Packets[0])).To(BeFalse())
}

func TestTheTimesOfAConnection(t *testing.T) {
	g := NewWithT(t)
	f := newFilm(t).packet(client, server, SYN, 1, "").packet(client, server, SYN, 1, "").
		packet(server, client, SYN|ACK, 50, "").packet(client, server, ACK, 2, "").
		packet(server, client, PSH|ACK, 51, "hello").packet(server, client, PSH|ACK, 56, "again").
		packet(client, server, PSH|ACK, 2, "bye").packet(server, client, FIN|ACK, 61, "").
		packet(client, server, FIN|ACK, 5, "").packet(client, server, RST, 6, "")
	times := f.kept(roomy).find([]Want{wanting(client, server, 0, time.Second)})[0].Times()
	ms := func(n int) time.Time { return began.Add(time.Duration(n) * time.Millisecond) }
	g.Expect(times).To(Equal(Times{
		SYN: ms(0), SYNAgain: 1, Accepted: ms(2), Handshake: ms(3), FirstFromServer: ms(4),
		FirstFromClient: ms(6), FINFromServer: ms(7), FINFromClient: ms(8), Reset: ms(9),
	}))
	refused := Connection{Client: client, Server: server, Packets: newFilm(t).packet(client, server, SYN, 1, "").packet(server, client, RST|ACK, 0, "").list}.Times()
	g.Expect(refused).To(Equal(Times{SYN: ms(0), Reset: ms(1), ResetByServer: true}))
	g.Expect(Connection{}.Times()).To(Equal(Times{}))
}
