package agent

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"qmconformance/harness/yardstick"
)

// soon is far above what anything here takes, on a busy machine too.
const soon = 20 * time.Second

// token opens the agents of the tests.
const token = "0123456789abcdef"

// TestMain lets this program stand in for xinetd, by its first argument.
func TestMain(m *testing.M) {
	if exit, known := yardstick.Main(os.Args[1:]); known {
		os.Exit(exit)
	}
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "listen":
			pretend(os.Args[2:], true)
		case "mute":
			pretend(os.Args[2:], false)
		case "record":
			recordApart(os.Args[2])
		}
	}
	os.Exit(m.Run())
}

// pretend is a super-server: it listens if it is to, says that it is ready where
// it is given a syslog socket, and stays.
func pretend(args []string, listen bool) {
	signal.Ignore(syscall.SIGHUP)
	fmt.Println("this is no xinetd") // before it listens, which may be taken for ready
	if listen {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		defer l.Close()
	}
	if len(args) > 0 {
		conn, err := net.Dial("unixgram", args[0])
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Fprint(conn, "<30>Nov 22 08:06:01 xinetd[73]: Started working: 2 available services")
	}
	time.Sleep(10 * time.Minute) // whoever started it ends it
	os.Exit(0)
}

// self is the path of this program.
func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// serve runs an agent over a directory and returns its address.
func serve(t *testing.T, a *Agent) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() { _ = a.ServeOn(l, token) }()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// connected is a client of an agent over a directory of its own.
func connected(t *testing.T) (c *Client, root string) {
	t.Helper()
	root = t.TempDir()
	a := New(root)
	c, err := ConnectTo(limited(t), serve(t, a), token)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if a.xinetd != nil && a.xinetd.status().Running {
			_ = syscall.Kill(a.xinetd.status().PID, syscall.SIGKILL)
			<-a.xinetd.done
		}
		c.Close()
	})
	return c, root
}

func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	t.Cleanup(cancel)
	return ctx
}

// put writes a file below a root.
func put(t *testing.T, root, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// text reads a file below a root.
func text(t *testing.T, root, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// asRoot skips a test that changes owners.
func asRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("changes owners, which takes root")
	}
}
