package agent

import (
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

func TestReadinessOfASuperServer(t *testing.T) {
	g := NewWithT(t)
	c, root := connected(t)
	log := devLog(t, root)
	_, err := c.Syslog(limited(t))
	g.Expect(err).NotTo(HaveOccurred())
	fails := put(t, root, "fails", "#!/bin/sh\necho this is why >&2\nexit 3\n", 0o755)
	broken := put(t, root, "broken", "\x7fno program", 0o755)
	const brief = 400 * time.Millisecond
	for _, k := range []struct {
		name  string
		req   StartRequest
		check func(g Gomega, r Readiness)
	}{
		{"it ends at once", StartRequest{[]string{fails}, soon}, func(g Gomega, r Readiness) {
			g.Expect(r.Ready).To(BeFalse())
			g.Expect(r.Daemon.Running).To(BeFalse())
			g.Expect(r.Daemon.Exit).To(Equal("exit status 3"))
			g.Expect(r.Daemon.Output).To(Equal("this is why\n"))
			g.Expect(r.Waited).To(BeNumerically("<", soon/2))
		}},
		{"it ends well, which is no better", StartRequest{[]string{"/bin/true"}, soon}, func(g Gomega, r Readiness) {
			g.Expect(r.Ready).To(BeFalse())
			g.Expect(r.Daemon.Exit).To(Equal("exit status 0"))
		}},
		{"it cannot be executed", StartRequest{[]string{broken}, soon}, func(g Gomega, r Readiness) {
			g.Expect(r.Ready).To(BeFalse())
			g.Expect(r.Daemon.PID).To(BeZero())
			g.Expect(r.Daemon.Exit).To(ContainSubstring("exec format error"))
		}},
		{"it never listens", StartRequest{[]string{self(t), "mute"}, brief}, func(g Gomega, r Readiness) {
			g.Expect(r.Ready).To(BeFalse())
			g.Expect(r.Daemon.Running).To(BeTrue())
			g.Expect(r.Listeners).To(BeEmpty())
			g.Expect(r.Waited).To(BeNumerically(">=", brief))
		}},
		{"it listens and says nothing", StartRequest{[]string{self(t), "listen"}, soon}, func(g Gomega, r Readiness) {
			g.Expect(r.Ready).To(BeTrue())
			g.Expect(r.Line).To(BeEmpty())
			g.Expect(r.Listeners).To(HaveLen(1))
			g.Expect(r.Waited).To(BeNumerically(">=", settle))
			g.Expect(r.Daemon.Output).To(Equal("this is no xinetd\n"))
		}},
		{"it says that it is ready", StartRequest{[]string{self(t), "listen", log}, soon}, func(g Gomega, r Readiness) {
			g.Expect(r.Ready).To(BeTrue())
			g.Expect(r.Line).To(ContainSubstring("Started working: 2 available services"))
			g.Expect(r.Listeners).To(HaveLen(1))
		}},
		{"an earlier start's line says nothing of this one", StartRequest{[]string{self(t), "mute"}, brief}, func(g Gomega, r Readiness) {
			g.Expect(r.Ready).To(BeFalse())
			g.Expect(r.Line).To(BeEmpty())
		}},
	} {
		t.Run(k.name, func(t *testing.T) {
			g := NewWithT(t)
			r, err := c.StartXinetd(limited(t), k.req)
			g.Expect(err).NotTo(HaveOccurred())
			k.check(g, r)
			if !r.Daemon.Running {
				return
			}
			_, err = c.StartXinetd(limited(t), k.req)
			g.Expect(err).To(MatchError(ContainSubstring("runs already")))
			d, err := c.StopXinetd(limited(t), syscall.SIGTERM)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(d.Running).To(BeFalse())
			g.Expect(d.Exit).To(Equal("signal: terminated"))
		})
	}
}

func TestWhatCannotBeStartedAtAll(t *testing.T) {
	g := NewWithT(t)
	c, _ := connected(t)
	for _, argv := range [][]string{nil, {"/nowhere/xinetd"}, {"/etc"}} {
		_, err := c.StartXinetd(limited(t), StartRequest{argv, soon})
		g.Expect(err).To(HaveOccurred(), "%v", argv)
	}
	_, err := c.XinetdState(limited(t))
	g.Expect(err).To(MatchError(ContainSubstring("was not started")))
	_, err = c.Listeners(limited(t))
	g.Expect(err).To(MatchError(ContainSubstring("was not started")))
	_, err = c.StopXinetd(limited(t), syscall.SIGTERM)
	g.Expect(err).To(MatchError(ContainSubstring("was not started")))
}

func TestListenersFollowTheSuperServer(t *testing.T) {
	g := NewWithT(t)
	c, _ := connected(t)
	ready, err := c.StartXinetd(limited(t), StartRequest{[]string{self(t), "listen"}, soon})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.Listeners(limited(t))).To(Equal(ready.Listeners))
	_, err = c.StopXinetd(limited(t), syscall.SIGKILL)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.Listeners(limited(t))).To(BeEmpty())
}

func TestStopping(t *testing.T) {
	for name, k := range map[string]struct {
		signal syscall.Signal
		frozen bool
		exit   string
	}{
		"by a signal that ends it":          {syscall.SIGTERM, false, "signal: terminated"},
		"by one that it ignores, after all": {syscall.SIGHUP, false, "signal: killed"},
		"while it is stopped by the kernel": {syscall.SIGTERM, true, "signal: terminated"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			c, _ := connected(t)
			r, err := c.StartXinetd(limited(t), StartRequest{[]string{self(t), "listen"}, soon})
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(r.Ready).To(BeTrue())
			if k.frozen {
				g.Expect(c.Signal(limited(t), r.Daemon.PID, syscall.SIGSTOP)).To(Succeed())
			}
			d, err := c.StopXinetd(limited(t), k.signal)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(d.Exit).To(Equal(k.exit))
			// Told twice it says how it ended.
			d, err = c.StopXinetd(limited(t), k.signal)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(d.Exit).To(Equal(k.exit))
			d, err = c.XinetdState(limited(t))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(d.Running).To(BeFalse())
		})
	}
}
