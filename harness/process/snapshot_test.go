package process

import (
	"net/netip"
	"reflect"
	"slices"
	"testing"
)

func TestServerOn(t *testing.T) {
	f := newFakeProc(t)
	f.session(20, 9, "socket:[73006]")
	f.session(21, 20, "socket:[73006]") // a program that the session started
	f.session(19, 20, "socket:[73006]") // and one that got a lower PID
	f.session(22, 9, "socket:[73007]")
	f.session(24, 9, "socket:[600]") // a server that got the listener itself
	f.session(23, 9, "socket:[73008]")
	f.session(9, 1, "/dev/null")
	f.link("9/fd/7", "socket:[73006]") // an ident lookup holds it, but not as 0
	f.link("9/fd/5", "socket:[600]")
	snapshot := mustRead(t, f.root)
	const server, server6 = "172.17.0.2:4243", "[2001:db8::1]:4243"
	for _, c := range []struct {
		client, server string
		want           int
	}{
		{"172.17.0.3:40000", server, 20},
		{"[::ffff:172.17.0.3]:40000", "[::ffff:172.17.0.2]:4243", 20},
		{"172.17.0.3:40000", "172.17.0.2:4242", 0}, // an old one, from the same port
		{"172.17.0.3:40002", server, 22},
		{"[2001:db8::2]:40003", server6, 23},
		{"172.17.0.3:40001", server, 0}, // TIME_WAIT
		{server, "172.17.0.3:40000", 0}, // our own end
		{"0.0.0.0:0", "0.0.0.0:53", 0},  // a listener's ends
		{"[::]:0", "[::]:4243", 0},
	} {
		p, ok := snapshot.ServerOn(netip.MustParseAddrPort(c.client), netip.MustParseAddrPort(c.server))
		if ok != (c.want != 0) || p.PID != c.want {
			t.Errorf("%s at %s is served by %d, want %d", c.client, c.server, p.PID, c.want)
		}
	}
	if list := snapshot.Connections(netip.MustParseAddrPort("172.17.0.3:40000"), netip.MustParseAddrPort(server)); len(list) != 1 || list[0].Inode != 73006 {
		t.Errorf("an old connection from the same port is taken for this one: %v", list)
	}
	if pids := pidsOf(snapshot.Holders(73006)); !slices.Equal(pids, []int{9, 19, 20, 21}) {
		t.Errorf("holders %v", pids)
	}
	if pids := pidsOf(snapshot.Holders(0)); pids != nil {
		t.Errorf("holders of no socket: %v", pids)
	}
	if pids := pidsOf(snapshot.Children(20)); !slices.Equal(pids, []int{19, 21}) {
		t.Errorf("children %v", pids)
	}
	if pids := pidsOf(snapshot.ByArgs("qm", "-n", "-q")); !slices.Equal(pids, []int{9, 19, 20, 21, 22, 23, 24}) {
		t.Errorf("by arguments %v", pids)
	}
	if pids := pidsOf(snapshot.ByArgs("qm", "-n")); pids != nil {
		t.Errorf("a part of the arguments matched: %v", pids)
	}
	if sockets := snapshot.Listeners(4243); len(sockets) != 1 || sockets[0].Inode != 600 {
		t.Errorf("listeners %v", sockets)
	}
}

func TestSignalSet(t *testing.T) {
	for set, want := range map[SignalSet][]string{
		0:             nil,
		0x1000:        {"SIGPIPE"},
		0x4001:        {"SIGHUP", "SIGTERM"},
		1 << 63:       {"SIG64"},
		1<<33 | 1<<16: {"SIGCHLD", "SIG34"},
	} {
		if names := set.Names(); !reflect.DeepEqual(names, want) {
			t.Errorf("%#x: %v, want %v", uint64(set), names, want)
		}
	}
	if SignalSet(1).Has(0) || SignalSet(1).Has(65) || !SignalSet(1).Has(1) {
		t.Error("Has is wrong at its bounds")
	}
}
