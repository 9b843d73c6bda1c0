package target

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/container"
	. "github.com/onsi/gomega"

	"qmconformance/harness/agent"
	"qmconformance/harness/xinetd"
)

func TestTheLogOfASystem(t *testing.T) {
	g := NewWithT(t)
	tg, root := local(t)
	tg.ownSyslog = true
	put(t, root, "var/log/syslog", "2026-11-22T08:30:15.859019+00:00 host xinetd[38]: FAIL: qmserver service_limit from=192.0.2.7\n"+
		"2026-11-22T08:30:15.9+00:00 host systemd[1]: Stopping xinetd.service\n")
	put(t, root, "var/log/wtmp", "\x00\x01no line of a log\n")
	put(t, root, "var/log/journal/0/system.journal", "Nov 22 08:30:15 host xinetd[38]: EXIT: qmserver pid=1\n")
	put(t, root, "var/log/qm/xinetd.log", "26/11/22@08:06:00: START: qmclient pid=9 from=192.0.2.8\n")
	tg.logFiles = []string{"/var/log/qm/xinetd.log"}
	l, err := tg.ReadLog(limited(t), LogMark{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(l.Records).To(HaveLen(2), "its own file once, and the daemon's lines of xinetd")
	g.Expect(xinetd.Entries(l.Records, xinetd.Fail, "qmserver")).To(HaveLen(1))
	g.Expect(xinetd.Entries(l.Records, xinetd.Start, "qmclient")).To(HaveLen(1))

	at, err := tg.FileWith(limited(t), "FAIL: qmserver service_limit")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(at).To(Equal("/var/log/syslog"))

	// What a mark leaves out, and a file that the daemon begins after it.
	mark, err := tg.MarkLog(limited(t))
	g.Expect(err).NotTo(HaveOccurred())
	put(t, root, "var/log/daemon.log", "Nov 22 08:31:00 host xinetd[38]: FAIL: qmclient time from=192.0.2.9\n")
	l, err = tg.ReadLog(limited(t), mark)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(l.Records).To(HaveLen(1))
	g.Expect(l.Records[0].Reason).To(Equal("time"))
}

func TestControlGroupsThatAreLent(t *testing.T) {
	g := NewWithT(t)
	var first, second container.HostConfig
	controlGroups{}.prepare(&first)
	g.Expect(first.Binds).To(Equal([]string{"/sys/fs/cgroup/systemd:/sys/fs/cgroup/systemd:rw"}), "the hierarchy that limits nothing, and no other")
	g.Expect(first.CgroupnsMode).To(BeEmpty())
	controlGroups{unified: true}.prepare(&second)
	g.Expect(second.CgroupnsMode).To(Equal(container.CgroupnsModeHost))
	for _, h := range []container.HostConfig{first, second} {
		g.Expect(h.Privileged).To(BeFalse())
		g.Expect(h.Tmpfs).To(HaveKey("/run"))
		g.Expect(strings.Join(h.CapAdd, " ")).To(BeEmpty())
	}
}

// A daemon that is not well must not pass for one that has nothing to lend.
func TestWhatADaemonDoesNotLend(t *testing.T) {
	g := NewWithT(t)
	for text, lacks := range map[string]bool{
		`invalid mount config for type "bind": bind source path does not exist: /sys/fs/cgroup/systemd`: true,
		`OCI runtime create failed: error mounting "tmpfs" to rootfs at "/run"`:                         true,
		"driver failed programming external connectivity":                                               false,
		"write /var/lib/docker/x: no space left on device":                                              false,
		"context deadline exceeded":                                                                     false,
	} {
		g.Expect(lendsNothing(errors.New(text))).To(Equal(lacks), text)
	}
	g.Expect(lendsNothing(fmt.Errorf("agent: mount: %w", agent.ErrNoAnswer))).To(BeFalse())
}
