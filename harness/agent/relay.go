package agent

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"qmconformance/harness/wire"
)

// Limits of a relayed connection.
const (
	// relayCap bounds what a relayed connection may receive. It is within what a
	// transcript keeps in full, from which the relay takes its bytes.
	relayCap = 128 << 10
	// newsWait is how long the agent holds a question for news before it answers
	// that there are none.
	newsWait = 500 * time.Millisecond
	// newsSlack is how long the answer may take beyond that.
	newsSlack = 5 * time.Second
)

type linkTable struct {
	mu    sync.Mutex
	next  int
	links map[int]*wire.Conn
}

func (t *linkTable) get(id int) (*wire.Conn, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l, ok := t.links[id]; ok {
		return l, nil
	}
	return nil, fmt.Errorf("no connection %d", id)
}

// DialRequest opens a connection from the agent's side.
type DialRequest struct {
	Remote       netip.AddrPort
	Source       netip.Addr
	ConnectLimit time.Duration
}

// Dial opens a connection and names it.
func (a *Agent) Dial(req DialRequest, id *int) error {
	conn := wire.Dial(context.Background(), wire.Options{
		Remote: req.Remote, Source: req.Source, ConnectLimit: req.ConnectLimit, ReceiveCap: relayCap,
	})
	a.links.mu.Lock()
	defer a.links.mu.Unlock()
	if a.links.links == nil {
		a.links.links = map[int]*wire.Conn{}
	}
	a.links.next++
	a.links.links[a.links.next] = conn
	*id = a.links.next
	return nil
}

// Deed is what a caller does to a relayed connection.
type Deed string

// The deeds are those of wire.Link.
const (
	DeedSend     Deed = "send"
	DeedUrgent   Deed = "urgent"
	DeedShutdown Deed = "shutdown"
	DeedAbort    Deed = "abort"
	DeedClose    Deed = "close"
	DeedPause    Deed = "pause"
	DeedResume   Deed = "resume"
)

// DeedRequest does something to a relayed connection.
type DeedRequest struct {
	ID   int
	Deed Deed
	Data []byte
}

// Do does something to a relayed connection.
func (a *Agent) Do(req DeedRequest, _ *None) error {
	conn, err := a.links.get(req.ID)
	if err != nil {
		return err
	}
	switch req.Deed {
	case DeedSend:
		conn.Send(req.Data)
	case DeedUrgent:
		if len(req.Data) != 1 {
			return fmt.Errorf("%d bytes of urgent data", len(req.Data))
		}
		conn.SendUrgent(req.Data[0])
	case DeedShutdown:
		conn.CloseWrite()
	case DeedAbort:
		conn.Abort()
	case DeedClose:
		conn.Close()
	case DeedPause, DeedResume:
		conn.PauseReading(req.Deed == DeedPause)
	default:
		return fmt.Errorf("no deed %q", req.Deed)
	}
	return nil
}

// NewsRequest asks for the events from the n-th on.
type NewsRequest struct{ ID, From int }

// News are a connection's events.
type News struct {
	Local  netip.AddrPort
	Events []wire.Event
}

// News waits briefly for events and returns those that there are.
func (a *Agent) News(req NewsRequest, news *News) error {
	conn, err := a.links.get(req.ID)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), newsWait)
	defer cancel()
	conn.More(ctx, req.From)
	t := conn.Transcript()
	news.Local = t.Local
	news.Events = t.Events[min(req.From, len(t.Events)):]
	return nil
}
