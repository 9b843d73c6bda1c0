package agent

import (
	"os/exec"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

func TestTheEndOfAProcessIsSeen(t *testing.T) {
	g := NewWithT(t)
	cmd := exec.Command("sleep", "60")
	g.Expect(cmd.Start()).To(Succeed())
	ended := make(chan struct{})
	go func() {
		awaitEnd(cmd.Process.Pid)
		close(ended)
	}()
	g.Consistently(ended, 50*time.Millisecond).ShouldNot(BeClosed())
	g.Expect(cmd.Process.Kill()).To(Succeed())
	g.Eventually(ended, 20*time.Second).Should(BeClosed())
	_ = cmd.Wait()
	awaitEnd(cmd.Process.Pid) // one that has gone is no wait
}

// An agent that is not the child of our own init must not signal whatever PID 1 is.
func TestOnlyOurOwnInitIsTold(t *testing.T) {
	g := NewWithT(t)
	g.Expect(New(t.TempDir()).BecomeSystemd(None{}, nil)).To(MatchError(ContainSubstring("not this agent's")))
	g.Expect(Watchdog("no number")).To(Equal(1))
}
