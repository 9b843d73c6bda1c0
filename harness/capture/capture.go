// Package capture keeps the packets of a target's TCP connections as the kernel
// saw them, with its own times: what a transcript says of the harness's end, the
// packets say of the path and of the subject's end. It only listens: nothing is
// sent, and no process or file of the subject is touched.
//
// A Recorder listens from a target's boot and keeps packets in bounded memory. Who
// wants to know more of a connection asks for it afterwards; nobody else pays.
package capture

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Limits bound what one recorder keeps. Where one is reached the oldest packets
// are dropped, and what is asked for later says how many were.
type Limits struct {
	// Total is for all connections together, in bytes of packets.
	Total int
	// Connection is for each.
	Connection int
}

// TargetLimits are those of a target. A session is some 3 kB of packets, and the
// busiest target of a whole run stays below the total. Of a connection that sends
// more than its share the end is what tells how it went wrong.
var TargetLimits = Limits{Total: 16 << 20, Connection: 1 << 20}

// Packet is one as it passed an interface, from its Ethernet header on; loopback
// has one too, of zeros.
type Packet struct {
	// At is the kernel's time of it, in nanoseconds.
	At        time.Time
	Interface int
	// Length is that of the packet; Data may hold less.
	Length int
	Data   []byte
}

// Connection is one connection, or an attempt at one, with its packets in order.
type Connection struct {
	// Name is what the caller calls it; the first name where it has several.
	Name string
	// Client sent the first SYN, as far as that was seen; else whoever was first.
	Client, Server netip.AddrPort
	Packets        []Packet
	// Dropped are packets, the oldest ones, that the limits had no room for.
	Dropped int
	// Identity says that it is the server's question for the user of another
	// connection (RFC 1413).
	Identity bool
}

// Capture is what is known of the connections that were asked for.
type Capture struct {
	Interfaces  map[int]string
	Connections []Connection
	Status      Status
}

// Status is how the recording fares.
type Status struct {
	// Absent says why there is none; empty where there is.
	Absent string
	Since  time.Time
	Limits Limits
	// Seen are the packets that the filter let pass; Lost those of them that the
	// kernel had no room for; Dropped those that the limits had no room for.
	Seen, Lost, Dropped int
	// Kept is what is in memory now, in bytes.
	Kept int
}

// Packets are those of all connections.
func (c Capture) Packets() int {
	n := 0
	for _, connection := range c.Connections {
		n += len(connection.Packets)
	}
	return n
}

// Missing says in words what is not there although it was asked for; empty where
// nothing is missing as far as one knows.
func (c Capture) Missing() string {
	if c.Status.Absent != "" {
		return "There are no packets: " + c.Status.Absent + "."
	}
	var lines []string
	for _, connection := range c.Connections {
		if connection.Dropped > 0 {
			lines = append(lines, fmt.Sprintf("%v -> %v: the oldest %d packets were dropped (limits: %s a connection, %s in all).",
				connection.Client, connection.Server, connection.Dropped, kib(c.Status.Limits.Connection), kib(c.Status.Limits.Total)))
		}
	}
	if len(c.Connections) == 0 {
		lines = append(lines, fmt.Sprintf("There are no packets of these connections among %d that were seen since %s, %d of which were dropped.",
			c.Status.Seen, c.Status.Since.UTC().Format(time.RFC3339Nano), c.Status.Dropped))
	}
	if c.Status.Lost > 0 {
		lines = append(lines, fmt.Sprintf("The kernel lost %d of %d packets of all connections before they could be kept; some may be of these.", c.Status.Lost, c.Status.Seen))
	}
	return strings.Join(lines, "\n")
}

func kib(n int) string { return fmt.Sprintf("%d KiB", n>>10) }
