package observe

import (
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"qmconformance/harness/agent"
	"qmconformance/harness/qmclient"
	"qmconformance/harness/requirement"
	"qmconformance/harness/wire/symptom"
	"qmconformance/harness/xinetd"
)

// says listens, and says the same to each client; with an answer it waits for a
// request first, and ends the connection after it.
func says(t *testing.T, text string, answer []byte) uint16 {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(soon))
				_, _ = io.WriteString(conn, text)
				if answer != nil {
					_, _ = io.ReadFull(conn, make([]byte, len(qmclient.EncodeQuit())))
					_, _ = conn.Write(answer)
				}
			}()
		}
	}()
	return uint16(l.Addr().(*net.TCPAddr).Port)
}

func TestWhatAClientIsToldOfTheDatabase(t *testing.T) {
	opening := "\xff\xfd\x2d\xff\xfb\x01\xff\xfd\x03\xff\xfb\x03\xff\xfe\x22"
	for name, c := range map[string]struct {
		service requirement.Service
		text    string
		answer  []byte
		want    Told
		said    string
	}{
		"a program, stopped":   {requirement.QMClient, "\x06ScarletDME has not been started\n", nil, Told{Connected: true, Ended: true, Symptom: symptom.NotStarted}, "FIN"},
		"a terminal, stopped":  {requirement.QMServer, opening + "ScarletDME has not been started\n", nil, Told{Connected: true, Ended: true, Symptom: symptom.NotStarted}, "FIN"},
		"a program, suspended": {requirement.QMClient, "\x06ScarletDME is suspended\n", nil, Told{Connected: true, Ended: true, Symptom: symptom.Suspended}, "suspended"},
		"a terminal, full":     {requirement.QMServer, opening + "\aUser limit reached\r\x00\n", nil, Told{Connected: true, Ended: true, Symptom: symptom.UserLimit}, "limit"},
		"a program, full":      {requirement.QMClient, "\x06", []byte{}, Told{Connected: true, Ended: true}, "FIN"},
		"a program, served":    {requirement.QMClient, "\x06", qmclient.NotLoggedIn().Encode(), Told{Connected: true, Ended: true, Served: true}, "FIN"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			s, _ := scene(t)
			s.Service, s.Port = c.service, says(t, c.text, c.answer)
			got := told(limited(t), s, "client")
			g.Expect(got.Said).To(ContainSubstring(c.said))
			got.Said = ""
			g.Expect(got).To(Equal(c.want))
			g.Expect(s.Evidence.Files()).To(HaveLen(1))
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		g := NewWithT(t)
		s, _ := scene(t)
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		g.Expect(err).NotTo(HaveOccurred())
		s.Service, s.Port = requirement.QMClient, uint16(l.Addr().(*net.TCPAddr).Port)
		l.Close()
		got := told(limited(t), s, "client")
		g.Expect(got.Connected || got.Served || got.Ended).To(BeFalse())
		g.Expect(got.Said).To(ContainSubstring("refused"))
	})
}

func TestACommandOfTheDatabaseThatFails(t *testing.T) {
	g := NewWithT(t)
	s, root := scene(t)
	s.Tree = root
	program := put(t, root, "bin/qm", "#!/bin/sh\necho \"$1\" >>"+root+"/done\n[ \"$1\" != -suspend ] || { echo no; exit 3; }\n", 0o755)
	s.Ports = map[requirement.Service]uint16{requirement.QMServer: says(t, "", nil), requirement.QMClient: says(t, "\x06", []byte{})}
	g.Expect(s.QM()).To(Equal(program))
	db := &database{scene: s}
	for _, verb := range []string{"-stop", "-suspend", "-resume"} {
		db.do(limited(t), verb)
	}
	g.Expect(db.err).NotTo(HaveOccurred())
	g.Expect(db.failed).To(Equal("qm -suspend ended with status 3: no"))
	done, err := os.ReadFile(root + "/done")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(strings.Fields(string(done))).To(Equal([]string{"-stop", "-suspend"}), "nothing is tried after a failure")
	g.Expect(db.met(limited(t), "resumed")).To(BeEmpty())
}

func TestTheNumberOfUsersOfAConfiguration(t *testing.T) {
	g := NewWithT(t)
	g.Expect(numUsers("[qm]\nQMSYS=/usr/qmsys\nNUMUSERS=10\nSORTMEM=4096\n", 2)).To(Equal("[qm]\nNUMUSERS=2\nQMSYS=/usr/qmsys\nSORTMEM=4096\n"))
	g.Expect(numUsers("# x\n[QM]\nQMSYS=/usr/qmsys", 3)).To(Equal("# x\n[QM]\nNUMUSERS=3\nQMSYS=/usr/qmsys\n"))
	g.Expect(numUsers("[qm]\r\n numusers = 4\r\n", 3)).To(Equal("[qm]\nNUMUSERS=3\n"))
}

func TestAStartThatOvertookTheStop(t *testing.T) {
	failed := Restarting{Restart: Interrupted{Result: agent.RunResult{Output: "Stopping xinetd.\nStarting xinetd failed!\n"}}}
	listening := failed
	listening.After = []int{20}
	for name, c := range map[string]struct {
		restarting Restarting
		told       string
	}{
		"it found one and started none":    {failed, "Starting xinetd failed!"},
		"the new one found the port bound": {Restarting{Log: []xinetd.Record{{Text: "Exiting..."}, {Text: "bind failed (Address already in use)"}}}, "bind failed (Address already in use)"},
		"the old one listens still":        {listening, ""},
		"no start at all":                  {Restarting{Restart: Interrupted{Result: agent.RunResult{Output: "Stopping xinetd.\n"}}}, ""},
	} {
		told, ok := c.restarting.overtaken()
		if told != c.told || ok != (c.told != "") {
			t.Errorf("%s: overtaken is %q, %v", name, told, ok)
		}
	}
}
