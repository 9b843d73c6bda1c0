package target

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/go-crypt/crypt"
	. "github.com/onsi/gomega"

	"qmconformance/harness/agent"
	"qmconformance/harness/subject"
	"qmconformance/harness/xinetd"
)

// soon is far above what anything here takes, on a busy machine too.
const soon = 20 * time.Second

// local is a target whose files are in a directory of the test's own, with an
// agent in this process.
func local(t *testing.T) (*Target, string) {
	t.Helper()
	root := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() { _ = agent.New(root).ServeOn(l, "token") }()
	c, err := agent.ConnectTo(limited(t), l.Addr().(*net.TCPAddr).AddrPort(), "token")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &Target{Container: &Container{Client: c}}, root
}

func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	t.Cleanup(cancel)
	return ctx
}

func put(t *testing.T, root, name, text string) {
	t.Helper()
	path := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestTheFileSystemOfATarget(t *testing.T) {
	g := NewWithT(t)
	target, root := local(t)
	put(t, root, "etc/xinetd.conf", "defaults\n{\n}\n")
	put(t, root, "etc/xinetd.d/qmserver", "service qmserver\n{\n}\n")
	fsys := target.Files(limited(t))
	list, err := fs.ReadDir(fsys, "etc")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(list).To(HaveLen(2))
	g.Expect(list[0].Name()).To(Equal("xinetd.conf"))
	g.Expect(list[1].IsDir()).To(BeTrue())
	f, err := fsys.Open("etc/xinetd.d/qmserver")
	g.Expect(err).NotTo(HaveOccurred())
	text, err := io.ReadAll(f)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(text)).To(HavePrefix("service qmserver"))
	about, err := f.Stat()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(about.Size()).To(BeEquivalentTo(len(text)))
	g.Expect(f.Close()).To(Succeed())
	g.Expect(os.Symlink("xinetd.conf", filepath.Join(root, "etc", "link"))).To(Succeed())
	info, err := fs.Stat(fsys, "etc/link")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(info.Mode().IsRegular()).To(BeTrue(), "stat follows a link")
	g.Expect(fs.ReadFile(fsys, "etc/link")).To(BeEquivalentTo("defaults\n{\n}\n"))
	for _, name := range []string{"/etc/xinetd.conf", "../etc", "etc/", ""} {
		_, err := fs.ReadFile(fsys, name)
		g.Expect(errors.Is(err, fs.ErrInvalid)).To(BeTrue(), name)
		_, err = fs.ReadDir(fsys, name)
		g.Expect(errors.Is(err, fs.ErrInvalid)).To(BeTrue(), name)
		_, err = fs.Stat(fsys, name)
		g.Expect(errors.Is(err, fs.ErrInvalid)).To(BeTrue(), name)
	}
	for _, name := range []string{"none", "etc/none"} {
		_, err = fs.Stat(fsys, name)
		g.Expect(errors.Is(err, fs.ErrNotExist)).To(BeTrue(), name)
		_, err = fsys.Open(name)
		g.Expect(errors.Is(err, fs.ErrNotExist)).To(BeTrue(), name)
	}
}

func TestFilesThatWereReadWithTheirDirectoryAreAsTheOthers(t *testing.T) {
	g := NewWithT(t)
	target, root := local(t)
	put(t, root, "d/empty", "")
	put(t, root, "d/file", "text")
	g.Expect(os.Symlink("file", filepath.Join(root, "d", "link"))).To(Succeed())
	g.Expect(os.Symlink("nowhere", filepath.Join(root, "d", "dangling"))).To(Succeed())
	plain, whole := target.Files(limited(t)), target.whole(limited(t))
	list, err := fs.ReadDir(plain, "d")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(fs.ReadDir(whole, "d")).To(Equal(list))
	for _, entry := range list {
		name := "d/" + entry.Name()
		info, err := fs.Stat(plain, name)
		same, again := fs.Stat(whole, name)
		g.Expect(errors.Is(again, fs.ErrNotExist)).To(Equal(errors.Is(err, fs.ErrNotExist)), name)
		if err == nil {
			g.Expect(same).To(Equal(info), name)
		}
		text, _ := fs.ReadFile(plain, name)
		held, _ := fs.ReadFile(whole, name)
		g.Expect(string(held)).To(Equal(string(text)), name)
	}
	put(t, root, "d/file", "another")
	g.Expect(fs.ReadFile(whole, "d/file")).To(BeEquivalentTo("text"), "as it was when the directory was listed")
}

func TestTheTreeIsWhereScarletConfSays(t *testing.T) {
	for name, c := range map[string]struct{ conf, want string }{
		"no file":                 {"", usualTree},
		"the usual place":         {"QMSYS=/usr/qmsys\n", usualTree},
		"another":                 {"[qm]\nQMSYS=/opt/qm/\nNUMUSERS=20\n", "/opt/qm"},
		"with blanks before it":   {"  QMSYS=/opt/qm\n", "/opt/qm"},
		"where there is none":     {"QMSYS=/nowhere\n", usualTree},
		"a path that is relative": {"QMSYS=opt/qm\n", usualTree},
		"commented out":           {"#QMSYS=/opt/qm\n", usualTree},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			target, root := local(t)
			put(t, root, "opt/qm/bin/qm", "")
			put(t, root, "usr/qmsys/bin/qm", "")
			if c.conf != "" {
				put(t, root, "etc/scarlet.conf", c.conf)
			}
			g.Expect(target.findTree(limited(t))).To(Succeed())
			g.Expect(target.Tree).To(Equal(c.want))
			g.Expect(target.QM()).To(Equal(c.want + "/bin/qm"))
		})
	}
}

func TestInstallLaysAndRunsAndAdds(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("changes owners, which takes root")
	}
	g := NewWithT(t)
	target, root := local(t)
	put(t, root, "etc/group", "root:x:0:\nqmusers:x:995:root\n")
	put(t, root, "etc/passwd", "root:x:0:0:::\n")
	put(t, root, "dev/null", "")
	pkg := t.TempDir()
	put(t, pkg, "etc/services", "qmserver 4242/tcp\n")
	var err error
	target.overlay, err = subject.Pack(pkg)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(target.install(limited(t))).To(Succeed())
	g.Expect(filepath.Join(root, "etc/services")).To(BeARegularFile())
	g.Expect(target.Installation.Files).To(Equal([]string{"/etc/services"}))
	g.Expect(target.Installation.Setup).To(BeNil())
	g.Expect(target.Installation.SyslogSupplied).To(BeTrue())
	passwd, err := os.ReadFile(filepath.Join(root, "etc/passwd"))
	g.Expect(err).NotTo(HaveOccurred())
	for _, u := range users {
		g.Expect(string(passwd)).To(ContainSubstring(u.Name + ":x:"))
		g.Expect(filepath.Join(root, u.Home)).To(BeADirectory())
	}
	g.Expect(target.Tree).To(Equal(usualTree))
}

func TestTheTestUsersPassword(t *testing.T) {
	digest, err := crypt.Decode(testHash)
	g := NewWithT(t)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(digest.Match(Password)).To(BeTrue())
	g.Expect(digest.Match(Password + "x")).To(BeFalse())
}

func TestTheLogIsReadFromAMark(t *testing.T) {
	g := NewWithT(t)
	target, root := local(t)
	put(t, root, "etc/xinetd.conf", "defaults\n{\n\tlog_type = FILE /var/log/xinetd.log\n}\nservice a\n{\n\tlog_type = FILE /var/log/missing.log\n}\nservice b\n{\n\tlog_type = SYSLOG daemon\n}\n")
	g.Expect(target.findLogs(limited(t))).To(Succeed())
	g.Expect(target.logFiles).To(Equal([]string{"/var/log/xinetd.log", "/var/log/missing.log"}))

	put(t, root, "dev/x", "")
	supplied, err := target.Syslog(limited(t))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(supplied).To(BeTrue())
	say := func(text string) {
		conn, err := net.Dial("unixgram", filepath.Join(root, "dev", "log"))
		g.Expect(err).NotTo(HaveOccurred())
		defer conn.Close()
		before, _ := target.Messages(limited(t), 0)
		_, err = conn.Write([]byte(text))
		g.Expect(err).NotTo(HaveOccurred())
		g.Eventually(func() int { now, _ := target.Messages(limited(t), 0); return len(now) }, soon).Should(Equal(len(before) + 1))
	}
	say("<30>Nov 22 08:06:01 xinetd[73]: START: qmserver pid=80 from=192.0.2.1")
	// The last line of a file may be on its way still.
	put(t, root, "var/log/xinetd.log", "26/11/22@08:06:01: START: qmclient pid=81 from=192.0.2.1\n26/11/22@08:06:02: EXIT: qmcl")
	l, err := target.ReadLog(limited(t), LogMark{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(l.Records).To(HaveLen(2))
	g.Expect(l.Text).NotTo(ContainSubstring("EXIT"))

	mark, err := target.MarkLog(limited(t))
	g.Expect(err).NotTo(HaveOccurred())
	l, err = target.ReadLog(limited(t), mark)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(l.Records).To(BeEmpty(), "nothing is read twice")

	say("<30>Nov 22 08:06:03 xinetd[73]: FAIL: qmserver address from=192.0.2.1")
	put(t, root, "var/log/xinetd.log", "26/11/22@08:06:01: START: qmclient pid=81 from=192.0.2.1\n26/11/22@08:06:02: EXIT: qmclient status=0 pid=81 duration=1(sec)\n")
	l, err = target.AwaitLog(limited(t), mark, func(r []xinetd.Record) bool { return len(xinetd.Entries(r, xinetd.Exit, "qmclient")) > 0 })
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(xinetd.Entries(l.Records, xinetd.Exit, "qmclient")).To(HaveLen(1), "the line is whole now")
	g.Expect(xinetd.Entries(l.Records, xinetd.Fail, "qmserver")).To(HaveLen(1))

	// A file that became shorter ends where it ends now.
	put(t, root, "var/log/xinetd.log", "26/11/22@08:06:01: START: qmclient pid=81 from=192.0.2.1\n")
	end, err := target.MarkLog(limited(t))
	g.Expect(err).NotTo(HaveOccurred())
	put(t, root, "var/log/xinetd.log", "26/11/22@08:06:01: START: qmclient pid=81 from=192.0.2.1\n26/11/22@08:06:04: START: qmclient pid=82 from=192.0.2.1\n")
	l, err = target.ReadLog(limited(t), end)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(l.Records).To(HaveLen(1))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = target.AwaitLog(ctx, end, func([]xinetd.Record) bool { return false })
	g.Expect(err).To(HaveOccurred())
}

func TestAStateDumpIsTheNewOne(t *testing.T) {
	g := NewWithT(t)
	target, root := local(t)
	_, err := target.Dump(limited(t))
	g.Expect(err).To(HaveOccurred(), "nothing was started")

	at := filepath.Join(root, "var/run/xinetd.dump")
	put(t, root, "xinetd", "#!/bin/sh\ntrap 'printf \"new\\nEND OF \" >> "+at+"; sleep 0.05; echo DUMP >> "+at+"' USR1\n: >"+filepath.Join(root, "listens")+"\nwhile :; do sleep 0.02; done\n")
	g.Expect(os.MkdirAll(filepath.Dir(at), 0o755)).To(Succeed())
	_, err = target.StartXinetd(limited(t), agent.StartRequest{Argv: []string{filepath.Join(root, "xinetd")}, Ready: 300 * time.Millisecond})
	g.Expect(err).NotTo(HaveOccurred())
	// A signal that came before the trap would end it.
	g.Eventually(filepath.Join(root, "listens"), soon).Should(BeAnExistingFile())
	for range 2 { // it appends: the second time there is one already
		text, err := target.Dump(limited(t))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(text).To(Equal("new\nEND OF DUMP\n"), "whole, and it alone")
	}
	_, err = target.StopXinetd(limited(t), syscall.SIGKILL)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = target.Dump(limited(t))
	g.Expect(err).To(MatchError(ErrNoDump))
	g.Expect(err.Error()).To(ContainSubstring("signal: killed"))
}

func TestSubnetsAreOurs(t *testing.T) {
	g := NewWithT(t)
	seen := map[netip.Prefix]bool{}
	for range 200 {
		v4, v6 := randomSubnets()
		g.Expect(v4.Bits()).To(Equal(24))
		g.Expect(v4.Masked()).To(Equal(v4))
		g.Expect(netip.MustParsePrefix("10.0.0.0/8").Contains(v4.Addr())).To(BeTrue())
		g.Expect(v4.Addr().As4()[1]).To(BeNumerically(">=", 64))
		g.Expect(netip.MustParsePrefix("fd00::/8").Contains(v6.Addr())).To(BeTrue())
		g.Expect(v6.Masked()).To(Equal(v6))
		seen[v4] = true
	}
	g.Expect(len(seen)).To(BeNumerically(">", 150))
}

func TestSpareAddresses(t *testing.T) {
	g := NewWithT(t)
	f := &Fleet{v4: netip.MustParsePrefix("10.70.1.0/24"), v6: netip.MustParsePrefix("fd12:3456:789a:1::/64")}
	seen := map[netip.Addr]bool{}
	given := netip.PrefixFrom(f.v4.Addr(), 25) // what Docker gives out
	for n := 1; n <= 120; n++ {
		a, b := f.Spare(n, false), f.Spare(n, true)
		g.Expect(f.v4.Contains(a.Addr())).To(BeTrue())
		g.Expect(given.Contains(a.Addr())).To(BeFalse())
		g.Expect(a.Bits()).To(Equal(24))
		g.Expect(f.v6.Contains(b.Addr())).To(BeTrue())
		g.Expect(b.Bits()).To(Equal(64))
		g.Expect(seen[a.Addr()] || seen[b.Addr()]).To(BeFalse())
		seen[a.Addr()], seen[b.Addr()] = true, true
	}
	g.Expect(newToken()).NotTo(Equal(newToken()))
	g.Expect(newToken()).To(HaveLen(32))
}

func TestALineFeedInAMessageBeginsNoRecord(t *testing.T) {
	g := NewWithT(t)
	forged := "26/11/22@08:00:00: START: qmclient pid=1 from=192.0.2.1"
	g.Expect(ofMessage("<30>Nov 22 08:06:01 sshd[7]: hello\n" + forged)).To(BeEmpty())
	list := ofMessage("<30>Nov 22 08:06:01 xinetd[7]: USERID: qmclient UNIX : x\n" + forged)
	g.Expect(list).To(HaveLen(1))
	g.Expect(list[0].Kind).To(Equal(xinetd.UserID))
	g.Expect(list[0].Raw).To(HaveSuffix(forged))
	// xinetd itself writes some of its messages in two lines.
	list = ofMessage("<27>Nov 22 08:06:01 xinetd[7]: umask argument is invalid.\n [file=/etc/x] [line=10]")
	g.Expect(list).To(HaveLen(1))
	g.Expect(list[0].Line).To(Equal(10))
}
