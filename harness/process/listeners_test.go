package process

import (
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"testing"
)

// TestListeners finds our own listeners of both families, and neither a connection
// nor what another process listens on.
func TestListeners(t *testing.T) {
	var want []netip.AddrPort
	for network, address := range map[string]string{"tcp4": "127.0.0.1:0", "tcp6": "[::1]:0"} {
		l, err := net.Listen(network, address)
		if err != nil {
			t.Logf("%s: %v", network, err) // a machine without IPv6
			continue
		}
		defer l.Close()
		client, err := net.Dial(network, l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		want = append(want, netip.MustParseAddrPort(l.Addr().String()))
	}
	list, err := Listeners("/proc", os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		if s.State != StateListen {
			t.Errorf("%+v does not listen", s)
		}
	}
	for _, w := range want {
		if !slices.ContainsFunc(list, func(s Socket) bool { return s.Local == w }) {
			t.Errorf("%v is missing in %+v", w, list)
		}
	}
	whole := mustRead(t, "/proc")
	n := 0
	for _, s := range whole.Sockets {
		if s.State == StateListen && slices.ContainsFunc(whole.Holders(s.Inode), func(p Process) bool { return p.PID == os.Getpid() }) {
			n++
		}
	}
	if n != len(list) {
		t.Errorf("a whole snapshot has %d listeners of ours, Listeners %d", n, len(list))
	}

	other := exec.Command("sleep", "60")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	if list, err := Listeners("/proc", other.Process.Pid); err != nil || len(list) != 0 {
		t.Errorf("sleep listens on %+v, %v", list, err)
	}
	_ = other.Process.Kill()
	_ = other.Wait()
	if list, err := Listeners("/proc", other.Process.Pid); err != nil || len(list) != 0 {
		t.Errorf("an ended process listens on %+v, %v", list, err)
	}
	if _, err := Listeners(t.TempDir()+"/none", os.Getpid()); err == nil {
		t.Error("no error without a proc file system")
	}
}
