package observe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"qmconformance/fixtures/probe/report"
	"qmconformance/fixtures/probe/stream"
	"qmconformance/harness/requirement"
	"qmconformance/harness/wire"
)

// Passage is one stream of bytes that was to pass unchanged.
type Passage struct {
	Name string
	Size int64
	OK   bool
	// Wrong says what became of it, where it did not pass.
	Wrong string
}

// Streamed is what became of bytes in both directions.
type Streamed struct {
	Service requirement.Service
	// Mute is what came in place of the program's first line; nothing was sent then.
	Mute    string
	In      []Passage
	Out     []Passage
	Both    []Passage
	HalfWay []Passage
	Urgent  []Passage
}

// Sizes of the streams: one byte, every value once, one more than a segment, and
// several times what both socket buffers hold together.
var streamSizes = []int64{1, 256, 1461, 4 << 20}

// slowPause is how long the slow reader does not read: the server has long
// filled both buffers by then.
const slowPause = 300 * time.Millisecond

// Streams sends bytes through the connection to the probe's standard input and
// from its standard output.
var Streams = &Look[Streamed]{
	Name: "streams", Takes: 550 * time.Millisecond, Stage: WithProbe, Each: true, Limit: 120 * time.Second,
	Take: func(ctx context.Context, s *Scene) (Streamed, error) {
		f := Streamed{Service: s.Service}
		if f.Mute = mute(ctx, s); f.Mute != "" {
			return f, nil
		}
		for i, size := range streamSizes {
			pass(ctx, s, &f.In, "in", size, inward(uint64(i+1), size))
			pass(ctx, s, &f.Out, "out", size, outward(uint64(i+1), size, 0))
		}
		pass(ctx, s, &f.Out, "out to a slow reader", 4<<20, outward(9, 4<<20, slowPause))
		pass(ctx, s, &f.Both, "single bytes", 256, echo(split(1)))
		pass(ctx, s, &f.Both, "odd pieces", 64<<10, echo(split(1777)))
		pass(ctx, s, &f.Both, "all at once", 4<<20, echo(split(4<<20)))
		pass(ctx, s, &f.HalfWay, "answer after the client's FIN", 70_000, inward(5, 70_000))
		pass(ctx, s, &f.Urgent, "bytes around an urgent one", 2, urgent)
		return f, nil
	},
}

// mute says how the program fails to speak at all, so that not every stream has
// to wait for it.
func mute(ctx context.Context, s *Scene) string {
	p := greetProbe(ctx, s.Dial(ctx, s.Port, wire.Options{}))
	defer p.link.Close()
	p.command("exit 0")
	p.end(ctx, probeEnd)
	if p.context != nil {
		return ""
	}
	s.Evidence.Wire(string(s.Service)+"-mute", p.link.Transcript())
	return p.greeted.String()
}

// pass adds a passage to those of its kind, unless one of them was wrong: the
// others would tell no more, and where nothing comes each takes its whole limit.
func pass(ctx context.Context, s *Scene, kind *[]Passage, name string, size int64, run func(context.Context, *probed, int64) error) {
	if slices.ContainsFunc(*kind, func(p Passage) bool { return !p.OK }) {
		return
	}
	*kind = append(*kind, passage(ctx, s, name, size, run))
}

// passage runs one exchange on a connection of its own.
func passage(ctx context.Context, s *Scene, name string, size int64, run func(context.Context, *probed, int64) error) Passage {
	p := Passage{Name: name, Size: size}
	conn := s.Dial(ctx, s.Port, wire.Options{NoDelay: true})
	probe := greetProbe(ctx, conn)
	var err error
	if probe.context == nil {
		err = errors.New("the program did not speak: " + probe.greeted.String())
	} else {
		err = run(ctx, probe, size)
	}
	conn.Close()
	p.OK = err == nil
	if err != nil {
		p.Wrong = err.Error()
		s.Evidence.Wire(fmt.Sprintf("%s-%s-%d", s.Service, name, size), conn.Transcript())
	}
	return p
}

// inward sends bytes and the client's FIN; the probe then answers with their
// number and sum, which also shows that it may answer after the FIN.
func inward(seed uint64, size int64) func(context.Context, *probed, int64) error {
	return func(ctx context.Context, p *probed, _ int64) error {
		data, err := io.ReadAll(stream.New(seed, size))
		if err != nil {
			return err
		}
		p.command("sink")
		p.link.Send(data)
		p.link.CloseWrite()
		got, end := p.end(ctx, probeVolume)
		want := fmt.Sprintf("%d %s", size, stream.Sum(seed, size))
		switch {
		case strings.TrimSpace(string(got)) != want:
			return fmt.Errorf("%d bytes were sent; the program counted %q (%v)", size, clip(got), end)
		case end.Result != wire.EndedByFIN:
			return fmt.Errorf("the end was not a FIN: %v", end)
		}
		return nil
	}
}

// outward has the probe write bytes and compares them.
func outward(seed uint64, size int64, pause time.Duration) func(context.Context, *probed, int64) error {
	return func(ctx context.Context, p *probed, _ int64) error {
		if pause > 0 {
			p.link.PauseReading(true)
		}
		p.command(fmt.Sprintf("source %d %d", size, seed))
		if pause > 0 {
			// A reader that does not read, not a wait for something to happen.
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(pause):
			}
			p.link.PauseReading(false)
		}
		got, end := p.end(ctx, probeVolume)
		if err := stream.Verify(bytes.NewReader(got), seed, size); err != nil {
			return fmt.Errorf("%w (%v)", err, end)
		}
		if end.Result != wire.EndedByFIN {
			return fmt.Errorf("the end was not a FIN: %v", end)
		}
		return nil
	}
}

func split(n int) func([]byte) [][]byte {
	return func(b []byte) (parts [][]byte) {
		for len(b) > n {
			parts, b = append(parts, b[:n]), b[n:]
		}
		return append(parts, b)
	}
}

// echo sends bytes in pieces and expects them back on the same connection while
// it is still sending.
func echo(pieces func([]byte) [][]byte) func(context.Context, *probed, int64) error {
	return func(ctx context.Context, p *probed, size int64) error {
		const seed = 7
		data, err := io.ReadAll(stream.New(seed, size))
		if err != nil {
			return err
		}
		p.command("echo")
		for _, piece := range pieces(data) {
			p.link.Send(piece)
		}
		back := p.link.Await(ctx, "the bytes back", probeVolume, wire.AtLeast(len(data)))
		if !back.OK() {
			return fmt.Errorf("of %d bytes sent, back came %v", size, back)
		}
		if got := p.link.Consume(len(data)); !bytes.Equal(got, data) {
			return errors.New(firstDifference(data, got))
		}
		p.link.CloseWrite()
		if rest, end := p.end(ctx, probeEnd); end.Result != wire.EndedByFIN || len(rest) > 0 {
			return fmt.Errorf("after the client's FIN: %d more bytes, %v", len(rest), end)
		}
		return nil
	}
}

// urgent sends one urgent byte between two plain ones: it must arrive as urgent
// data, and the plain ones beside it without a gap.
func urgent(ctx context.Context, p *probed, _ int64) error {
	p.command("oob")
	p.link.Send([]byte{'a'})
	p.link.SendUrgent('!')
	p.link.Send([]byte{'b'})
	line, outcome := p.line(ctx, "what the program makes of the urgent byte", probeAnswer)
	if !outcome.OK() {
		return fmt.Errorf("the program saw no urgent data: %v", outcome)
	}
	var u report.Urgent
	if err := json.Unmarshal(line, &u); err != nil {
		return fmt.Errorf("the program said %q", clip(line))
	}
	if u.Value != '!' || u.Offset != 1 {
		return fmt.Errorf("the urgent byte arrived as %d at offset %d, not as 33 at 1", u.Value, u.Offset)
	}
	p.link.CloseWrite()
	p.end(ctx, probeEnd)
	return nil
}

func clip(b []byte) []byte {
	const most = 80
	return b[:min(len(b), most)]
}
