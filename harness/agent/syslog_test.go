package agent

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

func devLog(t *testing.T, root string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(root, "dev"), 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(root, "dev", "log")
}

func say(t *testing.T, socket string, lines ...string) {
	t.Helper()
	conn, err := net.Dial("unixgram", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, line := range lines {
		if _, err := fmt.Fprint(conn, line); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSyslogIsSuppliedWhereNobodyServesIt(t *testing.T) {
	for name, before := range map[string]func(t *testing.T, path string){
		"nothing is there": func(*testing.T, string) {},
		"a file is there":  func(t *testing.T, path string) { put(t, filepath.Dir(path), "log", "", 0o644) },
		"a dead socket is there": func(t *testing.T, path string) {
			l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
			if err != nil {
				t.Fatal(err)
			}
			l.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			c, root := connected(t)
			path := devLog(t, root)
			before(t, path)
			list, err := c.Messages(limited(t), 0)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(list).To(BeEmpty())
			for range 2 { // asked for again it says the same
				supplied, err := c.Syslog(limited(t))
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(supplied).To(BeTrue())
			}
			info, err := os.Stat(path)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(info.Mode().Perm()).To(BeEquivalentTo(0o666), "every user may log")
			say(t, path, "<30>one", "<30>two\nlines", "<30>three")
			g.Eventually(func() int { list, _ := c.Messages(limited(t), 0); return len(list) }, soon).Should(Equal(3))
			list, err = c.Messages(limited(t), 1)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(list).To(HaveLen(2))
			g.Expect(list[0].Raw).To(Equal("<30>two\nlines"))
			g.Expect(list[0].At).NotTo(BeZero())
			for _, n := range []int{3, 99, -1} {
				list, err = c.Messages(limited(t), n)
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(list).To(BeEmpty())
			}
		})
	}
}

// A subject that floods its log costs no more than a bounded part of the memory.
func TestAFloodOfMessagesIsBounded(t *testing.T) {
	g := NewWithT(t)
	var s syslogSocket
	long := SyslogMessage{Raw: strings.Repeat("x", 64<<10)}
	for range 2 * syslogBytes / len(long.Raw) {
		s.keep(long)
	}
	g.Expect(len(s.since(0)) * len(long.Raw)).To(And(BeNumerically("<=", syslogBytes), BeNumerically(">", syslogBytes/2)))
	var many syslogSocket
	for range syslogCap + 1 {
		many.keep(SyslogMessage{Raw: "x"})
	}
	g.Expect(many.since(0)).To(HaveLen(syslogCap))
}

func TestASyslogDaemonIsLeftAlone(t *testing.T) {
	g := NewWithT(t)
	c, root := connected(t)
	path := devLog(t, root)
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	g.Expect(err).NotTo(HaveOccurred())
	defer l.Close()
	supplied, err := c.Syslog(limited(t))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(supplied).To(BeFalse())
	g.Expect(c.SyslogReplaced(limited(t))).To(BeTrue(), "it never was ours")
	say(t, path, "hello")
	buf := make([]byte, 9)
	n, err := l.Read(buf)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(buf[:n])).To(Equal("hello"))
}

func TestSyslogCannotBeHadWhereItsPlaceIsTaken(t *testing.T) {
	g := NewWithT(t)
	c, root := connected(t)
	put(t, root, "dev/log/a-directory", "", 0o644)
	_, err := c.Syslog(limited(t))
	g.Expect(err).To(HaveOccurred())
}

// A package may start a daemon when we serve already, and syslog daemons take the place
// for themselves.
func TestASyslogDaemonThatComesLater(t *testing.T) {
	g := NewWithT(t)
	c, root := connected(t)
	path := devLog(t, root)
	g.Expect(c.Syslog(limited(t))).To(BeTrue())
	g.Expect(c.SyslogReplaced(limited(t))).To(BeFalse())
	g.Expect(os.Remove(path)).To(Succeed())
	g.Expect(c.SyslogReplaced(limited(t))).To(BeFalse(), "nobody serves it")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	g.Expect(err).NotTo(HaveOccurred())
	defer l.Close()
	g.Expect(c.SyslogReplaced(limited(t))).To(BeTrue())
}
