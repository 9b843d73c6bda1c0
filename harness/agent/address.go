package agent

import (
	"errors"
	"net"
	"net/netip"
	"path/filepath"
	"strings"

	"github.com/vishvananda/netlink"
)

// Addresses are the container's own, by interface.
func (a *Agent) Addresses(_ None, list *[]Address) (err error) {
	*list, err = OwnAddresses()
	return err
}

// OwnAddresses are the addresses of the network namespace that the caller is in.
func OwnAddresses() ([]Address, error) {
	links, err := dump(netlink.LinkList)
	if err != nil {
		return nil, err
	}
	var list []Address
	for _, link := range links {
		addrs, err := dump(func() ([]netlink.Addr, error) { return netlink.AddrList(link, netlink.FAMILY_ALL) })
		if err != nil {
			return nil, err
		}
		for _, addr := range addrs {
			if p, err := netip.ParsePrefix(addr.IPNet.String()); err == nil {
				list = append(list, Address{link.Attrs().Name, p, addr.Flags&tentative != 0})
			}
		}
	}
	return list, nil
}

// dumps is how often a list is asked for while it changes under the reading. Other
// runs on the machine make and remove interfaces all the time.
const dumps = 20

// dump reads a list of the kernel's anew when it changed meanwhile, which the
// kernel says of it: what came then may lack entries.
func dump[T any](read func() ([]T, error)) (list []T, err error) {
	for range dumps {
		if list, err = read(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			return list, err
		}
	}
	return nil, err
}

// AddAddress gives the container one more address, on the interface whose
// network holds it. A client host gets its many source addresses this way; a
// container for each would cost 400 ms instead of 2.
func (a *Agent) AddAddress(prefix netip.Prefix, _ *None) error {
	links, err := dump(netlink.LinkList)
	if err != nil {
		return err
	}
	for _, link := range links {
		addrs, err := dump(func() ([]netlink.Addr, error) { return netlink.AddrList(link, netlink.FAMILY_ALL) })
		if err != nil {
			return err
		}
		for _, have := range addrs {
			if !have.Contains(prefix.Addr().AsSlice()) {
				continue
			}
			ip := net.IPNet{IP: prefix.Addr().AsSlice(), Mask: net.CIDRMask(prefix.Bits(), prefix.Addr().BitLen())}
			// NODAD: an IPv6 address is usable at once, not after a second of
			// duplicate address detection; our addresses are ours alone.
			return netlink.AddrAdd(link, &netlink.Addr{IPNet: &ip, Flags: nodad})
		}
	}
	return errors.New("no interface is in that network")
}

// Flags of an address, from linux/if_addr.h.
const (
	nodad     = 0x02
	tentative = 0x40
)

// Resolve follows every link of a path.
func (a *Agent) Resolve(path string, resolved *string) (err error) {
	*resolved, err = filepath.EvalSymlinks(a.at(path))
	*resolved = strings.TrimPrefix(*resolved, a.root)
	return err
}
