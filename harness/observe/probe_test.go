package observe

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"qmconformance/harness/wire"
)

func TestTheProbesAccountOfItself(t *testing.T) {
	for name, c := range map[string]struct {
		player player
		spoke  bool
		says   string
	}{
		"it speaks":            {player{}, true, "bytes"},
		"it says nothing":      {player{silent: true}, false, "FIN after 0 bytes"},
		"it says another line": {player{first: "ScarletDME has not been started\n"}, false, "bytes"},
		"it says half a line":  {player{first: `{"argv":`}, false, "FIN after 8 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			s, _ := scene(t)
			s.Port = serve(t, c.player)
			f, err := AtStart.Take(limited(t), s)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(f.Context != nil).To(Equal(c.spoke))
			g.Expect(f.Outcome).To(ContainSubstring(c.says))
			if c.spoke {
				g.Expect(f.Context.Cwd).To(Equal("/"))
			}
			g.Expect(s.Evidence.Empty()).To(BeFalse())
		})
	}
}

// exchange runs one exchange with a player.
func exchange(t *testing.T, p player, size int64, run func(context.Context, *probed, int64) error) Passage {
	t.Helper()
	s, _ := scene(t)
	s.Port = serve(t, p)
	return passage(limited(t), s, "stream", size, run)
}

func TestPassages(t *testing.T) {
	const size = 5000
	in, out := inward(3, size), outward(3, size, 0)
	for name, c := range map[string]struct {
		player player
		run    func(context.Context, *probed, int64) error
		wrong  string
	}{
		"in":                             {player{}, in, ""},
		"in: another sum":                {player{spoil: true}, in, "5000 bytes were sent; the program counted"},
		"in: no answer":                  {player{silent: true}, in, "the program did not speak: FIN after 0 bytes"},
		"out":                            {player{}, out, ""},
		"out, read slowly":               {player{}, outward(3, size, 20*time.Millisecond), ""},
		"out: one bit":                   {player{spoil: true}, out, "byte 2500: got"},
		"out: the last byte is missing":  {player{short: true}, out, "ends, 1 bytes missing"},
		"out: one byte too many":         {player{more: true}, out, "byte 5000: more than expected"},
		"echo, byte by byte":             {player{}, echo(split(1)), ""},
		"echo, in odd pieces":            {player{}, echo(split(1777)), ""},
		"echo, at once":                  {player{}, echo(split(size)), ""},
		"echo: one bit":                  {player{spoil: true}, echo(split(size)), "byte "},
		"echo: one byte too many":        {player{more: true}, echo(split(size)), ""},
		"urgent":                         {player{}, urgent, ""},
		"urgent: none":                   {player{oob: "none\n"}, urgent, `the program said "none`},
		"urgent: another byte":           {player{oob: `{"value":97,"offset":1}` + "\n"}, urgent, "arrived as 97 at offset 1, not as 33 at 1"},
		"urgent: at another place":       {player{oob: `{"value":33,"offset":2}` + "\n"}, urgent, "arrived as 33 at offset 2"},
		"no greeting, and so no passage": {player{first: "hello\n"}, out, "the program did not speak"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			p := exchange(t, c.player, size, c.run)
			if name == "echo: one byte too many" {
				g.Expect(p.OK).To(BeFalse(), p.Wrong)
				return
			}
			g.Expect(p.Wrong).To(ContainSubstring(c.wrong))
			g.Expect(p.OK).To(Equal(c.wrong == ""), p.Wrong)
		})
	}
}

func TestAResetIsNoEnd(t *testing.T) {
	for name, run := range map[string]func(context.Context, *probed, int64) error{"in": inward(3, 100), "out": outward(3, 100, 0)} {
		t.Run(name, func(t *testing.T) {
			p := exchange(t, player{reset: true}, 100, run)
			NewWithT(t).Expect(p.OK).To(BeFalse())
		})
	}
}

func TestAnExchangeEndsWithItsContext(t *testing.T) {
	g := NewWithT(t)
	s, _ := scene(t)
	s.Port = serve(t, player{}) // an echo never ends by itself
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	p := passage(ctx, s, "stuck", 1, func(ctx context.Context, p *probed, _ int64) error {
		p.command("echo")
		_, end := p.end(ctx, soon)
		g.Expect(end.Result).To(Equal(wire.Cancelled))
		return context.Cause(ctx)
	})
	g.Expect(p.OK).To(BeFalse())
	g.Expect(p.Wrong).To(ContainSubstring("deadline"))
}

func TestAllStreamsPass(t *testing.T) {
	g := NewWithT(t)
	s, _ := scene(t)
	s.Port = serve(t, player{})
	// Some 20 MiB, which the race detector makes slow.
	ctx, cancel := context.WithTimeout(t.Context(), Streams.Limit)
	defer cancel()
	f, err := Streams.Take(ctx, s)
	g.Expect(err).NotTo(HaveOccurred())
	for name, list := range map[string][]Passage{"in": f.In, "out": f.Out, "both": f.Both, "half": f.HalfWay, "urgent": f.Urgent} {
		g.Expect(list).NotTo(BeEmpty(), name)
		for _, p := range list {
			g.Expect(p.OK).To(BeTrue(), "%s %s %d: %s", name, p.Name, p.Size, p.Wrong)
			g.Expect(p.Size).To(BeNumerically(">", 0))
		}
	}
	g.Expect(s.Evidence.Empty()).To(BeTrue(), "nothing need be kept of what passed")
}

func TestAdmissionCountsWhatWasServed(t *testing.T) {
	g := NewWithT(t)
	s, _ := scene(t)
	// The third of those at once, and one of those in a second.
	s.Port = serve(t, player{}, player{}, player{silent: true}, player{}, player{silent: true}, player{})
	f, err := Admission.Take(limited(t), s)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.AtOnce).To(HaveLen(3))
	g.Expect(f.InASecond).To(HaveLen(10))
	g.Expect([]bool{f.AtOnce[0].Served, f.AtOnce[1].Served, f.AtOnce[2].Served}).To(Equal([]bool{true, true, false}))
	g.Expect(f.AtOnce[2].Outcome).To(ContainSubstring("FIN after 0 bytes"))
	g.Expect(f.InASecond[:3]).To(Equal(f.AtOnce), "they count for the rate as well")
	g.Expect(f.InASecond[4].Served).To(BeFalse())
	g.Expect(f.InASecond[9].Served).To(BeTrue())
	g.Expect(f.Within).To(BeNumerically(">", 0))
}

func TestAdmissionOfAPortThatIsClosed(t *testing.T) {
	g := NewWithT(t)
	s, _ := scene(t)
	s.Port = 1 // tcpmux, which nobody serves
	f, err := Admission.Take(limited(t), s)
	g.Expect(err).NotTo(HaveOccurred())
	for _, a := range append(f.AtOnce, f.InASecond...) {
		g.Expect(a.Served).To(BeFalse())
		g.Expect(a.Outcome).To(ContainSubstring("refused"))
	}
}
