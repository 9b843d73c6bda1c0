package capture

import "time"

// Times are the kernel's, of what happened on a connection, where it was seen:
// for packets that the target receives when they arrived, for those that it sends
// when they left.
type Times struct {
	// SYN is the first one; SYNAgain counts those that were sent again.
	SYN      time.Time
	SYNAgain int
	// Accepted is the server's SYN+ACK: the kernel's answer, not a program's.
	Accepted time.Time
	// Handshake is the client's acknowledgement of it.
	Handshake time.Time
	// FirstFromServer and FirstFromClient are the first bytes of data.
	FirstFromServer, FirstFromClient time.Time
	// FINFromServer and FINFromClient end a direction, Reset the connection.
	FINFromServer, FINFromClient, Reset time.Time
	// ResetByServer says whose RST it was.
	ResetByServer bool
}

// Times reads them off the packets; zero for what did not happen or was dropped.
func (c Connection) Times() Times {
	var t Times
	first := func(at *time.Time, p Packet) {
		if at.IsZero() {
			*at = p.At
		}
	}
	for _, p := range c.Packets {
		s, ok := p.Segment()
		if !ok {
			continue
		}
		server := s.From == c.Server
		switch {
		case s.Opens():
			if !t.SYN.IsZero() {
				t.SYNAgain++
			}
			first(&t.SYN, p)
		case s.Answers():
			first(&t.Accepted, p)
		case !server && !t.Accepted.IsZero() && s.Flags&RST == 0:
			first(&t.Handshake, p)
		}
		if len(s.Payload) > 0 && server {
			first(&t.FirstFromServer, p)
		} else if len(s.Payload) > 0 {
			first(&t.FirstFromClient, p)
		}
		if s.Flags&FIN != 0 && server {
			first(&t.FINFromServer, p)
		} else if s.Flags&FIN != 0 {
			first(&t.FINFromClient, p)
		}
		if s.Flags&RST != 0 && t.Reset.IsZero() {
			t.Reset, t.ResetByServer = p.At, server
		}
	}
	return t
}
