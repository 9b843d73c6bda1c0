package pcapng

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	. "github.com/onsi/gomega"

	"qmconformance/harness/capture"
)

var (
	client = netip.MustParseAddrPort("192.0.2.1:50000")
	server = netip.MustParseAddrPort("192.0.2.2:4242")
	began  = time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.UTC)
)

func packet(t *testing.T, after time.Duration, link int, payload string) capture.Packet {
	t.Helper()
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: client.Addr().AsSlice(), DstIP: server.Addr().AsSlice()}
	tcp := &layers.TCP{SrcPort: layers.TCPPort(client.Port()), DstPort: layers.TCPPort(server.Port()), ACK: true, Seq: uint32(after)}
	if err := tcp.SetNetworkLayerForChecksum(ip); err != nil {
		t.Fatal(err)
	}
	ethernet := &layers.Ethernet{SrcMAC: make([]byte, 6), DstMAC: make([]byte, 6), EthernetType: layers.EthernetTypeIPv4}
	buffer := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buffer, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ethernet, ip, tcp, gopacket.Payload(payload)); err != nil {
		t.Fatal(err)
	}
	return capture.Packet{At: began.Add(after), Interface: link, Length: len(buffer.Bytes()), Data: buffer.Bytes()}
}

// row is what a reader gets.
type row struct {
	info     gopacket.CaptureInfo
	data     []byte
	comments []string
}

func read(t *testing.T, file []byte) (*pcapgo.NgReader, []row) {
	t.Helper()
	r, err := pcapgo.NewNgReader(bytes.NewReader(file), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	for {
		data, info, options, err := r.ReadPacketDataWithOptions()
		if errors.Is(err, io.EOF) {
			return r, rows
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row{info, data, options.Comments})
	}
}

func TestAFileReadBack(t *testing.T) {
	g := NewWithT(t)
	const secret = "conform-4242"
	lo, eth := packet(t, 3, 1, "x"), packet(t, 1, 7, "name\r"+secret+"\r")
	cut := packet(t, 2, 7, "long")
	cut.Length += 500
	c := capture.Capture{
		Interfaces: map[int]string{1: "lo", 7: "eth0"},
		Connections: []capture.Connection{
			{Name: "qmserver", Client: client, Server: server, Packets: []capture.Packet{lo}, Dropped: 4},
			{Client: client, Server: server, Packets: []capture.Packet{eth, cut}},
		},
		Status: capture.Status{Since: began, Limits: capture.TargetLimits},
	}
	file, err := File(c, secret)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(file)).NotTo(ContainSubstring(secret))
	r, rows := read(t, file)
	g.Expect(rows).To(HaveLen(3))
	for i, want := range []struct {
		after time.Duration
		link  string
	}{{1, "eth0"}, {2, "eth0"}, {3, "lo"}} {
		g.Expect(rows[i].info.Timestamp.UTC()).To(Equal(began.Add(want.after)), "to the nanosecond, in order")
		link, err := r.Interface(rows[i].info.InterfaceIndex)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(link.Name).To(Equal(want.link))
		g.Expect(link.LinkType).To(Equal(layers.LinkTypeEthernet))
	}
	g.Expect(rows[0].comments).To(Equal([]string{blotted}))
	g.Expect(string(rows[0].data)).To(HaveSuffix("name\r************\r"))
	g.Expect(rows[1].info.Length).To(Equal(len(cut.Data) + 500))
	g.Expect(rows[2].comments).To(ConsistOf("Connection qmserver.", ContainSubstring("oldest 4 packets")))
	g.Expect(rows[2].data).To(Equal(lo.Data))
	comment := r.SectionInfo().Comment
	g.Expect(comment).To(And(ContainSubstring("3 packets of 2 connections"), ContainSubstring("In 1 packets a password"), ContainSubstring("1024 KiB a connection")))
}

func TestAFileWithoutPackets(t *testing.T) {
	g := NewWithT(t)
	file, err := File(capture.Capture{Status: capture.Status{Absent: "of a reason"}})
	g.Expect(err).NotTo(HaveOccurred())
	r, rows := read(t, file)
	g.Expect(rows).To(BeEmpty())
	g.Expect(strings.TrimSpace(r.SectionInfo().Comment)).To(HaveSuffix("There are no packets: of a reason."))
}

func TestTheQuestionForAUserIsMarked(t *testing.T) {
	g := NewWithT(t)
	file, err := File(capture.Capture{Connections: []capture.Connection{{Name: "refused", Identity: true, Packets: []capture.Packet{packet(t, 1, 3, "")}}}})
	g.Expect(err).NotTo(HaveOccurred())
	r, rows := read(t, file)
	g.Expect(rows[0].comments).To(Equal([]string{"The question for the user behind refused (RFC 1413)."}))
	link, _ := r.Interface(0)
	g.Expect(link.Name).To(Equal("interface 3"), "of one that is gone")
}
