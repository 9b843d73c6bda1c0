package agent

import (
	"bufio"
	"fmt"
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

// IdentRequest sets the manner of the identity server on this host.
type IdentRequest struct {
	Manner IdentManner
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

// identHold bounds how long a silent server holds its connections.
const identHold = 2 * time.Minute

type identServer struct {
	mu       sync.Mutex
	listener net.Listener
	request  IdentRequest
	queries  []IdentQuery
}

// Ident sets how the identity server behaves from now on.
func (a *Agent) Ident(req IdentRequest, _ *None) error {
	s := &a.ident
	s.mu.Lock()
	defer s.mu.Unlock()
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
	l, err := net.Listen("tcp", fmt.Sprintf(":%d", identPort))
	if err != nil {
		return err
	}
	s.listener = l
	go s.serve(l)
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

func (s *identServer) serve(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go s.answer(conn.(*net.TCPConn))
	}
}

func (s *identServer) answer(conn *net.TCPConn) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(identHold))
	reader := bufio.NewReader(conn)
	line, err := reader.ReadString('\n')
	if err != nil {
		return
	}
	line = strings.TrimRight(line, "\r\n")
	s.mu.Lock()
	req := s.request
	s.queries = append(s.queries, IdentQuery{time.Now(), addrPort(conn.RemoteAddr()), addrPort(conn.LocalAddr()), line})
	s.mu.Unlock()
	switch req.Manner {
	case IdentResets:
		_ = conn.SetLinger(0)
	case IdentSilent:
		_, _ = reader.ReadByte() // until the asker gives up
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
