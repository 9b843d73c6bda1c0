package evidence

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"qmconformance/harness/verdict"
	"qmconformance/harness/wire"
)

func TestARecordKeepsItsStructure(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	b := &Bundle{}
	b.Wire("qmserver", transcript(event(wire.KindSent, "x"), event(wire.KindReceived, "\xff\x00"), wire.Event{At: 3 * time.Second, Kind: wire.KindFIN}))
	b.Compare("at the prompt", []Row{{"umask", "0002", "0022", true}})
	b.Log("xinetd.log", "START\n")
	b.Source("/etc/xinetd.d/qmserver", "service qmserver\n")
	where := verdict.Place{File: "/etc/xinetd.d/qmserver", Line: 1}
	g.Expect(WriteRecord(dir, "evidence/SERV-17-qmserver", b, where)).To(Succeed())
	got, err := ReadRecord(dir, "evidence/SERV-17-qmserver")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(got).To(Equal(b.Record(where)))
	g.Expect(got.Transcripts[0].Wire.Events[1].Data).To(Equal([]byte("\xff\x00")))
	g.Expect(got.Transcripts[0].Span()).To(Equal(3 * time.Second))
	g.Expect(got.Where).To(Equal(where))
	g.Expect(got.Comparisons[0].Rows[0].Differs).To(BeTrue())
	names := []string{}
	for _, f := range b.Files() {
		names = append(names, f.Name)
	}
	g.Expect(names).To(Equal([]string{"wire-qmserver.txt", "xinetd.log.txt", "etc-xinetd.d-qmserver.txt"}), "logs and files are texts as well")
}

func TestNoSecretIsInARecord(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	b := &Bundle{}
	b.Wire("a", transcript(event(wire.KindSent, secret[:4]), event(wire.KindSent, secret[4:])))
	b.Log("log", "said "+secret)
	b.Source("/etc/x", secret)
	b.Compare("c", []Row{{Fact: "arguments", Contract: "qm", Seen: "qm " + secret}})
	b.Secret(secret)
	g.Expect(WriteRecord(dir, "f", b, verdict.Place{})).To(Succeed())
	text, err := os.ReadFile(filepath.Join(dir, "f", RecordFile))
	g.Expect(err).NotTo(HaveOccurred())
	forms := append(inBase64(secret), secret, escaped(secret))
	for _, form := range forms {
		g.Expect(string(text)).NotTo(ContainSubstring(form))
	}
	got, err := ReadRecord(dir, "f")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(got.Transcripts[0].Wire.Bytes(wire.KindSent))).To(Equal("************"))
}

func TestAFloodStaysWithinTheRecord(t *testing.T) {
	g := NewWithT(t)
	events := []wire.Event{{Kind: wire.KindReceived, Data: bytes.Repeat([]byte("a"), 1<<18), Size: 1 << 18}}
	for i := range 4000 {
		events = append(events, wire.Event{At: time.Duration(i), Kind: wire.KindReceived, Data: []byte("b"), Size: 1})
	}
	events = append(events, wire.Event{At: time.Second, Kind: wire.KindReset})
	b := &Bundle{}
	b.Wire("flood", transcript(events...))
	got := b.Record(verdict.Place{}).Transcripts[0].Wire
	g.Expect(got.Events).To(HaveLen(recordedEvents + 1))
	g.Expect(got.Events[0].Data).To(HaveLen(recordedBytes))
	g.Expect(got.Events[0].Size).To(Equal(1<<18), "what is left out is counted")
	g.Expect(got.Events[recordedEvents/2].Kind).To(Equal(wire.KindElided))
	g.Expect(got.Events[recordedEvents].Kind).To(Equal(wire.KindReset), "the end is kept")
	g.Expect(b.transcripts[0].Wire.Events[0].Data).To(HaveLen(1<<18), "the bundle itself is not shortened")
}

func TestAFolderWithoutARecord(t *testing.T) {
	g := NewWithT(t)
	_, err := ReadRecord(t.TempDir(), "f")
	g.Expect(err).To(MatchError(os.ErrNotExist))
	dir := t.TempDir()
	g.Expect(os.WriteFile(filepath.Join(dir, RecordFile), []byte("{"), 0o644)).To(Succeed())
	_, err = ReadRecord(dir, "")
	g.Expect(err).To(MatchError(ContainSubstring(RecordFile)))
}
