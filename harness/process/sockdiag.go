package process

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Why not only the tables of proc: the kernel walks its whole hash table of
// connections for each, several times over, whatever the number of sockets.
// With the 262144 buckets of a machine with much memory tcp and tcp6 took 14 ms
// together, and the same answer by sock_diag(7) took 0.5 ms.

// diagTimeout bounds the wait for one part of the kernel's answer. The kernel
// answers from memory, within microseconds; this only keeps a kernel that never
// answers from hanging the harness.
var diagTimeout = unix.Timeval{Sec: 2}

// Sizes of struct inet_diag_req_v2 and inet_diag_msg (linux/inet_diag.h).
const (
	diagRequestSize = 56
	diagReplySize   = 72
	// diagBuffer is the largest part that the kernel builds for a dump, 32 KiB
	// (net/netlink/af_netlink.c, netlink_dump).
	diagBuffer = 32 << 10
)

// States that a dump is asked for, as a set of bits: 1 << TCP_LISTEN alone keeps the
// kernel from walking its table of connections, which is nearly all of the cost
// (net/ipv4/tcp_diag.c, tcp_diag_dump).
const (
	anyState    = 0xffffffff
	listenState = 1 << 10
)

// diagSockets asks the kernel for the TCP sockets of one family that are in one of
// the states, in the caller's network namespace, which is the one that /proc/net
// shows too.
func diagSockets(family string, states uint32) ([]Socket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, fmt.Errorf("sock_diag: %w", err)
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &diagTimeout); err != nil {
		return nil, fmt.Errorf("sock_diag: %w", err)
	}
	if err := unix.Sendto(fd, diagRequest(family, states), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, fmt.Errorf("sock_diag: %w", err)
	}
	var sockets []Socket
	buf := make([]byte, diagBuffer)
	for {
		n, err := retry(func() (int, error) {
			n, _, err := unix.Recvfrom(fd, buf, 0)
			return n, err
		})
		if err != nil {
			return nil, fmt.Errorf("sock_diag: %w", err)
		}
		done, err := parseDiag(buf[:n], family, &sockets)
		if err != nil {
			return nil, fmt.Errorf("sock_diag: %w", err)
		}
		if done {
			return sockets, nil
		}
	}
}

// diagRequest asks for the sockets of one family in one of the states.
func diagRequest(family string, states uint32) []byte {
	request := make([]byte, unix.SizeofNlMsghdr+diagRequestSize)
	binary.NativeEndian.PutUint32(request, uint32(len(request)))
	binary.NativeEndian.PutUint16(request[4:], unix.SOCK_DIAG_BY_FAMILY)
	binary.NativeEndian.PutUint16(request[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	body := request[unix.SizeofNlMsghdr:]
	body[0] = unix.AF_INET
	if family == FamilyIPv6 {
		body[0] = unix.AF_INET6
	}
	body[1] = unix.IPPROTO_TCP
	binary.NativeEndian.PutUint32(body[4:], states)
	return request
}

// parseDiag reads the messages of one datagram; done is true after the last.
func parseDiag(part []byte, family string, sockets *[]Socket) (done bool, err error) {
	for len(part) >= unix.SizeofNlMsghdr {
		size := int(binary.NativeEndian.Uint32(part))
		if size < unix.SizeofNlMsghdr || size > len(part) {
			return false, errors.New("message longer than its datagram")
		}
		body := part[unix.SizeofNlMsghdr:size]
		switch binary.NativeEndian.Uint16(part[4:]) {
		case unix.NLMSG_DONE:
			return true, nil
		case unix.NLMSG_ERROR:
			if len(body) < 4 {
				return false, errors.New("short error message")
			}
			if errno := -int32(binary.NativeEndian.Uint32(body)); errno > 0 {
				return false, unix.Errno(errno)
			}
			return true, nil
		case unix.SOCK_DIAG_BY_FAMILY:
			if len(body) < diagReplySize {
				return false, errors.New("short reply")
			}
			*sockets = append(*sockets, diagSocket(body, family))
		}
		part = part[min(len(part), (size+unix.NLMSG_ALIGNTO-1)&^(unix.NLMSG_ALIGNTO-1)):]
	}
	return false, nil
}

// diagSocket reads struct inet_diag_msg: four bytes, the socket's identity (48
// bytes from 4: ports and addresses in network order), then from 52 the timer,
// the queues, the owner and the inode.
func diagSocket(body []byte, family string) Socket {
	address := func(port, address int) netip.AddrPort {
		size := 4
		if family == FamilyIPv6 {
			size = 16
		}
		addr, _ := netip.AddrFromSlice(body[address : address+size])
		return netip.AddrPortFrom(addr.Unmap(), binary.BigEndian.Uint16(body[port:]))
	}
	socket := Socket{
		Family: family, State: stateName(int(body[1])),
		Local: address(4, 8), Remote: address(6, 24),
		RxQueue: uint64(binary.NativeEndian.Uint32(body[56:])),
		TxQueue: uint64(binary.NativeEndian.Uint32(body[60:])),
		UID:     int(binary.NativeEndian.Uint32(body[64:])),
		Inode:   uint64(binary.NativeEndian.Uint32(body[68:])),
	}
	if socket.State == StateListen {
		socket.TxQueue = 0 // here the limit of the queue, which proc doesn't show
	}
	return socket
}
