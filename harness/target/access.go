package target

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"qmconformance/harness/agent"
	"qmconformance/harness/capture"
	"qmconformance/harness/wire"
)

// Dial connects from the harness's own host to a port of the target, at the
// target's own address. The options' remote port is what counts; an address in
// them is kept.
func (t *Target) Dial(ctx context.Context, port uint16, opts wire.Options) *wire.Conn {
	if !opts.Remote.IsValid() {
		opts.Remote = netip.AddrPortFrom(t.V4, port)
	}
	t.paces.await(ctx, opts.Remote.Port())
	return wire.Dial(ctx, opts)
}

// addressLimit is how long IPv6 addresses may be tentative: up to a second's
// random delay and a second for the detection itself (RFC 4862, 5.4).
const addressLimit = 6 * time.Second

// AwaitIPv6 waits until the target's IPv6 address and the one of our own on its
// network may be used. The kernel is silent for an address until it knows that
// nobody else has it, which looks like a service that does not answer. With an
// address of ours that cannot be seen (from another host, say) nothing is waited
// for.
func (t *Target) AwaitIPv6(ctx context.Context) error {
	if t.fleet == nil {
		return nil // on no network of ours
	}
	for began := time.Now(); ; {
		theirs, err := t.Addresses(ctx)
		if err != nil {
			return err
		}
		ours, err := agent.OwnAddresses()
		if err != nil {
			return err
		}
		pending := slices.ContainsFunc(slices.Concat(theirs, ours), func(a agent.Address) bool {
			return a.Tentative && t.fleet.v6.Contains(a.Prefix.Addr())
		})
		if !pending {
			return nil
		}
		if time.Since(began) > addressLimit {
			return fmt.Errorf("IPv6 addresses of the targets' network are still tentative after %v", addressLimit)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(poll):
		}
	}
}

// DialInside connects from within the target itself: to its loopback, or between
// its own addresses.
func (t *Target) DialInside(ctx context.Context, remote netip.AddrPort) (wire.Link, error) {
	return t.Client.Dial(ctx, agent.DialRequest{Remote: remote})
}

// Command runs a small program in the target to its end.
func (t *Target) Command(ctx context.Context, argv ...string) (agent.RunResult, error) {
	return t.Run(ctx, agent.RunRequest{Argv: argv, Limit: commandLimit})
}

// ClientHost is another host on the targets' network, with addresses of its own.
type ClientHost struct {
	*Container
	fleet *Fleet

	mu    sync.Mutex
	taken int
}

// NewClientHost boots a client host from any image of ours.
func (f *Fleet) NewClientHost(ctx context.Context, image string) (*ClientHost, error) {
	c, err := f.boot(ctx, containerOptions{image: image, clientHost: true})
	if err != nil {
		return nil, err
	}
	return &ClientHost{Container: c, fleet: f}, nil
}

// TakeAddress gives the host one more address of the network, IPv4 or IPv6.
func (h *ClientHost) TakeAddress(ctx context.Context, v6 bool) (netip.Addr, error) {
	h.mu.Lock()
	h.taken++
	p := h.fleet.Spare(h.taken, v6)
	h.mu.Unlock()
	return p.Addr(), h.AddAddress(ctx, p)
}

// PacketsOf are the packets of connections, as the target's kernel saw them.
func (t *Target) PacketsOf(ctx context.Context, wants []capture.Want) (capture.Capture, error) {
	return t.Client.Packets(ctx, wants)
}
