package capture

import (
	"net/netip"
	"slices"
	"time"
)

// memory keeps packets by connection, within limits.
type memory struct {
	limits  Limits
	flows   []*flow        // in the order of their beginning
	current map[ends]*flow // the last one between two ends
	order   []*flow        // whose packet came when: the oldest is the first to go
	seen    int            // packets
	dropped int            // packets
	kept    int            // bytes
}

// ends are those of a connection in an order of their own, so that both
// directions have one key.
type ends struct{ low, high netip.AddrPort }

func between(a, b netip.AddrPort) ends {
	if a.Compare(b) > 0 {
		a, b = b, a
	}
	return ends{a, b}
}

// flow is one connection.
type flow struct {
	client, server netip.AddrPort
	first, last    time.Time
	// opened says that its SYN was seen, of the number seq.
	opened bool
	seq    uint32
	// answered says that its SYN+ACK was seen.
	answered bool

	packets []Packet
	bytes   int
	dropped int
	// gone counts the packets that its own limit dropped and whose place in the
	// order is still there.
	gone int
}

// overhead is what a packet costs beside its bytes.
const overhead = 64

func (p Packet) cost() int { return len(p.Data) + overhead }

func newMemory(l Limits) *memory { return &memory{limits: l, current: map[ends]*flow{}} }

// add keeps a packet, whose data become the memory's own.
func (m *memory) add(p Packet) {
	s, ok := p.Segment()
	if !ok {
		return
	}
	m.seen++
	key := between(s.From, s.To)
	f := m.current[key]
	// A SYN with another number begins another connection between the same ends;
	// one with the same number is sent again.
	if f == nil || s.Opens() && (!f.opened || f.seq != s.Seq) {
		f = &flow{client: s.From, server: s.To, first: p.At}
		if s.Answers() {
			f.client, f.server = s.To, s.From
		}
		f.opened, f.seq = s.Opens(), s.Seq
		m.flows = append(m.flows, f)
		m.current[key] = f
	}
	f.last = p.At
	f.answered = f.answered || s.Answers()
	f.packets = append(f.packets, p)
	f.bytes += p.cost()
	m.kept += p.cost()
	m.order = append(m.order, f)
	for f.bytes > m.limits.Connection && len(f.packets) > 1 {
		m.drop(f)
		f.gone++
	}
	for m.kept > m.limits.Total {
		m.dropOldest()
	}
}

// dropOldest drops the oldest packet of all.
func (m *memory) dropOldest() {
	f := m.order[0]
	m.order[0] = nil
	m.order = m.order[1:]
	if f.gone > 0 {
		f.gone--
		return
	}
	m.drop(f)
}

// drop drops the oldest packet of a connection. A connection of which nothing is
// left is not forgotten: that there was one, and how many packets, can be said.
func (m *memory) drop(f *flow) {
	cost := f.packets[0].cost()
	f.packets[0] = Packet{}
	f.packets = f.packets[1:]
	f.bytes -= cost
	m.kept -= cost
	f.dropped++
	m.dropped++
}

// find are the connections that are wanted, each once, in the order of their
// beginning, and the questions for their clients' users.
func (m *memory) find(wants []Want) []Connection {
	var list []Connection
	for _, f := range m.flows {
		c := Connection{Client: f.client, Server: f.server, Dropped: f.dropped}
		of := slices.IndexFunc(wants, func(w Want) bool { return w.is(f) })
		if of < 0 {
			of = slices.IndexFunc(wants, func(w Want) bool { return w.Local.IsValid() && w.asks(f) })
			c.Identity = true
		}
		if of >= 0 {
			c.Name, c.Packets = wants[of].Name, slices.Clone(f.packets)
			list = append(list, c)
		}
	}
	return list
}
