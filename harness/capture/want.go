package capture

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Want names a connection: by its ends, and by when it was.
type Want struct {
	// Name is what the caller calls it.
	Name string
	// Local is the client's end; not valid where it is not known, as of an attempt
	// that failed. Then every attempt of that time is meant that nobody answered by
	// a SYN+ACK.
	Local, Remote netip.AddrPort
	// From and Until are when the dial began and when the last thing was seen of it.
	From, Until time.Time
}

// clockSlack is what the times of a connection's end and of its packets may
// differ by. All containers have one kernel and so one clock, but whoever notes a
// time may wait for a processor first.
const clockSlack = 100 * time.Millisecond

// identPort is that of RFC 1413.
const identPort = 113

// begun says whether a connection began while the wanted one was made.
func (w Want) begun(c *flow) bool {
	return !c.first.Before(w.From.Add(-clockSlack)) && !c.first.After(w.Until.Add(clockSlack))
}

// is says whether a connection is the wanted one. The same two ends may have been
// connected before and after: a port is used anew.
func (w Want) is(c *flow) bool {
	if !w.Local.IsValid() {
		return c.server == w.Remote && !c.answered && w.begun(c)
	}
	ends := c.client == w.Local && c.server == w.Remote || c.server == w.Local && c.client == w.Remote
	if c.opened {
		return ends && w.begun(c)
	}
	// Its beginning was dropped, or was before the recording.
	return ends && !c.last.Before(w.From.Add(-clockSlack)) && !c.first.After(w.Until.Add(clockSlack))
}

// asks says whether a connection is the question for the user behind the wanted
// one. It names the two ports, by which that of another client on the same host
// is told apart; a host that lets nobody ask is asked nothing, and there the time
// must do.
func (w Want) asks(c *flow) bool {
	if c.server != netip.AddrPortFrom(w.Local.Addr(), identPort) || c.client.Addr() != w.Remote.Addr() || !w.begun(c) {
		return false
	}
	for _, p := range c.packets {
		s, _ := p.Segment()
		if s.From != c.client || len(s.Payload) == 0 {
			continue
		}
		client, server, _ := strings.Cut(strings.TrimSpace(string(s.Payload)), ",")
		asked := strings.TrimSpace(client) + "," + strings.TrimSpace(server)
		return asked == fmt.Sprintf("%d,%d", w.Local.Port(), w.Remote.Port())
	}
	return true
}
