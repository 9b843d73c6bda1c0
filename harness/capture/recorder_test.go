package capture

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/vishvananda/netlink"
)

// roleEnv makes the test binary play a part in a namespace of its own.
const roleEnv = "CAPTURE_TEST_ROLE"

// ownPort stands for that of the harness's control connection.
const ownPort = 61442

func TestMain(m *testing.M) {
	role, there := map[string]func() (Capture, error){"record": record, "refused": refused}[os.Getenv(roleEnv)]
	if !there {
		os.Exit(m.Run())
	}
	c, err := role()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_ = json.NewEncoder(os.Stdout).Encode(c)
}

// play runs a role in namespaces of its own, where it is root and alone on the
// network; an unprivileged user may have that too.
func play(role string, attr *syscall.SysProcAttr) (c Capture, said string, err error) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), roleEnv+"="+role)
	cmd.SysProcAttr = attr
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &c)
	}
	return c, errs.String(), err
}

func alone() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
}

// record talks over loopback and asks for connections, one of which is left out.
func record() (Capture, error) {
	lo, err := netlink.LinkByName("lo")
	if err == nil {
		err = netlink.LinkSetUp(lo)
	}
	if err != nil {
		return Capture{}, err
	}
	r := Start(ownPort, roomy)
	var wants []Want
	for _, at := range []string{"127.0.0.1:4242", "[::1]:4243", fmt.Sprintf("127.0.0.1:%d", ownPort)} {
		w, err := talk(at)
		if err != nil {
			return Capture{}, err
		}
		wants = append(wants, w)
	}
	if _, err := net.Dial("tcp", "127.0.0.1:4999"); !errors.Is(err, syscall.ECONNREFUSED) {
		return Capture{}, fmt.Errorf("nobody listens there: %w", err)
	}
	wants = append(wants, Want{Name: "refused", Remote: netip.MustParseAddrPort("127.0.0.1:4999"), From: wants[2].Until, Until: time.Now()})
	return r.Find(wants), nil
}

// talk has one conversation, greeting first.
func talk(at string) (Want, error) {
	l, err := net.Listen("tcp", at)
	if err != nil {
		return Want{}, err
	}
	defer l.Close()
	go func() {
		if c, err := l.Accept(); err == nil {
			_, _ = c.Write([]byte("hello"))
			c.Close()
		}
	}()
	from := time.Now()
	c, err := net.Dial("tcp", at)
	if err != nil {
		return Want{}, err
	}
	defer c.Close()
	buffer := make([]byte, 16)
	n, err := c.Read(buffer)
	if string(buffer[:n]) != "hello" {
		return Want{}, fmt.Errorf("read %q: %w", buffer[:n], err)
	}
	local, _ := netip.ParseAddrPort(c.LocalAddr().String())
	remote, _ := netip.ParseAddrPort(at)
	return Want{Name: at, Local: local, Remote: remote, From: from, Until: time.Now()}, nil
}

// refused has no right to a packet socket.
func refused() (Capture, error) { return Start(ownPort, roomy).Find([]Want{{}}), nil }

func TestALiveRecording(t *testing.T) {
	g := NewWithT(t)
	c, said, err := play("record", alone())
	if errors.Is(err, syscall.EPERM) {
		t.Skip("this user may make no namespaces, so that nothing can be recorded here; a conformance run records")
	}
	g.Expect(err).NotTo(HaveOccurred(), said)
	g.Expect(c.Status.Absent).To(BeEmpty())
	g.Expect(c.Missing()).To(BeEmpty())
	g.Expect(c.Connections).To(HaveLen(3), "not that of the harness's own port")
	for i, want := range []string{"127.0.0.1:4242", "[::1]:4243"} {
		one := c.Connections[i]
		g.Expect(one.Name).To(Equal(want))
		g.Expect(one.Server.String()).To(Equal(want))
		g.Expect(payloads(one)).To(Equal([]string{"hello"}), "each packet once, though loopback shows it twice")
		times := one.Times()
		g.Expect(times.SYNAgain).To(BeZero())
		g.Expect(times.SYN).To(BeTemporally("<", times.Accepted))
		g.Expect(times.Accepted).To(BeTemporally("<", times.Handshake))
		g.Expect(times.Handshake).To(BeTemporally("<", times.FirstFromServer))
		g.Expect(times.SYN).To(BeTemporally("~", time.Now(), time.Minute), "by the wall clock")
		g.Expect(c.Interfaces[one.Packets[0].Interface]).To(Equal("lo"))
	}
	g.Expect(c.Connections[2].Times().ResetByServer).To(BeTrue())
	g.Expect(c.Connections[2].Packets).To(HaveLen(2))
}

func TestARecordingWithoutTheRight(t *testing.T) {
	g := NewWithT(t)
	attr := &syscall.SysProcAttr{}
	if os.Getuid() == 0 {
		attr.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
	}
	c, said, err := play("refused", attr)
	g.Expect(err).NotTo(HaveOccurred(), said)
	g.Expect(c.Connections).To(BeEmpty())
	g.Expect(c.Missing()).To(Equal("There are no packets: the target has no CAP_NET_RAW, which packet sockets need (packet(7))."))
}
