package agent

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"qmconformance/harness/wire"
)

// relayLink is a wire.Link whose socket is in another container.
type relayLink struct {
	client *Client
	id     int
	inbox  *wire.Inbox
	remote netip.AddrPort

	mu    sync.Mutex
	local netip.AddrPort
	stop  context.CancelFunc
	done  chan struct{}
}

var _ wire.Link = (*relayLink)(nil)

// Dial opens a connection from the agent's container: from a source address of
// its own, or to its loopback. Like wire.Dial it returns no error for what the
// network does; an error means that the agent could not be asked.
func (c *Client) Dial(ctx context.Context, req DialRequest) (wire.Link, error) {
	if req.ConnectLimit <= 0 {
		req.ConnectLimit = wire.DefaultConnectLimit
	}
	inbox := wire.NewInbox(req.Remote)
	inbox.Tell(wire.Report(ctx))
	id, err := call[DialRequest, int](ctx, c, "Dial", req, req.ConnectLimit+newsSlack)
	if err != nil {
		return nil, err
	}
	// The relay outlives the call that opened it; Close ends it.
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	l := &relayLink{client: c, id: id, inbox: inbox, remote: req.Remote, stop: stop, done: make(chan struct{})}
	go l.listen(life)
	// As with wire.Dial, whoever has the link may ask at once whether it was made.
	// The agent has dialled already, so that it is decided: only the news are due.
	settled, cancel := context.WithTimeout(ctx, newsSlack)
	defer cancel()
	if !inbox.Settled(settled) {
		stop()
		return nil, fmt.Errorf("dial %v: the agent does not tell what came of it: %w", req.Remote, cmp.Or(context.Cause(ctx), settled.Err()))
	}
	return l, nil
}

// listen brings the events over until the connection has ended for good.
func (l *relayLink) listen(ctx context.Context) {
	defer close(l.done)
	for from := 0; ctx.Err() == nil; {
		news, err := call[NewsRequest, News](ctx, l.client, "News", NewsRequest{l.id, from}, newsWait+newsSlack)
		if ctx.Err() != nil {
			return // we have closed it
		}
		if err != nil {
			l.inbox.Deliver(wire.Event{At: l.inbox.Elapsed(), Kind: wire.KindLocalError, Note: err.Error()})
			return
		}
		from += len(news.Events)
		if news.Local.IsValid() {
			l.mu.Lock()
			l.local = news.Local
			l.mu.Unlock()
			l.inbox.SetLocal(news.Local)
		}
		for _, e := range news.Events {
			l.inbox.Deliver(e)
			if e.Kind == wire.KindClosed || e.Kind == wire.KindAborted {
				return
			}
		}
	}
}

func (l *relayLink) do(deed Deed, data []byte) {
	_, err := call[DeedRequest, None](context.Background(), l.client, "Do", DeedRequest{l.id, deed, data}, CallLimit)
	if err != nil {
		l.inbox.Deliver(wire.Event{At: l.inbox.Elapsed(), Kind: wire.KindLocalError, Note: err.Error()})
	}
}

func (l *relayLink) Connected() bool { return l.inbox.Connected() }

func (l *relayLink) Send(data []byte) {
	l.inbox.Queue(len(data))
	l.do(DeedSend, data)
}

func (l *relayLink) SendUrgent(b byte) {
	l.inbox.Queue(1)
	l.do(DeedUrgent, []byte{b})
}

func (l *relayLink) CloseWrite() {
	l.inbox.QueueFIN()
	l.do(DeedShutdown, nil)
}

func (l *relayLink) Abort() { l.do(DeedAbort, nil) }

// closeGrace is how long Close waits for the last events to come over.
const closeGrace = time.Second

func (l *relayLink) Close() {
	l.do(DeedClose, nil)
	// A connection that was never made has no end to tell of.
	if l.inbox.Connected() {
		select {
		case <-l.done:
		case <-time.After(closeGrace):
		}
	}
	l.stop()
}

func (l *relayLink) PauseReading(paused bool) {
	if paused {
		l.do(DeedPause, nil)
		return
	}
	l.do(DeedResume, nil)
}

func (l *relayLink) Await(ctx context.Context, what string, limit time.Duration, enough func([]byte, bool) bool) wire.Outcome {
	return l.inbox.Await(ctx, what, limit, enough)
}

func (l *relayLink) Flush(ctx context.Context, limit time.Duration) wire.Outcome {
	return l.inbox.Flush(ctx, limit)
}

func (l *relayLink) Unread() []byte              { return l.inbox.Unread() }
func (l *relayLink) Consume(n int) []byte        { return l.inbox.Consume(n) }
func (l *relayLink) Transcript() wire.Transcript { return l.inbox.Transcript() }
func (l *relayLink) RemoteAddr() netip.AddrPort  { return l.remote }

func (l *relayLink) LocalAddr() netip.AddrPort {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.local
}
