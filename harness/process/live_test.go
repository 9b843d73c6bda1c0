package process

import (
	"bytes"
	"cmp"
	"encoding/gob"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// serve starts cat on the accepted socket as xinetd would, and returns its PID
// and the client's end. cat answers one line first, so that it has surely been
// executed when the snapshot is taken.
func serve(t *testing.T, network, address string) (pid int, client *net.TCPConn) {
	t.Helper()
	listener, err := net.Listen(network, address)
	if err != nil {
		t.Skipf("no %s here: %v", network, err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	dial := "127.0.0.1:" + port
	if strings.Contains(address, "::1") {
		dial = "[::1]:" + port
	}
	conn, err := net.Dial("tcp", dial)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	accepted, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	file, err := accepted.(*net.TCPConn).File()
	accepted.Close()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("cat")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = file, file, file
	cmd.Env = []string{"A=1"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	file.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	conn.SetDeadline(time.Now().Add(10 * time.Second)) // cat answers in milliseconds
	answer := make([]byte, 3)
	if _, err := conn.Write([]byte("hi\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(answer); err != nil {
		t.Fatal(err)
	}
	return cmd.Process.Pid, conn.(*net.TCPConn)
}

func TestLiveServer(t *testing.T) {
	for _, test := range []struct{ network, address, family string }{
		{"tcp4", "127.0.0.1:0", FamilyIPv4},
		{"tcp", "[::]:0", FamilyIPv6}, // dual stack, IPv4 client
		{"tcp6", "[::1]:0", FamilyIPv6},
	} {
		t.Run(test.network, func(t *testing.T) {
			pid, client := serve(t, test.network, test.address)
			snapshot := mustRead(t, "/proc")
			address := netip.MustParseAddrPort(client.LocalAddr().String())
			server := netip.MustParseAddrPort(client.RemoteAddr().String())
			p, ok := snapshot.ServerOn(address, server)
			if !ok || p.PID != pid {
				t.Fatalf("%v is served by %d, want %d", address, p.PID, pid)
			}
			connections := snapshot.Connections(address, server)
			if len(connections) != 1 || connections[0].Family != test.family || connections[0].State != StateEstablished ||
				connections[0].Remote != address {
				t.Errorf("connections %+v", connections)
			}
			if !slices.Equal(p.Args, []string{"cat"}) || !slices.Equal(p.Env, []string{"A=1"}) || p.Session != pid || p.TTY != 0 ||
				p.PPID != os.Getpid() || p.Unsettled || len(p.Problems) != 0 {
				t.Errorf("process %+v", p)
			}
			if fd, ok := p.FD(2); !ok || fd.Inode != p.FDs[0].Inode || fd.Kind != KindSocket || fd.Flags&os.O_RDWR == 0 {
				t.Errorf("descriptors %+v", p.FDs)
			}
			if limit, ok := p.Limit(LimitOpenFiles); !ok || limit.Soft == 0 {
				t.Errorf("limits %+v", p.Limits)
			}
		})
	}
}

func TestLiveSelf(t *testing.T) {
	mask := syscall.Umask(0o027)
	defer syscall.Umask(mask)
	p, ok := mustRead(t, "/proc").Process(os.Getpid())
	exe, _ := os.Executable()
	cwd, _ := os.Getwd()
	if !ok || p.Exe != exe || p.Cwd != cwd || p.Umask != 0o027 || p.UIDs[1] != os.Geteuid() || p.RSS == 0 ||
		!slices.Equal(p.Args, os.Args) || p.State == "" || p.Threads < 2 {
		t.Errorf("self %+v", p)
	}
	if !p.SigCgt.Has(int(syscall.SIGURG)) {
		t.Errorf("the Go runtime catches SIGURG, seen: %v", p.SigCgt)
	}
}

// TestLiveSocketSources compares the two sources on the sockets of a running
// session, which don't change meanwhile.
func TestLiveSocketSources(t *testing.T) {
	for _, test := range []struct{ network, address, family string }{
		{"tcp4", "127.0.0.1:0", FamilyIPv4},
		{"tcp", "[::]:0", FamilyIPv6},
		{"tcp6", "[::1]:0", FamilyIPv6},
	} {
		_, client := serve(t, test.network, test.address)
		listener, err := net.Listen(test.network, test.address)
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		ours := func(sockets []Socket) []Socket {
			local := netip.MustParseAddrPort(client.LocalAddr().String())
			port := netip.MustParseAddrPort(listener.Addr().String()).Port()
			sockets = slices.DeleteFunc(sockets, func(s Socket) bool { return s.Remote != local && s.Local.Port() != port })
			slices.SortFunc(sockets, func(a, b Socket) int { return cmp.Compare(a.Inode, b.Inode) })
			return sockets
		}
		asked, err := diagSockets(test.family, anyState)
		if err != nil {
			t.Skip(err)
		}
		content, err := os.ReadFile("/proc/net/" + test.family)
		if err != nil {
			t.Fatal(err)
		}
		table, err := parseSockets(string(content), test.family)
		if err != nil {
			t.Fatal(err)
		}
		if asked, table = ours(asked), ours(table); !reflect.DeepEqual(asked, table) || len(asked) != 2 {
			t.Errorf("sock_diag %+v\nproc %+v", asked, table)
		}
	}
}

// TestLiveChurn reads while processes come and go: what is in the snapshot
// must be whole. A process between fork and exec is a whole copy of ours.
func TestLiveChurn(t *testing.T) {
	stop := make(chan struct{})
	var spawners sync.WaitGroup
	for range 2 {
		spawners.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					exec.Command("true", "argument").Run()
				}
			}
		})
	}
	defer spawners.Wait()
	defer close(stop)
	seen := 0
	for range 40 {
		snapshot := mustRead(t, "/proc")
		for _, p := range snapshot.Children(os.Getpid()) {
			seen++
			if p.dead() {
				if len(p.FDs) != 0 || len(p.Args) != 0 {
					t.Errorf("half a zombie: %+v", p)
				}
				continue
			}
			if p.Unsettled {
				continue // says of itself that it isn't whole
			}
			if p.Exe == "" || len(p.Args) == 0 || len(p.FDs) == 0 || len(p.Limits) == 0 || p.Umask < 0 || len(p.Problems) != 0 {
				t.Errorf("half read: %+v", p)
			}
			// the shell finds true in /usr/bin or /bin, perhaps as one program of many
			if len(p.Args) > 0 && p.Args[0] == "true" && p.Exe == os.Args[0] {
				t.Errorf("two programs mixed: %+v", p)
			}
		}
	}
	t.Logf("%d short-lived processes seen", seen)
}

func TestGob(t *testing.T) {
	want := mustRead(t, "/proc")
	var wire bytes.Buffer
	if err := gob.NewEncoder(&wire).Encode(want); err != nil {
		t.Fatal(err)
	}
	var got Snapshot
	if err := gob.NewDecoder(&wire).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if !got.Taken.Equal(want.Taken) {
		t.Error("the time was lost")
	}
	got.Taken = want.Taken
	if !reflect.DeepEqual(got, want) {
		t.Error("something was lost on the wire")
	}
}

func BenchmarkRead(b *testing.B) {
	processes := 0
	for b.Loop() {
		snapshot, err := Read("/proc")
		if err != nil {
			b.Fatal(err)
		}
		processes = len(snapshot.Processes)
	}
	b.ReportMetric(float64(processes), "processes")
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(processes), "µs/process")
}
