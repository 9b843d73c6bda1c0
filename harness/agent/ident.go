package agent

import (
	"bufio"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// IdentManner is how an identity server (RFC 1413) behaves.
type IdentManner string

// Manners. A client host without one refuses: nobody listens.
const (
	IdentAnswers IdentManner = "answers" // Reply, after Delay, then FIN
	IdentSilent  IdentManner = "silent"  // reads the query and says nothing
	IdentResets  IdentManner = "resets"  // RST in place of an answer
	IdentRefuses IdentManner = "refuses" // nobody listens
)

// IdentRequest sets the manner of the identity server of this host, at one of its
// addresses or at all of them.
type IdentRequest struct {
	Manner IdentManner
	// At is the address that it listens at. Several looks share a client host, each
	// with addresses of its own; one that is set here keeps its manner when the
	// others are set together. Not valid, it stands for all the others.
	At netip.Addr
	// Reply is written as it is; {ports} in it becomes "CLIENTPORT, SERVERPORT" of
	// the query.
	Reply string
	Delay time.Duration
}

// IdentQuery is what an identity server was asked.
type IdentQuery struct {
	At time.Time
	// From is the asker, To the address that it asked at.
	From, To netip.AddrPort
	// Line is the query without its line end.
	Line string
}

// identPort is that of RFC 1413.
const identPort = 113

// identLine is the longest query that is read, with its line end: RFC 1413 has twelve
// characters of it, and whoever sends more without an end is no xinetd. identCap is how
// many queries are kept.
const (
	identLine = 1 << 10
	identCap  = 10_000
)

// identHold bounds how long a silent server holds its connections.
const identHold = 2 * time.Minute

// identServers are those of one host, by their addresses: with one listener for
// all of them none could refuse while another answers.
type identServers struct {
	mu      sync.Mutex
	servers map[netip.Addr]*identServer
	queries []IdentQuery
}

type identServer struct {
	listener net.Listener
	request  IdentRequest
}

// Ident sets how the identity server behaves from now on.
func (a *Agent) Ident(req IdentRequest, _ *None) error {
	if req.At.IsValid() {
		return a.ident.set(req.At, req)
	}
	own, err := OwnAddresses()
	if err != nil {
		return err
	}
	for _, o := range own {
		at := o.Prefix.Addr()
		if o.Tentative || at.IsLinkLocalUnicast() || a.ident.apart(at) {
			continue
		}
		if err := a.ident.set(at, req); err != nil {
			return err
		}
	}
	return nil
}

// apart says whether an address was set by itself.
func (i *identServers) apart(at netip.Addr) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	s, ok := i.servers[at]
	return ok && s.request.At.IsValid()
}

func (i *identServers) set(at netip.Addr, req IdentRequest) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.servers == nil {
		i.servers = map[netip.Addr]*identServer{}
	}
	s, ok := i.servers[at]
	if !ok {
		s = &identServer{}
		i.servers[at] = s
	}
	s.request = req
	if req.Manner == IdentRefuses {
		if s.listener != nil {
			s.listener.Close()
			s.listener = nil
		}
		return nil
	}
	if s.listener != nil {
		return nil
	}
	l, err := net.Listen("tcp", netip.AddrPortFrom(at, identPort).String())
	if err != nil {
		return err
	}
	s.listener = l
	go i.serve(l, s)
	return nil
}

// IdentQueries are those from the n-th on.
func (a *Agent) IdentQueries(n int, list *[]IdentQuery) error {
	a.ident.mu.Lock()
	defer a.ident.mu.Unlock()
	if n < len(a.ident.queries) {
		*list = append(*list, a.ident.queries[n:]...)
	}
	return nil
}

func (i *identServers) serve(l net.Listener, s *identServer) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go i.answer(conn.(*net.TCPConn), s)
	}
}

func (i *identServers) answer(conn *net.TCPConn, s *identServer) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(identHold))
	line, err := bufio.NewReader(io.LimitReader(conn, identLine)).ReadString('\n')
	if err != nil {
		return
	}
	line = strings.TrimRight(line, "\r\n")
	i.mu.Lock()
	req := s.request
	if len(i.queries) < identCap {
		i.queries = append(i.queries, IdentQuery{time.Now(), addrPort(conn.RemoteAddr()), addrPort(conn.LocalAddr()), line})
	}
	i.mu.Unlock()
	switch req.Manner {
	case IdentResets:
		_ = conn.SetLinger(0)
	case IdentSilent:
		_, _ = io.Copy(io.Discard, conn) // until the asker gives up
	case IdentAnswers:
		time.Sleep(req.Delay)
		client, server, _ := strings.Cut(line, ",")
		ports := strings.TrimSpace(client) + ", " + strings.TrimSpace(server)
		_, _ = conn.Write([]byte(strings.ReplaceAll(req.Reply, "{ports}", ports)))
	}
}

func addrPort(a net.Addr) netip.AddrPort {
	p, _ := netip.ParseAddrPort(a.String())
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}
