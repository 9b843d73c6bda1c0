package observe

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"qmconformance/fixtures/probe/report"
	"qmconformance/harness/wire"
)

// Waits of a conversation with the probe, which answers at once: what they bound
// is the super-server's part, and a busy machine.
const (
	// probeGreeting is for the first line: fork, exec, and a look at /proc.
	probeGreeting = 5 * time.Second
	// afterSilence is for the first line, or the end, where it failed to come before.
	afterSilence = 300 * time.Millisecond
	// probeAnswer is for the answer to a command.
	probeAnswer = 5 * time.Second
	// probeVolume is for some MiB in both directions, which take 20 ms. A subject
	// that swallows bytes costs this wait for each kind of stream: all of them must
	// fit into what a broken package may take.
	probeVolume = 8 * time.Second
	// probeEnd is for the end after the last byte.
	probeEnd = 5 * time.Second
)

// probed is a connection to the probe.
type probed struct {
	link wire.Link
	// context is the probe's own account of how it was started; nil if none came.
	context *report.Context
	greeted wire.Outcome
}

// greetProbe reads the probe's first line, its account of itself.
func greetProbe(ctx context.Context, link wire.Link) *probed {
	return greetProbeWithin(ctx, link, probeGreeting)
}

// greetProbeWithin is greetProbe where many are greeted at once.
func greetProbeWithin(ctx context.Context, link wire.Link, limit time.Duration) *probed {
	p := &probed{link: link}
	var line []byte
	line, p.greeted = p.line(ctx, "the probe's first line", limit)
	var c report.Context
	// Any JSON would do for the parser, null included; a process has a number.
	if p.greeted.OK() && json.Unmarshal(line, &c) == nil && c.PID > 0 {
		p.context = &c
	}
	return p
}

// line reads one line and takes it from the stream.
func (p *probed) line(ctx context.Context, what string, limit time.Duration) ([]byte, wire.Outcome) {
	outcome := p.link.Await(ctx, what, limit, func(received []byte, _ bool) bool {
		return bytes.IndexByte(received, '\n') >= 0
	})
	if !outcome.OK() {
		return nil, outcome
	}
	return p.link.Consume(bytes.IndexByte(p.link.Unread(), '\n') + 1), outcome
}

func (p *probed) command(line string) { p.link.Send([]byte(line + "\n")) }

// leave has the probe exit and waits for the connection's end. Of several
// connections, those after one that did not end are given little time for it.
func (p *probed) leave(ctx context.Context, limit *time.Duration) {
	p.command("exit 0")
	if _, end := p.end(ctx, *limit); end.Silent() {
		*limit = afterSilence
	}
}

// end waits for the connection's end and returns what came before it.
func (p *probed) end(ctx context.Context, limit time.Duration) ([]byte, wire.Outcome) {
	outcome := p.link.Await(ctx, "the end of the connection", limit, wire.TheEnd)
	return p.link.Consume(len(p.link.Unread())), outcome
}
