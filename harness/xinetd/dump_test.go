package xinetd

import (
	"bytes"
	"encoding/gob"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

func mustDump(t *testing.T, text string) Dump {
	t.Helper()
	dump, err := ParseDump(text)
	if err != nil {
		t.Fatal(err)
	}
	return dump
}

func TestDumpReference(t *testing.T) {
	for i, release := range releases {
		dump := mustDump(t, sample(t, release, "reference.dump"))
		version := []string{"2.3.15.3", "2.3.15.4"}[i]
		if dump.Version != version || dump.AvailableServices != number(2) || !dump.LoggingService || dump.ConfigFile != "/etc/xinetd.conf" ||
			dump.MaxDescriptors != number(1024) || len(dump.SocketMask) != 3 || len(dump.Unknown) != 0 {
			t.Errorf("%s: %+v", release, dump)
		}
		want := Settings{
			Service: "qmclient", ID: "qmclient", State: "Active", Flags: []string{"REUSE", "IPv6"}, SocketType: "stream",
			Protocol: "tcp", ProtocolNumber: number(6), Port: number(4243), Wait: "no", User: number(0), Group: number(1001),
			Groups: "yes", Umask: number(2), Instances: number(1), PerSource: number(Unlimited), Server: "/usr/qmsys/bin/qm",
			Argv: []string{"qm", "-n", "-q"}, Log: LogTarget{Kind: LogCommon},
			OnSuccess: []string{"HOST", "DURATION", "EXIT", "PID"}, OnFailure: []string{"HOST", "USERID"},
			Running: number(1), Retrying: number(0), Attempts: number(0), ServiceFD: number(6),
		}
		if got := dump.Service("qmclient"); len(got) != 1 || !reflect.DeepEqual(got[0], want) {
			t.Errorf("%s: got  %+v\nwant %+v", release, got, want)
		}
		if got := dump.OnPort(4242); len(got) != 1 || got[0].ID != "qmserver" || dump.LogFileOf(got[0]) != "/tmp/common.log" {
			t.Errorf("%s: port 4242: %+v", release, got)
		}
		// The last dump was taken after one of two sessions had ended.
		if len(dump.Servers) != 1 || dump.Servers[0].ID != "qmclient" || dump.Servers[0].For != "qmclient" || dump.Servers[0].PID == 0 ||
			dump.Servers[0].Remote.Addr() != netip.MustParseAddr("127.0.0.1") || dump.Servers[0].Remote.Port() == 0 || len(dump.Servers[0].Unknown) != 0 {
			t.Errorf("%s: servers %+v", release, dump.Servers)
		}
	}
}

func TestDumpEverything(t *testing.T) {
	for _, release := range releases {
		dump := mustDump(t, sample(t, release, "everything.dump"))
		got := dump.Service("qmclient-lan")
		if len(got) != 1 {
			t.Fatalf("%s: %d services", release, len(got))
		}
		want := Settings{
			Service: "qmclient", ID: "qmclient-lan", State: "Active", Flags: []string{"REUSE", "NORETRY", "NODELAY", "KEEPALIVE", "NOLIBWRAP", "IPv4"},
			Types: []string{"UNLISTED"}, SocketType: "stream", Protocol: "tcp", ProtocolNumber: number(6), Port: number(14243),
			Wait: "no", User: number(1500), Group: number(1001), Groups: "no", Umask: number(0o77), Nice: number(5), Instances: number(2),
			PerSource: number(1), ConnectionsPerSecond: number(3), ConnectionsPerSecondWait: number(4), Bind: "localhost",
			Server: "/usr/qmsys/bin/qm", Argv: []string{"qm", "-n", "-q", `"a`, `b"`}, Libwrap: "other",
			AccessTimes: []string{"02:00-03:30", "00:00-23:59"},
			OnlyFrom:    []Rule{{"10.1.2.0", "", "NUMERIC"}, {"127.0.0.1", "", "NUMERIC"}, {"10.0.0.0", "255.0.0.0", "NET"}},
			NoAccess:    []Rule{{"192.0.2.0", "", "NUMERIC"}, {"2001:db8::", "ffff:ffff::", "NET"}, {"198.51.100.7", "", "NUMERIC"}},
			Log:         LogTarget{Kind: LogFile, File: "/tmp/own.log", Soft: number(200000), Hard: number(400000)},
			OnSuccess:   []string{"HOST", "DURATION", "EXIT", "PID"}, OnFailure: []string{"HOST", "ATTEMPT", "USERID"},
			PassEnv: []string{"PATH", "HOME"}, PassEnvSet: true, Env: []string{"A=1", "B=two", "C=x=y"},
			Environment: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "A=1", "B=two", "C=x=y"},
			Running:     number(0), Retrying: number(0), Attempts: number(0), ServiceFD: number(6),
		}
		if !reflect.DeepEqual(got[0], want) {
			t.Errorf("%s: got  %+v\nwant %+v", release, got[0], want)
		}
		for _, s := range append(dump.Services, dump.Defaults) {
			if len(s.Unknown) != 0 {
				t.Errorf("%s: %s: not understood: %q", release, s.ID, s.Unknown)
			}
		}
		if trap := dump.Service("trap"); len(trap) != 1 || trap[0].DenyTime != number(2) {
			t.Errorf("%s: trap %+v", release, trap)
		}
		if d := dump.Defaults; d.Instances != number(60) || d.Log != (LogTarget{Kind: LogSyslog, Facility: "daemon", Level: "info"}) || d.OnlyFrom[3].Kind != "HOST" {
			t.Errorf("%s: defaults %+v", release, d)
		}
	}
}

func TestDumpOfDebiansDefaults(t *testing.T) {
	for _, release := range releases {
		s := mustDump(t, sample(t, release, "empty.dump")).Service("qmserver")
		if len(s) != 1 || s[0].Log.Kind != LogNone || s[0].OnFailure != nil {
			t.Errorf("%s: %+v", release, s)
		}
	}
}

func TestDumpOfUnsetAttributes(t *testing.T) {
	s := mustDump(t, sample(t, "bookworm", "emptylists.dump")).Service("qmserver")
	if len(s) != 1 || s[0].Group.Set || s[0].Umask.Set || s[0].Groups != "no" || s[0].User != number(0) {
		t.Errorf("%+v", s)
	}
}

func TestDumpKeepsWhatItDoesNotKnow(t *testing.T) {
	text := strings.Replace(sample(t, "trixie", "syslog.dump"), "\t\twait = no\n", "\t\twait = no\n\t\tnovelty = 7\n\t\tport = many\n", 1)
	text = strings.Replace(text, "max_descriptors", "what = 1\nmax_descriptors", 1)
	dump := mustDump(t, text)
	if got := dump.Services[0].Unknown; !reflect.DeepEqual(got, []string{"novelty = 7", "port = many"}) {
		t.Errorf("service %q", got)
	}
	if !reflect.DeepEqual(dump.Unknown, []string{"what = 1"}) {
		t.Errorf("dump %q", dump.Unknown)
	}
}

// TestDumpIsTheLastCompleteOne: xinetd appends, and may be writing.
func TestDumpIsTheLastCompleteOne(t *testing.T) {
	text := sample(t, "bookworm", "reference.dump")
	if CountDumps(text) != 2 {
		t.Fatalf("%d dumps", CountDumps(text))
	}
	end := strings.Index(text, dumpEnd)
	for cut, servers := range map[int]int{len(text): 1, end + len(dumpEnd) + 1: 2, strings.LastIndex(text, dumpEnd): 2, len(text) - 3: 2} {
		dump, err := ParseDump(text[:cut])
		if err != nil || len(dump.Servers) != servers {
			t.Errorf("cut at %d of %d: %d servers, %v", cut, len(text), len(dump.Servers), err)
		}
	}
	for _, incomplete := range []string{"", text[:end], text[:end+len(dumpEnd)], dumpEnd + "\n"} {
		if _, err := ParseDump(incomplete); !errors.Is(err, ErrNoDump) {
			t.Errorf("%d bytes: %v", len(incomplete), err)
		}
	}
}

func TestDumpSurvivesGob(t *testing.T) {
	want := mustDump(t, sample(t, "bookworm", "reference.dump"))
	var wire bytes.Buffer
	var got Dump
	if err := gob.NewEncoder(&wire).Encode(want); err != nil {
		t.Fatal(err)
	}
	if err := gob.NewDecoder(&wire).Decode(&got); err != nil || got.Services[0].User != number(0) {
		t.Errorf("user %+v, %v", got.Services[0].User, err)
	}
}
