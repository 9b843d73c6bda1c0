package process

import (
	"strings"
	"testing"
)

func seed(f *testing.F, names ...string) {
	f.Helper()
	for _, name := range names {
		f.Add(readText(f, name))
	}
}

// The name of a process may hold anything, and everything behind it is read all the same.
func FuzzStat(f *testing.F) {
	seed(f, "stat")
	f.Add("1 (a) b) (c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24")
	f.Add("1 ) (")
	f.Fuzz(func(t *testing.T, text string) {
		var p Process
		if err := p.parseStat(text); err != nil {
			return
		}
		const rest = " S 7 8 9 0 -1 0 0 0 0 0 5 6 0 0 20 -3 1 0 4711 0 2 0"
		var again Process
		if err := again.parseStat("42 (" + p.Comm + ")" + rest); err != nil {
			t.Fatal(err)
		}
		if again.Comm != p.Comm || again.PPID != 7 || again.Nice != -3 || again.StartTime != 4711 || again.CPUTicks != 11 {
			t.Fatalf("of a process named %q: %+v", p.Comm, again)
		}
	})
}

func FuzzProcessTexts(f *testing.F) {
	seed(f, "status", "limits")
	f.Add("flags:\t02100002\nino:\t12\n")
	f.Add("a\x00b\x00\x00")
	f.Fuzz(func(t *testing.T, text string) {
		p := Process{Umask: -1}
		_ = p.parseStatus(text)
		limits, _ := parseLimits(text)
		if lines := 1 + strings.Count(text, "\n"); len(limits) > lines {
			t.Fatalf("%d limits in %d lines", len(limits), lines)
		}
		fd := FD{Flags: -1, Kind: kindOf(text), Inode: inodeOf(text)}
		fd.parseInfo(text)
		if strings.HasPrefix(text, "/") && inodeOf(text) != 0 {
			t.Fatalf("a file named %q was taken for a socket", text)
		}
		parts := splitNUL(text)
		if got := strings.Join(parts, "\x00"); got != strings.TrimSuffix(text, "\x00") {
			t.Fatalf("%q was split into %q", text, parts)
		}
	})
}

func FuzzSockets(f *testing.F) {
	seed(f, "tcp", "tcp6")
	f.Add("heading\n 0: 0100007F:1092 0200007F:0050 0A 00000000:00000000 00:00000000 00000000 0 0 12 1\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, family := range []string{FamilyIPv4, FamilyIPv6} {
			sockets, _ := parseSockets(text, family)
			if len(sockets) > strings.Count(text, "\n") {
				t.Fatalf("%d sockets in %q", len(sockets), text)
			}
			for _, s := range sockets {
				if !s.Local.IsValid() || !s.Remote.IsValid() || s.State == "" || s.Local.Addr().Is4In6() {
					t.Fatalf("%+v", s)
				}
			}
		}
	})
}

// The kernel's answer is believed no further than it reaches.
func FuzzDiag(f *testing.F) {
	f.Add(diagRequest(FamilyIPv4, anyState))
	f.Add(append([]byte{16 + diagReplySize, 0, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, make([]byte, diagReplySize)...))
	f.Add([]byte{20, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, part []byte) {
		for _, family := range []string{FamilyIPv4, FamilyIPv6} {
			var sockets []Socket
			_, _ = parseDiag(part, family, &sockets)
			if len(sockets) > len(part)/diagReplySize {
				t.Fatalf("%d sockets in %d bytes", len(sockets), len(part))
			}
		}
	})
}
