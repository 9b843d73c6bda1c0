package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/rpc"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"qmconformance/fixtures/probe/report"
	"qmconformance/harness/capture"
	"qmconformance/harness/process"
)

// Limits of the caller's side.
const (
	// dialRetry is the pause between tries while the container is coming up. The
	// agent listens a few milliseconds after PID 1 starts.
	dialRetry = 3 * time.Millisecond
	// CallLimit is for calls that do no more than touch files and /proc; they take
	// milliseconds, and a busy machine may stretch that a thousandfold.
	CallLimit = 10 * time.Second
	// runSlack is added to a command's own limit for the call that waits for it.
	runSlack = 5 * time.Second
)

// ErrNoAnswer says that the agent was not heard, or not in time. Whatever it tells of a
// target is a fact about the target; that it tells nothing is a failure of ours.
var ErrNoAnswer = errors.New("no answer")

// Client calls one agent.
type Client struct {
	rpc  *rpc.Client
	conn *bounded
}

// replyCap bounds what an agent may send without completing an answer: a file is read
// up to 16 MiB, and a target with an agent that is out of its mind must not take the
// memory of this machine.
const replyCap = 64 << 20

// bounded is a connection that is read no further than its allowance.
type bounded struct {
	net.Conn
	left atomic.Int64
}

var errTooMuch = fmt.Errorf("it sent more than %d MiB without an answer", replyCap>>20)

func (b *bounded) Read(p []byte) (int, error) {
	if b.left.Load() <= 0 {
		return 0, errTooMuch
	}
	n, err := b.Conn.Read(p)
	b.left.Add(int64(-n))
	return n, err
}

func (b *bounded) renew() { b.left.Store(replyCap) }

// Connect dials an agent until it answers or ctx ends.
func Connect(ctx context.Context, address netip.Addr, token string) (*Client, error) {
	return ConnectTo(ctx, netip.AddrPortFrom(address, Port), token)
}

// ConnectTo is Connect for an agent that listens on another port.
func ConnectTo(ctx context.Context, address netip.AddrPort, token string) (*Client, error) {
	target := address.String()
	var d net.Dialer
	for {
		conn, err := d.DialContext(ctx, "tcp", target)
		if err == nil {
			if _, err = conn.Write([]byte(token)); err == nil {
				c := &Client{conn: &bounded{Conn: conn}}
				c.conn.renew()
				c.rpc = rpc.NewClient(c.conn)
				return c, nil
			}
			conn.Close()
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("connect to the agent at %s: %w", target, err)
		case <-time.After(dialRetry):
		}
	}
}

// Close ends the connection; the agent's lease begins.
func (c *Client) Close() error { return c.rpc.Close() }

func call[Req, Res any](ctx context.Context, c *Client, method string, req Req, limit time.Duration) (Res, error) {
	var res Res
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	pending := c.rpc.Go("Agent."+method, req, &res, make(chan *rpc.Call, 1))
	select {
	case <-pending.Done:
		c.conn.renew()
		var told rpc.ServerError
		switch {
		case pending.Error == nil:
			return res, nil
		case errors.As(pending.Error, &told):
			return res, fmt.Errorf("agent: %s: %w", strings.ToLower(method), remote(pending.Error))
		}
		return res, fmt.Errorf("agent: %s: %w: %w", strings.ToLower(method), ErrNoAnswer, pending.Error)
	case <-ctx.Done():
		var none Res // res may still be written to
		return none, fmt.Errorf("agent: %s: %w: %w", strings.ToLower(method), ErrNoAnswer, ctx.Err())
	}
}

// remote gives a remote error of the file system its identity back, which
// net/rpc flattens to text.
func remote(err error) error {
	var server rpc.ServerError
	switch {
	case !errors.As(err, &server):
	case strings.HasSuffix(string(server), syscall.ENOENT.Error()):
		return fmt.Errorf("%w (%s)", fs.ErrNotExist, string(server))
	case strings.HasSuffix(string(server), ErrNotRegular.Error()):
		return fmt.Errorf("%w (%s)", ErrNotRegular, string(server))
	}
	return err
}

// Unpack lays a tar archive over the root.
func (c *Client) Unpack(ctx context.Context, archive []byte) error {
	_, err := call[UnpackRequest, None](ctx, c, "Unpack", UnpackRequest{archive, "/"}, CallLimit)
	return err
}

// Run runs a command to its end or its limit.
func (c *Client) Run(ctx context.Context, req RunRequest) (RunResult, error) {
	if req.Limit <= 0 {
		req.Limit = CallLimit
	}
	return call[RunRequest, RunResult](ctx, c, "Run", req, req.Limit+runSlack)
}

// AddUsers appends accounts to the target.
func (c *Client) AddUsers(ctx context.Context, users []User) error {
	_, err := call[[]User, None](ctx, c, "AddUsers", users, CallLimit)
	return err
}

// Walk lists a tree of at most limit files.
func (c *Client) Walk(ctx context.Context, root string, limit int) ([]Entry, error) {
	return call[WalkRequest, []Entry](ctx, c, "Walk", WalkRequest{root, limit}, CallLimit)
}

// ReadDir lists a directory, in the order of names.
func (c *Client) ReadDir(ctx context.Context, path string) ([]Entry, error) {
	return call[string, []Entry](ctx, c, "ReadDir", path, CallLimit)
}

// Stat is lstat of one path.
func (c *Client) Stat(ctx context.Context, path string) (Entry, error) {
	return call[string, Entry](ctx, c, "Stat", path, CallLimit)
}

// Resolve follows links to the file that a path leads to.
func (c *Client) Resolve(ctx context.Context, path string) (string, error) {
	return call[string, string](ctx, c, "Resolve", path, CallLimit)
}

// ReadFiles lists a directory, in the order of names, with the content of small files.
func (c *Client) ReadFiles(ctx context.Context, path string) ([]File, error) {
	return call[string, []File](ctx, c, "ReadFiles", path, CallLimit)
}

// ReadFile reads a whole file of up to 16 MiB.
func (c *Client) ReadFile(ctx context.Context, path string) ([]byte, error) {
	return call[ReadRequest, []byte](ctx, c, "ReadFile", ReadRequest{Path: path}, CallLimit)
}

// ReadFrom reads a file from an offset on.
func (c *Client) ReadFrom(ctx context.Context, path string, offset int64) ([]byte, error) {
	return call[ReadRequest, []byte](ctx, c, "ReadFile", ReadRequest{Path: path, Offset: offset}, CallLimit)
}

// WriteFile replaces a file.
func (c *Client) WriteFile(ctx context.Context, path string, text []byte, mode os.FileMode) error {
	_, err := call[WriteRequest, None](ctx, c, "WriteFile", WriteRequest{path, text, mode}, CallLimit)
	return err
}

// Replace puts the file with in the place of path, keeping owner and mode.
func (c *Client) Replace(ctx context.Context, path, with string) (kept string, err error) {
	return call[ReplaceRequest, string](ctx, c, "Replace", ReplaceRequest{path, with}, CallLimit)
}

// Snapshot looks at every process and socket.
func (c *Client) Snapshot(ctx context.Context) (Snapshot, error) {
	return call[None, Snapshot](ctx, c, "Snapshot", None{}, CallLimit)
}

// Signal signals a process.
func (c *Client) Signal(ctx context.Context, pid int, sig syscall.Signal) error {
	_, err := call[SignalRequest, None](ctx, c, "Signal", SignalRequest{pid, sig}, CallLimit)
	return err
}

// Syslog takes /dev/log if nobody serves it, and says whether it did.
func (c *Client) Syslog(ctx context.Context) (supplied bool, err error) {
	return call[None, bool](ctx, c, "Syslog", None{}, CallLimit)
}

// SyslogReplaced says that another program serves /dev/log, and not we any more.
func (c *Client) SyslogReplaced(ctx context.Context) (bool, error) {
	return call[None, bool](ctx, c, "SyslogReplaced", None{}, CallLimit)
}

// Messages are what arrived at our /dev/log from the n-th on.
func (c *Client) Messages(ctx context.Context, n int) ([]SyslogMessage, error) {
	return call[int, []SyslogMessage](ctx, c, "Messages", n, CallLimit)
}

// StartXinetd starts the super-server and waits until it is ready.
func (c *Client) StartXinetd(ctx context.Context, req StartRequest) (Readiness, error) {
	return call[StartRequest, Readiness](ctx, c, "StartXinetd", req, req.Ready+runSlack)
}

// StopXinetd ends the super-server.
func (c *Client) StopXinetd(ctx context.Context, sig syscall.Signal) (Daemon, error) {
	return call[syscall.Signal, Daemon](ctx, c, "StopXinetd", sig, CallLimit)
}

// Listeners are the sockets that the super-server listens on now: to be asked again
// and again, where a snapshot costs ten milliseconds of a processor.
func (c *Client) Listeners(ctx context.Context) ([]process.Socket, error) {
	return call[None, []process.Socket](ctx, c, "Listeners", None{}, CallLimit)
}

// XinetdState is how the super-server fares.
func (c *Client) XinetdState(ctx context.Context) (Daemon, error) {
	return call[None, Daemon](ctx, c, "XinetdState", None{}, CallLimit)
}

// BecomeSystemd has PID 1 turn into systemd. It has answered before that is done, and
// where it cannot be done nothing changes.
func (c *Client) BecomeSystemd(ctx context.Context) error {
	_, err := call[None, None](ctx, c, "BecomeSystemd", None{}, CallLimit)
	return err
}

// Addresses are the container's own.
func (c *Client) Addresses(ctx context.Context) ([]Address, error) {
	return call[None, []Address](ctx, c, "Addresses", None{}, CallLimit)
}

// AddAddress gives the container one more address; it needs NET_ADMIN.
func (c *Client) AddAddress(ctx context.Context, prefix netip.Prefix) error {
	_, err := call[netip.Prefix, None](ctx, c, "AddAddress", prefix, CallLimit)
	return err
}

// CountStarts begins to count how often the probe is started for a connection.
func (c *Client) CountStarts(ctx context.Context) error {
	_, err := call[string, None](ctx, c, "CountStarts", report.StartsPath, CallLimit)
	return err
}

// Starts is how often it was since CountStarts.
func (c *Client) Starts(ctx context.Context) (int, error) {
	return call[string, int](ctx, c, "Starts", report.StartsPath, CallLimit)
}

// Ident sets how the identity server of this host behaves from now on.
func (c *Client) Ident(ctx context.Context, req IdentRequest) error {
	_, err := call[IdentRequest, None](ctx, c, "Ident", req, CallLimit)
	return err
}

// IdentQueries are what the identity server was asked, from the n-th query on.
func (c *Client) IdentQueries(ctx context.Context, n int) ([]IdentQuery, error) {
	return call[int, []IdentQuery](ctx, c, "IdentQueries", n, CallLimit)
}

// Packets are those of the wanted connections, as the container's kernel saw them.
func (c *Client) Packets(ctx context.Context, wants []capture.Want) (capture.Capture, error) {
	return call[[]capture.Want, capture.Capture](ctx, c, "Packets", wants, CallLimit)
}

// Recording is how the recording of packets fares.
func (c *Client) Recording(ctx context.Context) (capture.Status, error) {
	return call[None, capture.Status](ctx, c, "Recording", None{}, CallLimit)
}

// PauseRecording stops the recording of packets for a while, or goes on with it.
func (c *Client) PauseRecording(ctx context.Context, paused bool) error {
	_, err := call[bool, None](ctx, c, "PauseRecording", paused, CallLimit)
	return err
}

// StartHelper starts a program beside the subject and waits until it listens.
func (c *Client) StartHelper(ctx context.Context, req HelperRequest) (Daemon, error) {
	return call[HelperRequest, Daemon](ctx, c, "StartHelper", req, req.Ready+runSlack)
}

// HelperState is how a helper fares, with what it wrote.
func (c *Client) HelperState(ctx context.Context, pid int) (Daemon, error) {
	return call[int, Daemon](ctx, c, "HelperState", pid, CallLimit)
}

// StopHelper ends a helper.
func (c *Client) StopHelper(ctx context.Context, pid int) (Daemon, error) {
	return call[int, Daemon](ctx, c, "StopHelper", pid, CallLimit)
}

// WatchEnd begins to wait for the end of the process that serves a connection.
func (c *Client) WatchEnd(ctx context.Context, of Ends) (pid int, err error) {
	return call[Ends, int](ctx, c, "WatchEnd", of, CallLimit)
}

// Ended is when a watched process ended, by the kernel's monotonic clock.
func (c *Client) Ended(ctx context.Context, pid int) (at int64, err error) {
	return call[int, int64](ctx, c, "Ended", pid, endLimit+runSlack)
}
