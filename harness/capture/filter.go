package capture

import "golang.org/x/net/bpf"

// snapLength is the most of a packet that is kept: all of it, also where the
// kernel has merged or not yet split segments.
const snapLength = 256 << 10

// packetOutgoing is PACKET_OUTGOING of packet(7).
const packetOutgoing = 4

// once drops one of the two times that a packet passes the loopback interface:
// a packet socket sees it as it leaves and as it arrives. What passes goes on to
// the instructions that follow.
func once(loopback int) []bpf.Instruction {
	return []bpf.Instruction{
		bpf.LoadExtension{Num: bpf.ExtType},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: packetOutgoing, SkipTrue: 3},
		bpf.LoadExtension{Num: bpf.ExtInterfaceIndex},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(loopback), SkipTrue: 1},
		bpf.RetConstant{Val: 0},
	}
}

// without lets TCP over IPv4 and IPv6 pass, but for one port: the control
// connection of the harness carries whole snapshots of /proc, and no fact about
// the subject. It is the kernel that leaves it out, before it costs anything.
func without(port uint16) []bpf.Instruction {
	const accept, refuse = 18, 19 // the places of the last two instructions
	return []bpf.Instruction{
		bpf.LoadAbsolute{Off: 12, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: etherIPv6, SkipTrue: 10},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: etherIPv4, SkipTrue: refuse - 3},
		bpf.LoadAbsolute{Off: ethernetHeader + 9, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: protocolTCP, SkipTrue: refuse - 5},
		bpf.LoadAbsolute{Off: ethernetHeader + 6, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: 0x1fff, SkipTrue: refuse - 7}, // the rest of a fragment has no ports
		bpf.LoadMemShift{Off: ethernetHeader},
		bpf.LoadIndirect{Off: ethernetHeader, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(port), SkipTrue: refuse - 10},
		bpf.LoadIndirect{Off: ethernetHeader + 2, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(port), SkipTrue: refuse - 12, SkipFalse: accept - 12},
		// IPv6, at place 12; no extension header stands before TCP on our networks.
		bpf.LoadAbsolute{Off: ethernetHeader + 6, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: protocolTCP, SkipTrue: refuse - 14},
		bpf.LoadAbsolute{Off: ethernetHeader + ipv6Header, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(port), SkipTrue: refuse - 16},
		bpf.LoadAbsolute{Off: ethernetHeader + ipv6Header + 2, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(port), SkipTrue: refuse - 18, SkipFalse: accept - 18},
		bpf.RetConstant{Val: snapLength},
		bpf.RetConstant{Val: 0},
	}
}
