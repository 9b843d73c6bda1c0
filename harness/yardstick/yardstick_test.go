package yardstick

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"
)

// soon is far above what anything here takes, on a busy machine too.
const soon = 20 * time.Second

// The test binary is the program with the modes too.
func TestMain(m *testing.M) {
	if exit, known := Main(os.Args[1:]); known {
		os.Exit(exit)
	}
	os.Exit(m.Run())
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// start runs a mode and waits until its port answers.
func start(t *testing.T, mode string, port int, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{mode, strconv.Itoa(port)}, args...)...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	NewWithT(t).Eventually(func() error {
		c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			io.Copy(io.Discard, c)
			c.Close()
		}
		return err
	}, soon).Should(Succeed())
	return cmd
}

func say(t *testing.T, port int) string {
	t.Helper()
	c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(soon))
	said, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(said)
}

func TestTheFloorSaysOneByte(t *testing.T) {
	g := NewWithT(t)
	port := freePort(t)
	start(t, FloorMode, port)
	for range 10 {
		g.Expect(say(t, port)).To(Equal("\x06"))
	}
}

func TestTheIdealServerGivesTheProgramWhatXinetdDoes(t *testing.T) {
	g := NewWithT(t)
	if os.Getuid() != 0 {
		t.Skip("only root may choose groups")
	}
	port := freePort(t)
	server := start(t, IdealMode, port, "4711", "0,4711", "2", "/bin/sh", "-c", "id -u; id -g; id -G; umask; ps -o sid= -p $$ 2>/dev/null | grep -qw $$ && echo own; pwd")
	said := strings.Fields(say(t, port))
	g.Expect(said[:4]).To(Equal([]string{"0", "4711", "4711", "0"}))
	g.Expect(said[4]).To(Equal("0002"))
	g.Expect(said[len(said)-1]).To(Equal("/"))
	// It is called often, and nothing of it stays: every child is waited for.
	for range 20 {
		g.Expect(say(t, port)).NotTo(BeEmpty())
	}
	g.Eventually(func() string {
		out, _ := exec.Command("sh", "-c", fmt.Sprintf("for c in $(pgrep -P %d); do ps -o stat= --ppid $c; done", server.Process.Pid)).Output()
		return string(out)
	}, soon).ShouldNot(ContainSubstring("Z"))
}

func TestTheWrapperBecomesTheProgramAfterItsSleep(t *testing.T) {
	g := NewWithT(t)
	began := time.Now()
	cmd := exec.Command(os.Args[0], WrapMode, "50ms", "/bin/sh", "-c", "echo $0 $1; exit 7", "a", "b")
	out, err := cmd.Output()
	g.Expect(string(out)).To(Equal("a b\n"))
	g.Expect(time.Since(began)).To(BeNumerically(">=", 50*time.Millisecond))
	var exit *exec.ExitError
	g.Expect(err).To(BeAssignableToTypeOf(exit))
	g.Expect(cmd.ProcessState.ExitCode()).To(Equal(7))
}

func TestAModeWithoutItsArgumentsFails(t *testing.T) {
	for _, args := range [][]string{
		{FloorMode},
		{FloorMode, "many"},
		{IdealMode, "1"},
		{WrapMode, "1s"},
		{WrapMode, "soon", "/bin/true"},
		{TraceMode},
		{TraceMode, "1", "long"},
		{TraceMode, "999999999", "1"},
	} {
		exit, known := Main(args)
		g := NewWithT(t)
		g.Expect(known).To(BeTrue())
		g.Expect(exit).To(Equal(1), strings.Join(args, " "))
	}
	_, known := Main([]string{"serve"})
	NewWithT(t).Expect(known).To(BeFalse())
	_, known = Main(nil)
	NewWithT(t).Expect(known).To(BeFalse())
}

// forker accepts, forks and executes by a shell's own means, as xinetd does by
// its: what is followed must not be ours.
const forker = `
import os, signal, socket, sys
signal.signal(signal.SIGCHLD, lambda *_: None)
s = socket.socket(); s.bind(("127.0.0.1", int(sys.argv[1]))); s.listen(5)
while True:
    c, _ = s.accept()
    if os.fork() == 0:
        os.dup2(c.fileno(), 1)
        os.execv("/bin/echo", ["echo", "-n", "x"])
    c.close()
    os.wait()
`

func TestAServerIsFollowed(t *testing.T) {
	g := NewWithT(t)
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3 to play the super-server")
	}
	port := freePort(t)
	server := exec.Command(python, "-c", forker, strconv.Itoa(port))
	server.Stderr = os.Stderr
	g.Expect(server.Start()).To(Succeed())
	t.Cleanup(func() { server.Process.Kill(); server.Wait() })
	g.Eventually(func() error {
		c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			io.Copy(io.Discard, c)
			c.Close()
		}
		return err
	}, soon).Should(Succeed())

	tracer := exec.Command(os.Args[0], TraceMode, strconv.Itoa(server.Process.Pid), "1.5")
	out, err := tracer.StdoutPipe()
	g.Expect(err).NotTo(HaveOccurred())
	said, err := tracer.StderrPipe()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(tracer.Start()).To(Succeed())
	first := make([]byte, 8)
	_, err = io.ReadFull(said, first)
	g.Expect(err).NotTo(HaveOccurred())
	if string(first) != "tracing\n" {
		rest, _ := io.ReadAll(said)
		t.Skipf("this machine forbids it: %s%s", first, rest)
	}
	type span struct{ from, to int64 }
	var calls []span
	for range 5 {
		s := span{from: Now()}
		g.Expect(say(t, port)).To(Equal("x"))
		s.to = Now()
		calls = append(calls, s)
	}
	text, err := io.ReadAll(out)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(tracer.Wait()).To(Succeed())
	var traces []Trace
	g.Expect(json.Unmarshal(text, &traces)).To(Succeed())
	g.Expect(traces).To(HaveLen(len(calls)))
	for i, tr := range traces {
		g.Expect(tr.PID).NotTo(BeZero())
		g.Expect(tr.Forked).To(BeNumerically(">", calls[i].from))
		if tr.Accepted != 0 {
			g.Expect(tr.Accepted).To(And(BeNumerically(">", calls[i].from), BeNumerically("<", tr.Forked)))
		}
		g.Expect(tr.Executed).To(And(BeNumerically(">", tr.Forked), BeNumerically("<", calls[i].to)))
		g.Expect(tr.Exited).To(BeNumerically(">", tr.Executed))
	}
	// It is let go: it serves on, and nobody stops it.
	g.Expect(say(t, port)).To(Equal("x"))
	g.Expect(unix.Kill(server.Process.Pid, 0)).To(Succeed())
}
