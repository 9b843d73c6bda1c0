// Package agenttest is an agent for tests that lies, fails, floods, hangs or dies: it
// speaks the protocol of the real one, and answers what it is told to.
package agenttest

import (
	"context"
	"encoding/gob"
	"errors"
	"io"
	"net"
	"net/rpc"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"qmconformance/harness/agent"
)

// Token opens the agents of this package.
const Token = "an agent for tests"

// Patience is how long a test waits for an agent of this package.
const Patience = 20 * time.Second

// ErrDies makes an agent end the connection in place of an answer.
var ErrDies = errors.New("the agent dies")

// ErrHangs makes it never answer this call, while it goes on with others.
var ErrHangs = errors.New("the agent hangs")

// Answer says what a call is answered: it may change the reply, which is a pointer to
// the zero value of the method's own type. An error is sent in its place; ErrDies and
// ErrHangs are not sent.
type Answer func(method string, reply any) error

// Empty answers every call well, and with nothing in it.
func Empty(string, any) error { return nil }

// Serve runs such an agent and returns a client of it.
func Serve(t testing.TB, answer Answer) *agent.Client {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serve(conn, answer)
		}
	}()
	return connect(t, l)
}

// Raw is an agent that reads what it is sent and writes these bytes.
func Raw(t testing.TB, says io.Reader) *agent.Client {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		// Only what answers a call is heard at all.
		if _, err := io.ReadFull(conn, make([]byte, len(Token)+1)); err != nil {
			return
		}
		_, _ = io.Copy(conn, says)
	}()
	return connect(t, l)
}

func connect(t testing.TB, l net.Listener) *agent.Client {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	c, err := agent.ConnectTo(ctx, l.Addr().(*net.TCPAddr).AddrPort(), Token)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// serve is net/rpc's server side, but that no method is called.
func serve(conn net.Conn, answer Answer) {
	defer conn.Close()
	if _, err := io.ReadFull(conn, make([]byte, len(Token))); err != nil {
		return
	}
	in, out := gob.NewDecoder(conn), gob.NewEncoder(conn)
	var mu sync.Mutex
	for {
		var req rpc.Request
		if err := in.Decode(&req); err != nil {
			return
		}
		name := strings.TrimPrefix(req.ServiceMethod, "Agent.")
		method, ok := reflect.TypeFor[*agent.Agent]().MethodByName(name)
		if !ok {
			return
		}
		if err := in.DecodeValue(reflect.New(method.Type.In(1))); err != nil {
			return
		}
		reply := reflect.New(method.Type.In(2).Elem())
		if reply.Elem().Kind() == reflect.Pointer {
			reply.Elem().Set(reflect.New(reply.Type().Elem().Elem()))
		}
		err := answer(name, reply.Interface())
		res := rpc.Response{ServiceMethod: req.ServiceMethod, Seq: req.Seq}
		switch {
		case errors.Is(err, ErrDies):
			return
		case errors.Is(err, ErrHangs):
			continue
		case err != nil:
			res.Error = err.Error()
			reply = reflect.ValueOf(&struct{}{})
		}
		mu.Lock()
		failed := errors.Join(out.Encode(res), out.EncodeValue(reply))
		mu.Unlock()
		if failed != nil {
			return
		}
	}
}
