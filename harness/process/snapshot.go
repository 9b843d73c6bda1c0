package process

import (
	"net/netip"
	"slices"
	"time"
)

// Snapshot is all processes and TCP sockets at one time, as near as proc can
// give it: the reading takes about a millisecond.
type Snapshot struct {
	// Taken is for readers. What lies between two snapshots is told by Clock, which
	// nobody sets: the time since the boot, without any suspension (CLOCK_MONOTONIC).
	// The monotonic part of a time.Time does not outlive the way through gob.
	Taken time.Time
	Clock time.Duration
	// Processes are in ascending order of PID.
	Processes []Process
	Sockets   []Socket
	// Problems are the socket tables that could not be read.
	Problems []Problem
}

// Process returns the process of that PID.
func (s Snapshot) Process(pid int) (Process, bool) {
	i, found := slices.BinarySearchFunc(s.Processes, pid, func(p Process, n int) int { return p.PID - n })
	if !found {
		return Process{}, false
	}
	return s.Processes[i], true
}

// ServerOn returns the process that serves a connection: it has, as descriptor 0,
// the socket between the two addresses. The client's alone would not tell: a client
// may have one port connected to several of ours, and the kernel remembers an old
// connection from the same port for a minute (TIME_WAIT).
//
// Of the processes that hold the socket as descriptor 0 the eldest is meant, the one
// whose parent isn't a holder too: a program that qm starts inherits it. xinetd's own
// children don't count, which keep the socket at a higher number during an ident lookup.
func (s Snapshot) ServerOn(client, server netip.AddrPort) (Process, bool) {
	return s.holder(s.Connections(client, server))
}

// ServerOf is ServerOn for a client that is known to have no more than one connection
// from its port, whatever there was before.
func (s Snapshot) ServerOf(client netip.AddrPort) (Process, bool) {
	return s.holder(s.connections(func(socket Socket) bool { return socket.Remote == unmap(client) }))
}

func (s Snapshot) holder(sockets []Socket) (Process, bool) {
	for _, socket := range sockets {
		if socket.Inode == 0 {
			continue
		}
		holders := s.where(func(p Process) bool {
			fd, ok := p.FD(0)
			return ok && fd.Kind == KindSocket && fd.Inode == socket.Inode
		})
		for _, p := range holders {
			if !slices.ContainsFunc(holders, func(other Process) bool { return other.PID == p.PPID }) {
				return p, true
			}
		}
	}
	return Process{}, false
}

// Connections returns the server's sockets between the two addresses: one, or none
// before the handshake and after the end.
func (s Snapshot) Connections(client, server netip.AddrPort) []Socket {
	return s.connections(func(socket Socket) bool {
		return socket.Remote == unmap(client) && socket.Local == unmap(server)
	})
}

func (s Snapshot) connections(match func(Socket) bool) []Socket {
	var list []Socket
	for _, socket := range s.Sockets {
		if socket.State != StateListen && match(socket) {
			list = append(list, socket)
		}
	}
	return list
}

// Listeners returns the sockets that listen on a port, both families.
func (s Snapshot) Listeners(port uint16) []Socket {
	var list []Socket
	for _, socket := range s.Sockets {
		if socket.State == StateListen && socket.Local.Port() == port {
			list = append(list, socket)
		}
	}
	return list
}

// Holders returns the processes with that socket or pipe among their
// descriptors, whatever its number. A process whose descriptors could not be
// read is never among them: see Blind.
func (s Snapshot) Holders(inode uint64) []Process {
	return s.where(func(p Process) bool { return p.Holds(inode) })
}

// Blind returns the processes whose descriptors could not be read, so that an
// absent holder can be told from one that we weren't allowed to see.
func (s Snapshot) Blind() []Process {
	return s.where(func(p Process) bool { _, refused := p.Problem("fd"); return refused })
}

// Children returns the processes whose parent is pid.
func (s Snapshot) Children(pid int) []Process {
	return s.where(func(p Process) bool { return p.PPID == pid })
}

// ByArgs returns the processes with exactly these arguments.
func (s Snapshot) ByArgs(args ...string) []Process {
	return s.where(func(p Process) bool { return slices.Equal(p.Args, args) })
}

// ByComm returns the processes of that name.
func (s Snapshot) ByComm(comm string) []Process {
	return s.where(func(p Process) bool { return p.Comm == comm })
}

func (s Snapshot) where(match func(Process) bool) []Process {
	var list []Process
	for _, p := range s.Processes {
		if match(p) {
			list = append(list, p)
		}
	}
	return list
}

func unmap(address netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(address.Addr().Unmap(), address.Port())
}
