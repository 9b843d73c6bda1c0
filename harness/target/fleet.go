// Package target boots what is judged, base plus qm plus package, in a
// container, and gives access to it on three planes: the wire, xinetd's log and
// state, and the kernel. It observes and acts; it judges nothing.
package target

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"

	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"
	tcnetwork "github.com/testcontainers/testcontainers-go/network"

	"qmconformance/harness/reaper"
)

// Testcontainers starts a reaper of its own, an image that comes from a registry.
// Ours does without both, so it is switched off before the first use.
func init() {
	os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
	tclog.SetDefault(log.New(io.Discard, "", 0))
}

// Fleet is what the targets of one run share: the session that marks them, and
// a network of their own with IPv4 and IPv6.
type Fleet struct {
	Docker *client.Client
	// Room is what each container that is booted from now on may use.
	Room    Room
	session reaper.Session
	network *testcontainers.DockerNetwork
	v4, v6  netip.Prefix
	starts  starts
	// booted counts the containers, for their names.
	booted atomic.Int32
}

// subnetTries is how many subnets are tried: each is drawn at random, and a
// daemon refuses one that overlaps with a network that it has.
const subnetTries = 8

// NewFleet makes the network. The reaper of the session must be running: it is
// what removes the network, and everything in it, at the end.
func NewFleet(ctx context.Context, docker *client.Client, session reaper.Session) (*Fleet, error) {
	f := &Fleet{Docker: docker, Room: Usual, session: session}
	ctx, hurry := reaper.Lingering(ctx, reaper.Grace)
	defer hurry()
	ctx, cancel := context.WithTimeout(ctx, CreateLimit)
	defer cancel()
	err := sameDaemon(ctx, docker)
	if err != nil {
		return nil, err
	}
	for range subnetTries {
		f.v4, f.v6 = randomSubnets()
		f.network, err = tcnetwork.New(ctx,
			tcnetwork.WithEnableIPv6(),
			tcnetwork.WithLabels(session.Labels()),
			tcnetwork.WithIPAM(&network.IPAM{Config: []network.IPAMConfig{
				// Docker gives out the lower half; the upper half is for the addresses
				// that client hosts add to themselves.
				{Subnet: f.v4, IPRange: netip.PrefixFrom(f.v4.Addr(), f.v4.Bits()+1)},
				{Subnet: f.v6},
			}}),
		)
		if err == nil {
			return f, f.join(ctx)
		}
		if !strings.Contains(strings.ToLower(err.Error()), "overlap") {
			break
		}
	}
	return nil, fmt.Errorf("create a network: %w", err)
}

// Unbroken does what makes something in Docker: whoever removes everything waits for it,
// as for a container that is being started.
func (f *Fleet) Unbroken(do func() error) error {
	end, err := f.starts.begin()
	if err != nil {
		return err
	}
	defer end()
	return do()
}

// join attaches the container that this process is in, if any, to the network: it
// would not be let through to the targets from another one. Whoever removes the
// network detaches it.
func (f *Fleet) join(ctx context.Context) error {
	b := f.session.Box
	if b == nil || b.HostNetwork {
		return nil
	}
	if _, err := f.Docker.NetworkConnect(ctx, f.network.ID, client.NetworkConnectOptions{Container: b.ID}); err != nil {
		return fmt.Errorf("attach this container to the targets' network: %w", err)
	}
	return nil
}

// randomSubnets draws a /24 of 10.0.0.0/8 above 10.64 and a unique local /64
// (RFC 4193: 40 random bits).
func randomSubnets() (v4, v6 netip.Prefix) {
	var b [7]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(err) // the kernel's generator does not fail
	}
	v4 = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 64 + b[0]%192, b[1], 0}), 24)
	v6 = netip.PrefixFrom(netip.AddrFrom16([16]byte{0xfd, b[2], b[3], b[4], b[5], b[6], 0, 1}), 64)
	return v4, v6
}

// Spare is the n-th address (from 1) of the network that Docker will not give
// out, for a client host to take as its own.
func (f *Fleet) Spare(n int, v6 bool) netip.Prefix {
	if v6 {
		a := f.v6.Addr().As16()
		a[14], a[15] = 0xff, byte(n)
		return netip.PrefixFrom(netip.AddrFrom16(a), f.v6.Bits())
	}
	a := f.v4.Addr().As4()
	a[3] = byte(128 + n)
	return netip.PrefixFrom(netip.AddrFrom4(a), f.v4.Bits())
}

func newToken() string {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(err)
	}
	return hex.EncodeToString(b[:])
}

var errNoAddress = errors.New("the container has no address on our network")
