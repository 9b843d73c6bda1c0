package netdb

import (
	"reflect"
	"slices"
	"testing"
)

func TestServiceByName(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want Service
	}{
		"plain":          {"qmclient 4243/tcp\n", Service{"qmclient", 4243, "tcp", nil, 1}},
		"tabs, aliases":  {"# x\n\n \tqmclient\t 4243/tcp\tapi qm # text\n", Service{"qmclient", 4243, "tcp", []string{"api", "qm"}, 3}},
		"alias":          {"other 99/tcp qmclient\nqmclient 4243/tcp\n", Service{"other", 99, "tcp", []string{"qmclient"}, 1}},
		"first wins":     {"qmclient 1/udp\nqmclient 2/tcp\nqmclient 3/tcp\n", Service{"qmclient", 2, "tcp", nil, 2}},
		"CRLF":           {"qmclient 4243/tcp\r\n", Service{"qmclient", 4243, "tcp", nil, 1}},
		"no line feed":   {"qmclient 4243/tcp", Service{"qmclient", 4243, "tcp", nil, 1}},
		"sign":           {"qmclient +4243/tcp\n", Service{"qmclient", 4243, "tcp", nil, 1}},
		"over 16 bits":   {"qmclient 69779/tcp\n", Service{"qmclient", 4243, "tcp", nil, 1}},
		"comment at end": {"qmclient 4243/tcp#text\n", Service{"qmclient", 4243, "tcp", nil, 1}},
	} {
		got, ok := ParseServices(test.text).ByName("qmclient", "tcp")
		if !ok || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
	}
}

func TestServiceNotFound(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		near NearKind
	}{
		"empty":         {"", ""},
		"udp":           {"qmclient 4243/udp\n", OtherProtocol},
		"upper case":    {"QMClient 4243/tcp\n", OtherCase},
		"upper TCP":     {"qmclient 4243/TCP\n", OtherProtocol},
		"commented out": {"#qmclient 4243/tcp\n", CommentedOut},
		"commented far": {" #  # qmclient\t4243/tcp # API\n", CommentedOut},
		"glued":         {"last 99/udpqmclient 4243/tcp\n", Glued},
		"glued alias":   {"last 99/udp oldqmclient 4243/tcp\n", Glued},
		"no slash":      {"qmclient 4243 tcp\n", Malformed},
		"blank":         {"qmclient 4243 / tcp\n", Malformed},
		"letter":        {"qmclient 4243x/tcp\n", Malformed},
		"no number":     {"qmclient tcp/4243\n", Malformed},
		"late protocol": {"qmclient 4243/ tcp\n", Malformed},
		"no protocol":   {"qmclient 4243\n", Malformed},
		"32 bits":       {"qmclient 4294967300/tcp\n", Malformed},
		"mark":          {"\ufeffqmclient 4243/tcp\n", ByteOrderMark},
		"name only":     {"qmclient\n", Malformed},
	} {
		services := ParseServices(test.text)
		if got, ok := services.ByName("qmclient", "tcp"); ok {
			t.Errorf("%s: found %+v", name, got)
		}
		near := services.Near("qmclient", "tcp", 4243)
		if test.near == "" && len(near) == 0 {
			continue
		}
		if len(near) != 1 || near[0].Kind != test.near || near[0].Line != 1 || near[0].Text == "" {
			t.Errorf("%s: near %+v", name, near)
		}
	}
}

func TestServiceFoundButOdd(t *testing.T) {
	services := ParseServices("other 99/tcp qmclient\nqmclient 4243/tcp\nqmclient 4243/udp\n")
	var kinds []NearKind
	for _, near := range services.Near("qmclient", "tcp", 4243) {
		kinds = append(kinds, near.Kind)
	}
	if !slices.Equal(kinds, []NearKind{ByAlias, OtherPort, Doubled}) {
		t.Errorf("near %v", kinds)
	}
	if near := ParseServices("qmclient 4243/tcp\nqmclient 4243/udp\n").Near("qmclient", "tcp", 4243); len(near) != 0 {
		t.Errorf("near a good entry: %v", near)
	}
	if s, ok := services.ByPort(4243, "udp"); !ok || s.Line != 3 {
		t.Errorf("by port %+v", s)
	}
}

func TestGroups(t *testing.T) {
	groups := ParseGroups("root:x:0:\n# c\nqmusers:x:1001:root, alice,,bob\nqmusers:x:1002:carol\nshort:x:7\nbad:x:y:\nalso bad\ncr:x:8:root\r\n")
	if g, ok := groups.ByName("qmusers"); !ok || !reflect.DeepEqual(g, Group{"qmusers", 1001, []string{"root", "alice", "bob"}, 3}) {
		t.Errorf("qmusers %+v", g)
	}
	if lines := groups.Lines("qmusers"); !slices.Equal(lines, []int{3, 4}) {
		t.Errorf("lines %v", lines)
	}
	if g, ok := groups.ByName("short"); !ok || g.GID != 7 || g.Members != nil {
		t.Errorf("short %+v", g)
	}
	for _, name := range []string{"bad", "also bad", "QMUSERS", ""} {
		if g, ok := groups.ByName(name); ok {
			t.Errorf("%q is %+v", name, g)
		}
	}
	// "root\r" is another user
	if of := groups.Of("root"); len(of) != 1 || of[0].GID != 1001 {
		t.Errorf("groups of root %+v", of)
	}
	if g, ok := groups.ByGID(1002); !ok || g.Line != 4 {
		t.Errorf("1002 is %+v", g)
	}
}

func TestUsers(t *testing.T) {
	users := ParseUsers("root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1001:A,B:/home/alice:/bin/sh\nalice:x:5:5:::\nshort:x:9:9\nbad:x::1:::\n")
	if u, ok := users.ByName("alice"); !ok || !reflect.DeepEqual(u, User{"alice", 1000, 1001, "/home/alice", "/bin/sh", 2}) {
		t.Errorf("alice %+v", u)
	}
	if u, ok := users.ByUID(9); !ok || u.Name != "short" || u.Shell != "" {
		t.Errorf("short %+v", u)
	}
	if _, ok := users.ByName("bad"); ok {
		t.Error("an entry without a number was taken")
	}
	if list := users.WithGroup(1001); len(list) != 1 || list[0].Name != "alice" {
		t.Errorf("primary group 1001: %+v", list)
	}
}

func TestShadow(t *testing.T) {
	list := ParseShadow("a:$y$j9T$salt$hash:1:0:9:7:::\nb:!:1::::::\nc::1::::::\nd:!$6$x$y:1::::::\ne:abcdefghijklm:1::::::\nf\na:*:1::::::\n")
	for user, want := range map[string]Shadow{
		"a": {Name: "a", Scheme: "y", Length: 29, Line: 1},
		"b": {Name: "b", Locked: true, Length: 11, Line: 2},
		"c": {Name: "c", Empty: true, Length: 10, Line: 3},
		"d": {Name: "d", Scheme: "6", Locked: true, Length: 17, Line: 4},
		"e": {Name: "e", Scheme: "des", Length: 23, Line: 5},
	} {
		if got, ok := ShadowOf(list, user); !ok || got != want {
			t.Errorf("%s: %+v", user, got)
		}
	}
	if _, ok := ShadowOf(list, "f"); ok {
		t.Error("a line without fields was taken")
	}
}
