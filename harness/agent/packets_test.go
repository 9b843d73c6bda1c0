package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/vishvananda/netlink"

	"qmconformance/harness/capture"
)

// apart is what was found beside an agent that records, in namespaces of its own.
type apart struct {
	Found capture.Capture
	State capture.Status
	// Init, Agent and Command are the status of these processes, Descriptors those
	// that the command has.
	Init, Agent, Command, Descriptors string
}

// recordApart starts the agent as a container does, and a connection beside it.
func recordApart(program string) {
	found, err := beside(program)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_ = json.NewEncoder(os.Stdout).Encode(found)
	os.Exit(0) // and the namespace's other processes with this, its first
}

func beside(program string) (found apart, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	lo, err := netlink.LinkByName("lo")
	if err == nil {
		err = netlink.LinkSetUp(lo)
	}
	if err != nil {
		return found, err
	}
	cmd := exec.Command(program, "init")
	cmd.Env = append(os.Environ(), TokenEnv+"="+token)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return found, err
	}
	c, err := Connect(ctx, netip.MustParseAddr("127.0.0.1"), token)
	if err != nil {
		return found, err
	}
	// These are the caller's /proc: in it the agent's child is "self".
	for _, look := range []struct {
		into    *string
		command string
	}{
		{&found.Command, "cat /proc/self/status"},
		{&found.Descriptors, "for f in /proc/self/fd/*; do readlink $f; done; true"},
		{&found.Agent, "read -r line < /proc/self/stat; set -- $line; cat /proc/$4/task/*/status"},
		{&found.Init, "read -r line < /proc/self/stat; set -- $line; read -r line < /proc/$4/stat; set -- $line; cat /proc/$4/task/*/status"},
	} {
		res, err := c.Run(ctx, RunRequest{Argv: []string{"/bin/sh", "-c", look.command}})
		if err != nil || !res.OK() {
			return found, fmt.Errorf("%s: %+v %w", look.command, res, err)
		}
		*look.into = res.Output
	}
	l, err := net.Listen("tcp", "127.0.0.1:4242")
	if err != nil {
		return found, err
	}
	from := time.Now()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return found, err
	}
	local, _ := netip.ParseAddrPort(conn.LocalAddr().String())
	remote, _ := netip.ParseAddrPort(l.Addr().String())
	if found.Found, err = c.Packets(ctx, []capture.Want{{Local: local, Remote: remote, From: from, Until: time.Now()}}); err != nil {
		return found, err
	}
	found.State, err = c.Recording(ctx)
	return found, err
}

// The subject must not be able to tell that packets are recorded: it has neither
// the right to do so nor the socket.
func TestARecordingLeavesNoRightToWhatIsStarted(t *testing.T) {
	g := NewWithT(t)
	program := filepath.Join(t.TempDir(), "agent")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", program, "qmconformance/docker/agent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as in an image, whose build is in the cache
	out, err := build.CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(out))

	cmd := exec.CommandContext(t.Context(), self(t), "record", program)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	var errs strings.Builder
	cmd.Stderr = &errs
	text, err := cmd.Output()
	if errors.Is(err, syscall.EPERM) {
		t.Skip("this user may make no namespaces, so that nothing can be recorded here; a conformance run records")
	}
	g.Expect(err).NotTo(HaveOccurred(), errs.String())
	var found apart
	g.Expect(json.Unmarshal(text, &found)).To(Succeed())

	g.Expect(found.State.Absent).To(BeEmpty())
	g.Expect(found.Found.Connections).To(HaveLen(1))
	g.Expect(found.Found.Packets()).To(Equal(3), "the handshake")
	g.Expect(found.State.Seen).To(Equal(3), "and nothing of the calls to the agent")
	for name, status := range map[string]string{"init": found.Init, "the agent": found.Agent, "a command": found.Command} {
		g.Expect(status).To(MatchRegexp(`CapBnd:\t[0-9a-f]{16}`), name)
		for line := range strings.Lines(status) {
			field, value, _ := strings.Cut(strings.TrimSpace(line), ":\t")
			if !strings.HasPrefix(field, "Cap") {
				continue
			}
			var set uint64
			_, err := fmt.Sscanf(value, "%x", &set)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(set&(1<<13)).To(BeZero(), "%s has CAP_NET_RAW: %s", name, line)
			if field == "CapBnd" {
				g.Expect(set&(1<<12)).NotTo(BeZero(), "%s has lost CAP_NET_ADMIN too", name)
			}
		}
	}
	g.Expect(found.Descriptors).NotTo(ContainSubstring("socket:"))
}

func TestAnAgentThatDoesNotRecordSaysSo(t *testing.T) {
	g := NewWithT(t)
	var c capture.Capture
	g.Expect(New("").Packets([]capture.Want{{}}, &c)).To(Succeed())
	g.Expect(c.Missing()).To(ContainSubstring("nobody recorded any"))
	var s capture.Status
	g.Expect(New("").Recording(None{}, &s)).To(Succeed())
	g.Expect(s.Absent).To(Equal("nobody recorded any"))
}
