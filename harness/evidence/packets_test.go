package evidence

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"qmconformance/harness/capture"
	"qmconformance/harness/wire"
)

// recording answers as a target would, and notes what it was asked.
type recording struct {
	answer capture.Capture
	err    error
	asked  [][]capture.Want
}

func (r *recording) find(_ context.Context, wants []capture.Want) (capture.Capture, error) {
	r.asked = append(r.asked, wants)
	return r.answer, r.err
}

func onePacket() capture.Capture {
	return capture.Capture{Connections: []capture.Connection{{Packets: []capture.Packet{{At: time.Unix(1, 2), Length: 3, Data: []byte("abc")}}}}}
}

func names(dir string) []string {
	var list []string
	files, _ := os.ReadDir(dir)
	for _, f := range files {
		list = append(list, f.Name())
	}
	return list
}

func TestPacketsAreAskedForOnceAndOnlyWhenEvidenceIsWritten(t *testing.T) {
	g := NewWithT(t)
	r := &recording{answer: onePacket()}
	b := &Bundle{}
	b.Packets(r.find)
	talk := transcript(event(wire.KindConnected, ""))
	talk.Events[0].At = time.Second
	b.Wire("talk", talk)
	b.Wire("talk-again", talk)
	other := talk
	other.Local = netip.MustParseAddrPort("192.0.2.1:50001")
	b.Connection("knock", other)
	b.Connection("the same as the first", talk)
	b.Files()
	g.Expect(r.asked).To(BeEmpty(), "a green verdict needs none")

	dir := t.TempDir()
	for _, folder := range []string{"a", "b"} {
		g.Expect(Write(dir, folder, b, nil, "true")).To(Succeed())
		g.Expect(names(filepath.Join(dir, folder))).To(ContainElement(PacketsFile))
		g.Expect(names(filepath.Join(dir, folder))).NotTo(ContainElement(missingFile))
	}
	g.Expect(r.asked).To(HaveLen(1), "all verdicts of a look share them")
	var wanted []string
	for _, w := range r.asked[0] {
		wanted = append(wanted, w.Name)
		g.Expect(w.From).To(Equal(talk.Started))
		g.Expect(w.Until).To(Equal(talk.Started.Add(time.Second)))
		g.Expect(w.Remote).To(Equal(talk.Remote))
	}
	g.Expect(wanted).To(Equal([]string{"talk", "talk-again", "knock"}))
}

func TestWhyThereAreNoPacketsIsSaid(t *testing.T) {
	for name, c := range map[string]struct {
		source Source
		want   string
	}{
		"a target that records nothing":     {nil, "There are no packets: nobody recorded any.\n"},
		"a target that is gone":             {(&recording{err: errors.New("connection is shut down")}).find, "There are no packets: the target could not be asked: connection is shut down.\n"},
		"a target that may not record":      {(&recording{answer: capture.Capture{Status: capture.Status{Absent: "it may not"}}}).find, "There are no packets: it may not.\n"},
		"a connection that was not seen":    {(&recording{}).find, "There are no packets of these connections among 0"},
		"a connection of which some remain": {(&recording{answer: someDropped()}).find, "the oldest 7 packets were dropped"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			b := &Bundle{}
			b.Packets(c.source)
			b.Wire("talk", transcript())
			dir := t.TempDir()
			g.Expect(Write(dir, "a", b, nil, "true")).To(Succeed())
			text, err := os.ReadFile(filepath.Join(dir, "a", missingFile))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(string(text)).To(ContainSubstring(c.want))
		})
	}
}

func someDropped() capture.Capture {
	c := onePacket()
	c.Connections[0].Dropped = 7
	return c
}

func TestWhereNobodyWasConnectedToThereAreNoPackets(t *testing.T) {
	g := NewWithT(t)
	r := &recording{answer: onePacket()}
	b := &Bundle{}
	b.Packets(r.find)
	b.Text("services", "qmserver 4242/tcp")
	dir := t.TempDir()
	g.Expect(Write(dir, "a", b, nil, "true")).To(Succeed())
	g.Expect(names(filepath.Join(dir, "a"))).To(ConsistOf("services.txt", "reproduce.sh"))
	g.Expect(r.asked).To(BeEmpty())
}
