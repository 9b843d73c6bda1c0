package agent_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"qmconformance/harness/agent"
	"qmconformance/harness/agent/agenttest"
)

// endless is a reader without an end.
type endless []byte

func (e endless) Read(p []byte) (int, error) {
	for n := 0; n < len(p); {
		n += copy(p[n:], e)
	}
	return len(p), nil
}

// Whatever comes in an answer's place, a call ends with an error that says that there
// was no answer, and the memory of this process stays its own.
func TestWhatIsNoAnswer(t *testing.T) {
	for name, says := range map[string]io.Reader{
		"nothing, and the end": bytes.NewReader(nil),
		"text":                 bytes.NewReader([]byte("SSH-2.0-OpenSSH_9.2\r\n")),
		"half an answer":       bytes.NewReader([]byte{0x2d, 0xff, 0x81, 0x03}),
		// gob's length of a message that would fill the memory, and what fills it.
		"a message that never ends": io.MultiReader(bytes.NewReader([]byte{0xfc, 0x3f, 0xff, 0xff, 0xff}), endless("x")),
		"a flood of small ones":     endless{0x01, 0x00},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			c := agenttest.Raw(t, says)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			ctx, cancel := context.WithTimeout(t.Context(), agenttest.Patience)
			defer cancel()
			began := time.Now()
			_, err := c.Stat(ctx, "/")
			g.Expect(err).To(MatchError(agent.ErrNoAnswer))
			g.Expect(ctx.Err()).NotTo(HaveOccurred(), "it was noticed, not waited for")
			runtime.ReadMemStats(&after)
			g.Expect(after.Sys - before.Sys).To(BeNumerically("<", uint64(1<<30)))
			t.Logf("%v after %v", err, time.Since(began))
			_, err = c.Stat(ctx, "/")
			g.Expect(err).To(MatchError(agent.ErrNoAnswer), "nor is the next one answered")
		})
	}
}

// What the agent tells of the target is no failure of the agent's.
func TestARefusalIsAnAnswer(t *testing.T) {
	g := NewWithT(t)
	c := agenttest.Serve(t, func(string, any) error { return errors.New("open /x: permission denied") })
	_, err := c.ReadFile(t.Context(), "/x")
	g.Expect(err).To(MatchError(ContainSubstring("permission denied")))
	g.Expect(err).NotTo(MatchError(agent.ErrNoAnswer))
}
