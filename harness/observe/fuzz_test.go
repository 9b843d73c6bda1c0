package observe

import (
	"bytes"
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"qmconformance/harness/wire"
)

// spoken is a link whose peer has said all it will say, and ended.
type spoken struct {
	wire.Link
	inbox *wire.Inbox
}

func (l spoken) Await(ctx context.Context, what string, limit time.Duration, enough func([]byte, bool) bool) wire.Outcome {
	return l.inbox.Await(ctx, what, limit, enough)
}
func (l spoken) Unread() []byte       { return l.inbox.Unread() }
func (l spoken) Consume(n int) []byte { return l.inbox.Consume(n) }

// FuzzProbesFirstLine: only a line that is the probe's account of itself is taken for
// one, and what follows it stays in the stream.
func FuzzProbesFirstLine(f *testing.F) {
	f.Add([]byte("{\"pid\":7,\"cwd\":\"/\"}\nmore"))
	f.Add([]byte("Username: "))
	f.Add([]byte("null\n\n"))
	f.Add([]byte("[1]\n{\"pid\":\"x\"}"))
	f.Fuzz(func(t *testing.T, said []byte) {
		l := spoken{inbox: wire.NewInbox(netip.AddrPort{})}
		l.inbox.Deliver(wire.Event{Kind: wire.KindConnected})
		if len(said) > 0 {
			l.inbox.Deliver(wire.Event{Kind: wire.KindReceived, Data: said})
		}
		l.inbox.Deliver(wire.Event{Kind: wire.KindFIN})
		p := greetProbe(t.Context(), l)
		line, rest, whole := bytes.Cut(said, []byte("\n"))
		if p.greeted.OK() != whole {
			t.Fatalf("%q is a line: %v", said, p.greeted)
		}
		if !whole {
			rest = said
		}
		if p.context != nil && (!whole || p.context.PID <= 0 || bytes.IndexByte(line, '{') < 0) {
			t.Fatalf("%q was taken for the probe", line)
		}
		if got := l.Unread(); !bytes.Equal(got, rest) {
			t.Fatalf("left is %q, not %q", got, rest)
		}
	})
}

// FuzzHostsRules: a rule of hosts.allow or hosts.deny is one line with something in it,
// and no comment.
func FuzzHostsRules(f *testing.F) {
	f.Add("# nobody\nALL: ALL\n")
	f.Add("qm: 10.0.0.0/8 \\\n  EXCEPT 10.1.0.0/16\n\n")
	f.Add("\\")
	f.Fuzz(func(t *testing.T, text string) {
		for _, rule := range hostsRules(text) {
			if rule == "" || rule[0] == '#' || strings.ContainsAny(rule, "\n") {
				t.Fatalf("%q has the rule %q", text, rule)
			}
		}
	})
}
