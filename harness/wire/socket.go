package wire

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"
)

// open makes the socket and the wake-up descriptor; an error here is our own system's.
func (c *Conn) open() error {
	remote := c.options.Remote
	if !remote.IsValid() {
		return fmt.Errorf("no address to connect to")
	}
	family := unix.AF_INET6
	if remote.Addr().Is4() {
		family = unix.AF_INET
	}
	var err error
	if c.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		c.wake = -1
		return fmt.Errorf("eventfd: %w", err)
	}
	if c.fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP); err != nil {
		c.fd = -1
		return fmt.Errorf("socket: %w", err)
	}
	if c.options.NoDelay {
		if err = unix.SetsockoptInt(c.fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
			return fmt.Errorf("TCP_NODELAY: %w", err)
		}
	}
	// Before the connect, because the window scale is fixed in the handshake (tcp(7)).
	if size := c.options.ReceiveBuffer; size > 0 {
		if err = unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, size); err != nil {
			return fmt.Errorf("SO_RCVBUF: %w", err)
		}
	}
	if source := c.options.Source; source.IsValid() {
		if source.Is4() != remote.Addr().Is4() {
			return fmt.Errorf("source %s and remote %s are of different families", source, remote.Addr())
		}
		address, err := sockaddr(netip.AddrPortFrom(source, 0))
		if err != nil {
			return err
		}
		if err = unix.Bind(c.fd, address); err != nil {
			return fmt.Errorf("bind to %s: %w", source, err)
		}
	}
	return nil
}

func sockaddr(a netip.AddrPort) (unix.Sockaddr, error) {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}, nil
	}
	zone, err := zoneIndex(a.Addr().Zone())
	if err != nil {
		return nil, err
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), ZoneId: zone, Addr: a.Addr().As16()}, nil
}

func zoneIndex(zone string) (uint32, error) {
	if zone == "" {
		return 0, nil
	}
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n), nil
	}
	link, err := net.InterfaceByName(zone)
	if err != nil {
		return 0, fmt.Errorf("zone %s: %w", zone, err)
	}
	return uint32(link.Index), nil
}

func localAddr(fd int) netip.AddrPort {
	address, err := unix.Getsockname(fd)
	if err != nil {
		return netip.AddrPort{}
	}
	switch a := address.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		addr := netip.AddrFrom16(a.Addr)
		if a.ZoneId != 0 {
			addr = addr.WithZone(strconv.FormatUint(uint64(a.ZoneId), 10))
		}
		return netip.AddrPortFrom(addr, uint16(a.Port))
	}
	return netip.AddrPort{}
}

// pendingError takes and clears the socket's error; 0 if there is none.
func pendingError(fd int) unix.Errno {
	n, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		if errno, ok := err.(unix.Errno); ok {
			return errno
		}
		return unix.EIO
	}
	return unix.Errno(n)
}

func errnoOf(err error) unix.Errno {
	if errno, ok := err.(unix.Errno); ok {
		return errno
	}
	return unix.EIO
}

// connectFailure translates an error of connect(2).
func connectFailure(errno unix.Errno) Kind {
	switch errno {
	case unix.ECONNREFUSED:
		return KindRefused
	case unix.ETIMEDOUT:
		return KindConnectTimeout
	case unix.ENETUNREACH, unix.EHOSTUNREACH, unix.ENETDOWN, unix.EHOSTDOWN, unix.ENOPROTOOPT,
		unix.EACCES, unix.EPERM, unix.ECONNABORTED:
		return KindUnreachable
	}
	return KindLocalError
}

// abortOnClose makes the next close send RST instead of FIN (socket(7), SO_LINGER with no time).
func abortOnClose(fd int) {
	_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1, Linger: 0})
}

// quickAck has to be asked for again and again: the kernel leaves that mode by itself (tcp(7)).
func (c *Conn) quickAck() {
	if c.options.QuickAck {
		_ = unix.SetsockoptInt(c.fd, unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)
	}
}

// poll waits for events on one descriptor, without limit if ms is negative.
func poll(fds []unix.PollFd, ms int) {
	for {
		// Only EINTR is possible with valid arguments; Go's own signals make it common.
		if _, err := unix.Poll(fds, ms); err != unix.EINTR {
			return
		}
	}
}
