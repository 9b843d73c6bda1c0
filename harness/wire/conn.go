package wire

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// DefaultConnectLimit covers two retransmissions of a SYN (after 1 s and 3 s, tcp(7)), so that one lost
	// packet is not taken for a dead host, and is short enough for a dead one to be told soon.
	DefaultConnectLimit = 4 * time.Second
	// DefaultReceiveCap bounds the unread bytes of one connection. The longest record that
	// the harness reads back is a few MiB.
	DefaultReceiveCap = 16 << 20
)

// Options of a connection. The zero value of each but Remote is usable.
type Options struct {
	Remote netip.AddrPort
	// Source is the address to connect from; the kernel chooses if it is not set.
	Source netip.Addr
	// ConnectLimit is the longest wait for the handshake (DefaultConnectLimit).
	ConnectLimit time.Duration
	// ReceiveCap is the most bytes held unread (DefaultReceiveCap). One more ends the reading with an overflow.
	ReceiveCap int
	// ReceiveBuffer is SO_RCVBUF in bytes (socket(7): the kernel doubles it). 0 leaves the kernel's choice.
	ReceiveBuffer int
	// NoDelay switches Nagle's algorithm off, so that each Send leaves as a segment of its own.
	NoDelay bool
	// QuickAck acknowledges each segment at once (tcp(7), TCP_QUICKACK). A peer that writes in small pieces under Nagle's
	// algorithm, as qm does on its user port, otherwise waits 40 ms for our delayed acknowledgement at each prompt.
	QuickAck bool
	// ReadPaused starts the connection as a slow reader: see Link.PauseReading.
	ReadPaused bool
}

// Conn is a Link on a socket of this process.
type Conn struct {
	options Options
	inbox   *Inbox
	done    chan struct{} // closed when the loop has freed everything

	mu     sync.Mutex
	fd     int // -1 where there is no socket
	wake   int // eventfd; -1 when the loop is over
	queue  []item
	paused bool
	finned bool // CloseWrite was called
	ending Kind // KindClosed or KindAborted once asked for
}

var _ Link = (*Conn)(nil)

// item is one thing to do on the sending side, in order.
type item struct {
	data   []byte
	urgent bool
	fin    bool
}

// Dial connects and returns when the handshake is complete, has failed, or ctx is done; ctx has no
// effect afterwards. It never fails: a refusal is an event, and Connected tells. The caller must Close.
func Dial(ctx context.Context, options Options) *Conn {
	if options.ConnectLimit <= 0 {
		options.ConnectLimit = DefaultConnectLimit
	}
	if options.ReceiveCap <= 0 {
		options.ReceiveCap = DefaultReceiveCap
	}
	c := &Conn{
		options: options,
		inbox:   NewInbox(options.Remote),
		done:    make(chan struct{}),
		fd:      -1,
		wake:    -1,
		paused:  options.ReadPaused,
	}
	c.inbox.Tell(Report(ctx))
	if err := c.open(); err != nil {
		c.inbox.Deliver(c.event(KindLocalError, err.Error()))
		c.free()
		close(c.done)
		return c
	}
	go c.run()
	if !c.inbox.Settled(ctx) {
		c.inbox.Deliver(c.event(KindTimeout, "the handshake, given up: "+ctx.Err().Error()))
		c.Close()
	}
	return c
}

func (c *Conn) event(kind Kind, note string) Event {
	return Event{At: c.inbox.Elapsed(), Kind: kind, Note: note}
}

// Connected implements Link.
func (c *Conn) Connected() bool { return c.inbox.Connected() }

// Send implements Link.
func (c *Conn) Send(data []byte) {
	if len(data) > 0 {
		c.enqueue(item{data: bytes.Clone(data)})
	}
}

// SendUrgent implements Link.
func (c *Conn) SendUrgent(b byte) { c.enqueue(item{data: []byte{b}, urgent: true}) }

// CloseWrite implements Link.
func (c *Conn) CloseWrite() { c.enqueue(item{fin: true}) }

func (c *Conn) enqueue(it item) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wake < 0 || c.ending != "" || c.finned {
		c.inbox.Deliver(c.event(KindSendFailed, fmt.Sprintf("%s given after the end of our direction", count(len(it.data)))))
		return
	}
	if it.fin {
		c.finned = true
		c.inbox.QueueFIN()
	}
	c.inbox.Queue(len(it.data))
	c.queue = append(c.queue, it)
	c.ring()
}

// PauseReading implements Link.
func (c *Conn) PauseReading(paused bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.paused = paused
	c.ring()
}

// Abort implements Link.
func (c *Conn) Abort() { c.finish(KindAborted) }

// Close implements Link.
func (c *Conn) Close() { c.finish(KindClosed) }

func (c *Conn) finish(how Kind) {
	c.mu.Lock()
	if c.ending == "" {
		c.ending = how
	}
	c.ring()
	c.mu.Unlock()
	<-c.done
}

// ring wakes the loop. The descriptor is only valid under the lock: the loop gives
// it back under the same lock, and its number may then belong to somebody else.
func (c *Conn) ring() {
	if c.wake >= 0 {
		_, _ = unix.Write(c.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	}
}

// dropQueue records what will never be sent: every queued byte ends as sent or as send-failed.
func (c *Conn) dropQueue(why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dropLocked(why)
}

func (c *Conn) dropLocked(why string) {
	left := 0
	for _, it := range c.queue {
		left += len(it.data)
	}
	if len(c.queue) > 0 {
		c.inbox.Deliver(c.event(KindSendFailed, fmt.Sprintf("%s never sent: %s", count(left), why)))
	}
	c.queue = nil
}

// free gives the descriptors back.
func (c *Conn) free() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dropLocked("there is no connection")
	if c.fd >= 0 {
		_ = unix.Close(c.fd)
	}
	if c.wake >= 0 {
		_ = unix.Close(c.wake)
	}
	c.fd, c.wake = -1, -1
}

// Await implements Link.
func (c *Conn) Await(ctx context.Context, what string, limit time.Duration, enough func(received []byte, ended bool) bool) Outcome {
	return c.inbox.Await(ctx, what, limit, enough)
}

// Flush implements Link.
func (c *Conn) Flush(ctx context.Context, limit time.Duration) Outcome {
	return c.inbox.Flush(ctx, limit)
}

// Unread implements Link. Taking bytes makes room: see Options.ReceiveCap.
func (c *Conn) Unread() []byte { return c.inbox.Unread() }

// Consume implements Link.
func (c *Conn) Consume(n int) []byte { return c.inbox.Consume(n) }

// Transcript implements Link.
func (c *Conn) Transcript() Transcript { return c.inbox.Transcript() }

// More waits until there are more than n events, or ctx is done. A relay asks by it,
// since a wait of its own must not become an event.
func (c *Conn) More(ctx context.Context, n int) bool { return c.inbox.More(ctx, n) }

// LocalAddr implements Link. It is zero if the connection was never made.
func (c *Conn) LocalAddr() netip.AddrPort { return c.inbox.Transcript().Local }

// RemoteAddr implements Link.
func (c *Conn) RemoteAddr() netip.AddrPort { return c.options.Remote }
