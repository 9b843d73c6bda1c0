package agent

import (
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"qmconformance/harness/yardstick"
)

func port(t *testing.T) uint16 {
	t.Helper()
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return uint16(l.Addr().(*net.TCPAddr).Port)
}

func TestAHelperIsStartedWatchedAndStopped(t *testing.T) {
	g := NewWithT(t)
	c, _ := connected(t)
	at := port(t)
	argv := []string{os.Args[0], yardstick.FloorMode, strconv.Itoa(int(at))}
	d, err := c.StartHelper(t.Context(), HelperRequest{Argv: argv, Ports: []uint16{at}, Ready: soon})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(d.Running).To(BeTrue())
	conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(at))))
	g.Expect(err).NotTo(HaveOccurred())
	said, err := io.ReadAll(conn)
	conn.Close()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(said).To(Equal([]byte{yardstick.FloorByte}))

	_, err = c.StartHelper(t.Context(), HelperRequest{Argv: argv, Ports: []uint16{at}, Ready: soon})
	g.Expect(err).To(MatchError(ContainSubstring("is taken")), "its owner would be measured in its place")

	d, err = c.StopHelper(t.Context(), d.PID)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(d.Running).To(BeFalse())
	_, err = c.HelperState(t.Context(), 1)
	g.Expect(err).To(MatchError(ContainSubstring("is no helper")))
}

func TestAHelperThatDoesNotComeUpIsAnError(t *testing.T) {
	g := NewWithT(t)
	c, _ := connected(t)
	at := port(t)
	for name, k := range map[string]struct {
		argv  []string
		ready time.Duration
		says  string
	}{
		"it ends":                  {[]string{"/bin/sh", "-c", "echo no room; exit 3"}, soon, "no room"},
		"it listens on nothing":    {[]string{"/bin/sleep", "600"}, 50 * time.Millisecond, "does not listen"},
		"there is no such program": {[]string{"/no/such/program"}, soon, "no such file"},
		"there is no command":      {nil, soon, "no command given"},
	} {
		_, err := c.StartHelper(t.Context(), HelperRequest{Argv: k.argv, Ports: []uint16{at}, Ready: k.ready})
		g.Expect(err).To(MatchError(ContainSubstring(k.says)), name)
	}
}

func TestTheEndOfTheServerOfAConnectionIsSeen(t *testing.T) {
	g := NewWithT(t)
	c, _ := connected(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	g.Expect(err).NotTo(HaveOccurred())
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	g.Expect(err).NotTo(HaveOccurred())
	defer client.Close()
	served, err := l.Accept()
	g.Expect(err).NotTo(HaveOccurred())
	file, err := served.(*net.TCPConn).File()
	g.Expect(err).NotTo(HaveOccurred())
	server := exec.Command("/bin/sleep", "600")
	server.Stdin = file
	g.Expect(server.Start()).To(Succeed())
	file.Close()
	served.Close()

	listener := l.Addr().(*net.TCPAddr).AddrPort()
	pid, err := c.WatchEnd(t.Context(), Ends{client.LocalAddr().(*net.TCPAddr).AddrPort(), listener})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(pid).To(Equal(server.Process.Pid))
	before := yardstick.Now()
	g.Expect(server.Process.Kill()).To(Succeed())
	at, err := c.Ended(t.Context(), pid)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(at).To(And(BeNumerically(">", before), BeNumerically("<=", yardstick.Now())))
	_ = server.Wait() // it was killed

	_, err = c.Ended(t.Context(), pid)
	g.Expect(err).To(MatchError(ContainSubstring("is not watched")), "an end is told once")
	_, err = c.WatchEnd(t.Context(), Ends{netip.MustParseAddrPort("192.0.2.1:9"), listener})
	g.Expect(err).To(MatchError(ContainSubstring("no process serves")))
}
