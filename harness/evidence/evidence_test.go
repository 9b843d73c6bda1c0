package evidence

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"qmconformance/harness/process"
	"qmconformance/harness/requirement"
	"qmconformance/harness/wire"
)

const secret = "conform-4242"

func transcript(events ...wire.Event) wire.Transcript {
	return wire.Transcript{
		Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Events: events,
		Local: netip.MustParseAddrPort("192.0.2.1:50000"), Remote: netip.MustParseAddrPort("192.0.2.2:4242"),
	}
}

func event(kind wire.Kind, data string) wire.Event {
	return wire.Event{Kind: kind, Data: []byte(data), Size: len(data)}
}

func TestFoldersNeverCollide(t *testing.T) {
	g := NewWithT(t)
	catalogue, err := requirement.Load()
	g.Expect(err).NotTo(HaveOccurred())
	owner := map[string]string{}
	for _, r := range catalogue.All() {
		for _, s := range r.Services {
			folder := Folder(r.ID, string(s))
			g.Expect(owner).NotTo(HaveKey(folder))
			g.Expect(filepath.IsLocal(folder)).To(BeTrue())
			owner[folder] = r.ID
		}
	}
	g.Expect(Folder("SERV-01", "host")).To(Equal("evidence/SERV-01-host"))
}

func TestAnEmptyBundle(t *testing.T) {
	g := NewWithT(t)
	b := &Bundle{}
	g.Expect(b.Empty()).To(BeTrue())
	g.Expect(b.Files()).To(BeEmpty())
	b.Secret(secret)
	g.Expect(b.Empty()).To(BeTrue(), "a secret is no evidence")
	for name, add := range map[string]func(*Bundle){
		"a text without content": func(b *Bundle) { b.Text("xinetd.log", "") },
		"a transcript":           func(b *Bundle) { b.Wire("a", transcript()) },
		"a snapshot":             func(b *Bundle) { b.Snapshot("a", process.Snapshot{}) },
	} {
		b := &Bundle{}
		add(b)
		g.Expect(b.Empty()).To(BeFalse(), name)
		g.Expect(b.Files()).To(HaveLen(1), name)
	}
}

func TestNamesOfFilesAreUnique(t *testing.T) {
	for name, c := range map[string]struct{ given, want []string }{
		"twice the same":                  {[]string{"a", "a", "a"}, []string{"a.txt", "a-2.txt", "a-3.txt"}},
		"one that looks like a second":    {[]string{"a", "a", "a-2"}, []string{"a.txt", "a-2.txt", "a-2-2.txt"}},
		"one that looks so in advance":    {[]string{"a-2", "a", "a"}, []string{"a-2.txt", "a.txt", "a-3.txt"}},
		"made the same":                   {[]string{"a/b", "a b"}, []string{"a-b.txt", "a-b-2.txt"}},
		"of no letter":                    {[]string{"", "...", "/"}, []string{"unnamed.txt", "unnamed-2.txt", "unnamed-3.txt"}},
		"in a folder, or above it":        {[]string{"etc/xinetd.d/qm", "../../etc/passwd"}, []string{"etc-xinetd.d-qm.txt", "etc-passwd.txt"}},
		"with bytes no file system likes": {[]string{"a\x00b\nc:d*é"}, []string{"a-b-c-d.txt"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := &Bundle{}
			for _, n := range c.given {
				b.Text(n, "text")
			}
			var got []string
			for _, f := range b.Files() {
				got = append(got, f.Name)
			}
			NewWithT(t).Expect(got).To(Equal(c.want))
		})
	}
}

func TestSecretsAreBlottedOutOfEveryFile(t *testing.T) {
	g := NewWithT(t)
	b := &Bundle{}
	b.Text("before", "login "+secret+"\n") // the secret is told only afterwards
	b.Secret(secret)
	b.Text("log", secret+secret)
	// Spread over two segments, and in a note.
	b.Wire("conversation", transcript(event(wire.KindSent, "x"+secret[:5]), event(wire.KindSent, secret[5:]+"y"),
		event(wire.KindReceived, secret), wire.Event{Kind: wire.KindLocalError, Note: secret}))
	b.Snapshot("processes", process.Snapshot{Processes: []process.Process{{PID: 7, Args: []string{"login", secret}, Env: []string{"P=" + secret}}}})
	files := b.Files()
	g.Expect(files).To(HaveLen(4))
	for _, f := range files {
		g.Expect(f.Text).NotTo(ContainSubstring(secret), f.Name)
		g.Expect(f.Text).NotTo(ContainSubstring(secret[5:]), f.Name)
		g.Expect(f.Text).To(ContainSubstring("****"), f.Name)
	}
}

func TestOfASecretWithinAnotherNothingIsLeft(t *testing.T) {
	g := NewWithT(t)
	for _, order := range [][]string{{"abc", "abcdef"}, {"abcdef", "abc"}} {
		g.Expect(blot("abcdef abc", order)).To(Equal("****** ***"))
	}
	g.Expect(blot("text", []string{""})).To(Equal("text"))
}

func TestSecretsAreBlottedOutOfTheFacts(t *testing.T) {
	for _, s := range []string{secret, `a "quoted" <one>\`, "tab\tand é"} {
		t.Run(s, func(t *testing.T) {
			g := NewWithT(t)
			dir := t.TempDir()
			b := &Bundle{}
			b.Secret(s)
			type observed struct {
				Said  string
				Bytes [][]byte
			}
			facts := observed{"it said " + s, [][]byte{[]byte(s), []byte("1" + s + "1"), []byte("12" + s), {0xff, 0}}}
			g.Expect(Write(dir, "f", b, facts, "")).To(Succeed())
			text, err := os.ReadFile(filepath.Join(dir, "f", Observation))
			g.Expect(err).NotTo(HaveOccurred())
			// It is still what it was, but for the secret: it can be judged again.
			stars := strings.Repeat("*", len(s))
			var read observed
			g.Expect(json.Unmarshal(text, &read)).To(Succeed())
			g.Expect(read).To(Equal(observed{"it said " + stars, [][]byte{[]byte(stars), []byte("1" + stars + "1"), []byte("12" + stars), {0xff, 0}}}))
		})
	}
}

func TestWriteKeepsEverything(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	b := &Bundle{}
	b.Text("xinetd.log", "a line\n")
	b.Wire("talk", transcript(event(wire.KindReceived, "hello")))
	g.Expect(Write(dir, Folder("SERV-01", "host"), b, map[string]int{"Answer": 42}, "make conformance FOCUS=SERV-01\n")).To(Succeed())
	at := filepath.Join(dir, "evidence", "SERV-01-host")
	for name, part := range map[string]string{
		"xinetd.log.txt":   "a line",
		"wire-talk.txt":    "192.0.2.2:4242",
		"observation.json": `"Answer": 42`,
		"reproduce.sh":     "make conformance FOCUS=SERV-01\n",
	} {
		text, err := os.ReadFile(filepath.Join(at, name))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(string(text)).To(ContainSubstring(part))
	}
	info, err := os.Stat(filepath.Join(at, "reproduce.sh"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(info.Mode().Perm() & 0o100).NotTo(BeZero())
	g.Expect(Write(dir, "nothing", &Bundle{}, nil, "")).To(Succeed())
	g.Expect(filepath.Join(dir, "nothing", "observation.json")).NotTo(BeAnExistingFile())
}

func TestWriteSaysWhatWentWrong(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	g.Expect(os.WriteFile(filepath.Join(dir, "file"), nil, 0o600)).To(Succeed())
	g.Expect(Write(dir, "file/below", &Bundle{}, nil, "")).To(MatchError(ContainSubstring("write evidence")))
	g.Expect(Write(dir, "f", &Bundle{}, func() {}, "")).To(MatchError(ContainSubstring("write evidence")))
	g.Expect(os.MkdirAll(filepath.Join(dir, "g", "reproduce.sh"), 0o755)).To(Succeed())
	g.Expect(Write(dir, "g", &Bundle{}, nil, "")).To(MatchError(ContainSubstring("write evidence")))
}

func TestAProcessIsDescribed(t *testing.T) {
	g := NewWithT(t)
	text := describe(process.Snapshot{
		Processes: []process.Process{
			{PID: 1, Exe: "/.conformance/agent", Args: []string{"/.conformance/agent", "init"}},
			{PID: 20, Exe: "/.conformance/probe", Args: []string{"qm", "-n"}, Umask: 0o002},
			{
				PID: 30, PPID: 20, Exe: "/usr/qmsys/bin/qm", Args: []string{"qm", "-n"}, Env: []string{"REMOTE_HOST=192.0.2.1"},
				FDs: []process.FD{{Number: 0, Target: "socket:[4711]"}}, Problems: []process.Problem{{Part: "environ", Text: "refused"}},
			},
		},
		Sockets: []process.Socket{{State: process.StateListen, Inode: 99, Local: netip.MustParseAddrPort("[::]:4242")}},
	})
	g.Expect(text).NotTo(ContainSubstring("pid 1,"), "the harness's own agent is no evidence")
	for _, part := range []string{"pid 20, parent 0", "umask 0002", "pid 30, parent 20", "fd 0 -> socket:[4711]", "REMOTE_HOST=192.0.2.1", "environ", "LISTEN", "[::]:4242"} {
		g.Expect(text).To(ContainSubstring(part))
	}
}

func TestABundleIsFilledFromManySides(t *testing.T) {
	b := &Bundle{}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			b.Text(fmt.Sprint(i), "text")
			b.Secret(fmt.Sprint("secret", i))
			b.Wire("w", transcript())
			b.Snapshot("s", process.Snapshot{})
			_ = Write(t.TempDir(), "f", b, 1, "")
			_ = b.Empty()
		})
	}
	wg.Wait()
	NewWithT(t).Expect(b.Files()).To(HaveLen(60))
}
