package netdb

import (
	"fmt"
	"strings"
	"testing"
)

// FuzzServices: what is named is on its line, and an entry that is written down
// again is read as the same.
func FuzzServices(f *testing.F) {
	for _, text := range []string{
		"qmserver 4242/tcp\nqmclient 4243/tcp api # text\n", "#qmclient 4243/tcp\n\n", "last 99/udpqmclient 4243/tcp\n",
		"qmclient 69779/tcp\r\n", "qmclient 4294967300/tcp", "\ufeffqmclient 4243/tcp\n", "qmclient +4243/\n", "a\x00b 1/tcp\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines := 1 + strings.Count(text, "\n")
		inFile := func(line int) {
			if line < 1 || line > lines {
				t.Fatalf("line %d of %d", line, lines)
			}
		}
		s := ParseServices(text)
		if len(s.Entries)+len(s.Broken) > lines {
			t.Fatalf("%d entries in %d lines", len(s.Entries)+len(s.Broken), lines)
		}
		for _, e := range s.Entries {
			inFile(e.Line)
			if e.Port < 0 || e.Port > 65535 {
				t.Fatalf("port %d", e.Port)
			}
			if got, ok := s.ByName(e.Name, e.Protocol); !ok || got.Line > e.Line {
				t.Fatalf("%+v is not found by its name, but %+v", e, got)
			}
			again := ParseServices(fmt.Sprintf("%s %d/%s %s\n", e.Name, e.Port, e.Protocol, strings.Join(e.Aliases, " ")))
			if len(again.Entries) != 1 || again.Entries[0].Port != e.Port || again.Entries[0].Name != e.Name {
				t.Fatalf("%+v was read again as %+v", e, again)
			}
		}
		for _, b := range s.Broken {
			inFile(b.Line)
		}
		for _, near := range s.Near("qmclient", "tcp", 4243) {
			inFile(near.Line)
		}
	})
}

func FuzzAccounts(f *testing.F) {
	for _, text := range []string{
		"root:x:0:0::/root:/bin/sh\n", "qmusers:x:990:alice,bob\r\n", "a:b:c:d\n:::\n+::0:0:::\n", "hcarol:$6$salt$hash:19000:0:::::\n",
		"a:!$y$x:::::::\n", "a:x:99999999999:1\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines := 1 + strings.Count(text, "\n")
		groups, users := ParseGroups(text), ParseUsers(text)
		for _, g := range groups {
			if g.Line < 1 || g.Line > lines || strings.ContainsAny(g.Name, ":\n") {
				t.Fatalf("%+v in %d lines", g, lines)
			}
			if _, ok := groups.ByName(g.Name); !ok {
				t.Fatalf("%q is not found", g.Name)
			}
			for _, member := range g.Members {
				if len(groups.Of(member)) == 0 {
					t.Fatalf("%q is a member of none", member)
				}
			}
		}
		for _, u := range users {
			if u.Line < 1 || u.Line > lines {
				t.Fatalf("%+v in %d lines", u, lines)
			}
			if _, ok := users.ByUID(u.UID); !ok {
				t.Fatalf("UID %d is not found", u.UID)
			}
		}
		for _, s := range ParseShadow(text) {
			if s.Line < 1 || s.Line > lines {
				t.Fatalf("%+v in %d lines", s, lines)
			}
		}
	})
}

// A hash is in no part of what is told of a line of /etc/shadow.
func FuzzShadowKeepsNoHash(f *testing.F) {
	f.Add("6", "salt", "RHVzaGFzaA")
	f.Add("y", "j9T$x", "abcdefghijklm")
	f.Fuzz(func(t *testing.T, scheme, salt, hash string) {
		const enough = 8 // shorter ones are in other texts by chance
		if len(hash) < enough || strings.ContainsAny(scheme+salt+hash, ":\n") || strings.ContainsAny(scheme, "$") || strings.Contains(scheme, hash) {
			return
		}
		for _, before := range []string{"", "!", "*"} {
			for _, s := range ParseShadow("alice:" + before + "$" + scheme + "$" + salt + "$" + hash + ":19000:0:99999:7:::\n") {
				if s.Scheme != scheme || strings.Contains(s.Name, hash) || strings.Contains(s.Scheme, hash) {
					t.Fatalf("%+v", s)
				}
			}
		}
	})
}
