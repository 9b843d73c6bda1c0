package observe

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"qmconformance/harness/agent"
	"qmconformance/harness/process"
	"qmconformance/harness/wire"
)

func TestAccountsOfATarget(t *testing.T) {
	g := NewWithT(t)
	s, root := scene(t)
	// Files that are missing are read as empty, which is what programs make of them.
	a, err := AccountsOf.Take(limited(t), s)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(a.GID("qmusers")).To(Equal(-1))
	put(t, root, "etc/group", "qmusers:x:995:root\n", 0o644)
	put(t, root, "etc/passwd", "root:x:0:0:::\n", 0o644)
	a, err = AccountsOf.Take(limited(t), s)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(a.Member("root", "qmusers")).To(BeTrue())
	g.Expect(s.Evidence.Files()).To(HaveLen(4))
}

func TestTheTreeOfATarget(t *testing.T) {
	g := NewWithT(t)
	s, root := scene(t)
	_, err := TreeOf.Take(limited(t), s)
	g.Expect(err).To(MatchError(ContainSubstring("walk /usr/qmsys")), "that it cannot be walked is no fact about its files")
	put(t, root, "usr/qmsys/bin/qm", "", 0o775)
	put(t, root, "usr/qmsys/VOC/open", "", 0o666)
	f, err := TreeOf.Take(limited(t), s)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.Root).To(Equal("/usr/qmsys"))
	g.Expect(f.Files).To(Equal(5))
	g.Expect(f.OpenCount).To(Equal(1))
	g.Expect(f.Open[0].Path).To(Equal("/usr/qmsys/VOC/open"))
	g.Expect(f.ForeignGroups).To(Equal(3), "there is no qmusers, and programs need not belong to it")
}

// superServer starts a program that writes a recorded state dump when it is asked
// for its state.
func superServer(t *testing.T, s *Scene, root, dump string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "xinetd", "testdata", "bookworm", dump))
	if err != nil {
		t.Fatal(err)
	}
	recorded := put(t, root, "recorded", string(text), 0o644)
	written := put(t, root, "var/run/xinetd.dump", "what was here before\nEND OF DUMP\n", 0o644)
	program := put(t, root, "xinetd", "#!/bin/sh\ntrap 'cat "+recorded+" >> "+written+"' USR1\necho hello\n: >"+filepath.Join(root, "listens")+"\nwhile :; do sleep 0.02; done\n", 0o755)
	s.Startup.Xinetd, err = s.StartXinetd(limited(t), agent.StartRequest{Argv: []string{program}, Ready: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	// A signal that came before the trap would end it.
	NewWithT(t).Eventually(filepath.Join(root, "listens"), soon).Should(BeAnExistingFile())
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), soon)
		defer cancel()
		_, _ = s.StopXinetd(ctx, syscall.SIGKILL)
	})
}

func TestTheConfigurationInForce(t *testing.T) {
	g := NewWithT(t)
	s, root := scene(t)
	put(t, root, "etc/xinetd.conf", "defaults\n{\n}\nincludedir /etc/xinetd.d\n", 0o644)
	put(t, root, "etc/xinetd.d/qmserver", "service qmserver\n{\n\tserver = /usr/qmsys/bin/qm\n\tunmask = 002\n}\n", 0o644)
	put(t, root, "etc/services", "# qmserver 4242/tcp\n", 0o644)
	put(t, root, "etc/group", "qmusers:x:995:root\n", 0o644)
	put(t, root, "usr/qmsys/bin/qm-1.0", "", 0o755)
	g.Expect(os.Symlink("qm-1.0", filepath.Join(root, "usr/qmsys/bin/qm"))).To(Succeed())
	superServer(t, s, root, "reference.dump")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	g.Expect(err).NotTo(HaveOccurred())
	defer listener.Close()
	s.Port = uint16(listener.Addr().(*net.TCPAddr).Port)

	f, err := Configuration.Take(limited(t), s)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.NoDump).To(BeEmpty())
	g.Expect(f.Effective).To(HaveLen(1))
	g.Expect(f.Effective[0].State).To(Equal("Active"))
	g.Expect(f.Blocks).To(HaveLen(1))
	g.Expect(f.Config.Files).To(Equal([]string{"/etc/xinetd.conf", "/etc/xinetd.d/qmserver"}))
	g.Expect(f.Remarks).NotTo(BeEmpty(), "an attribute is misspelt")
	g.Expect(f.Near).NotTo(BeEmpty(), "the entry is commented out")
	g.Expect(f.Accounts.GID("qmusers")).To(Equal(995))
	g.Expect(f.ProgramPath).To(Equal("/usr/qmsys/bin/qm"))
	g.Expect(f.Program.Path).To(Equal("/usr/qmsys/bin/qm-1.0"), "a link is followed")
	g.Expect(f.Listeners).To(HaveLen(1))
	g.Expect(f.Listeners[0].Holders[0].PID).To(Equal(os.Getpid()))
	g.Expect(f.XinetdPID).To(Equal(s.Startup.Xinetd.Daemon.PID))
	var names []string
	for _, file := range s.Evidence.Files() {
		names = append(names, file.Name)
		if file.Name == "state-dump.txt" {
			g.Expect(file.Text).NotTo(ContainSubstring("what was here before"))
		}
	}
	g.Expect(strings.Join(names, " ")).To(And(ContainSubstring("etc-xinetd.d-qmserver"), ContainSubstring("state-dump"), ContainSubstring("xinetd.log")))
}

func TestTheConfigurationOfASuperServerThatEnded(t *testing.T) {
	g := NewWithT(t)
	s, root := scene(t)
	program := put(t, root, "xinetd", "#!/bin/sh\nexit 1\n", 0o755)
	var err error
	s.Startup.Xinetd, err = s.StartXinetd(limited(t), agent.StartRequest{Argv: []string{program}, Ready: soon})
	g.Expect(err).NotTo(HaveOccurred())
	f, err := Configuration.Take(limited(t), s)
	g.Expect(err).NotTo(HaveOccurred(), "it is a fact, and no error")
	g.Expect(f.NoDump).To(ContainSubstring("it has ended (exit status 1)"))
	g.Expect(f.Effective).To(BeEmpty())
	g.Expect(f.ProgramErr).To(Equal("no program is named"))
	g.Expect(f.Remarks).NotTo(BeEmpty(), "there is no xinetd.conf")

	up, err := InstalledSubject.Take(limited(t), s)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(up.Running).To(BeFalse())
	g.Expect(up.Exit).To(Equal("exit status 1"))
}

func TestAnInstalledSubject(t *testing.T) {
	g := NewWithT(t)
	s, root := scene(t)
	s.Installation.Setup = &agent.RunResult{Output: "set up"}
	superServer(t, s, root, "reference.dump")
	f, err := InstalledSubject.Take(limited(t), s)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.Running).To(BeTrue())
	g.Expect(f.Remarks).NotTo(BeEmpty())
	texts := map[string]string{}
	for _, file := range s.Evidence.Files() {
		texts[file.Name] = file.Text
	}
	g.Expect(texts["setup-output.txt"]).To(Equal("set up"))
	g.Expect(texts["xinetd-output.txt"]).To(Equal("hello\n"))
	g.Expect(texts["remarks.txt"]).To(ContainSubstring("xinetd.conf"))

	s.Startup.Xinetd = agent.Readiness{Daemon: agent.Daemon{Exit: "exec format error"}}
	f, err = InstalledSubject.Take(limited(t), s)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.Running).To(BeFalse())
	g.Expect(f.Exit).To(Equal("exec format error"))
}

func TestReachTriesEveryAddress(t *testing.T) {
	g := NewWithT(t)
	s, root := scene(t)
	superServer(t, s, root, "reference.dump")
	s.Port = serve(t, player{}, player{silent: true}, player{})
	f, err := Reach.Take(limited(t), s)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.IPv4).To(HaveLen(2), "its own address and the loopback")
	g.Expect(f.IPv4[0].Served).To(BeTrue())
	g.Expect(f.IPv4[1].Served).To(BeFalse(), "the second connection was not served")
	g.Expect(f.IPv4[1].Outcome).To(ContainSubstring("FIN"))
	g.Expect(f.IPv6).To(BeEmpty(), "those are another look's")
	g.Expect(f.Families).To(Equal([]string{process.FamilyIPv4}))
	g.Expect(f.Flags).To(ContainElement("REUSE"))
}

func TestReachIPv6TriesBothFamilies(t *testing.T) {
	g := NewWithT(t)
	s, root := scene(t)
	superServer(t, s, root, "reference.dump")
	s.Port = serve(t, player{}, player{})
	f, err := ReachIPv6.Take(limited(t), s)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.IPv4).To(HaveLen(2))
	g.Expect(f.IPv4[0].Served).To(BeTrue())
	g.Expect(f.IPv6).To(HaveLen(1), "it has no IPv6 address but ::1")
	g.Expect(f.IPv6[0].Served).To(BeFalse())
}

func TestTheProcessBehindAConnection(t *testing.T) {
	g := NewWithT(t)
	s, _ := scene(t)
	s.Port = serve(t, player{})
	conn := s.Dial(limited(t), s.Port, wire.Options{})
	defer conn.Close()
	greetProbe(limited(t), conn)
	var v Served
	g.Expect(v.look(limited(t), s, conn, 900)).To(Succeed())
	g.Expect(v.Client).To(Equal(conn.LocalAddr()))
	g.Expect(v.Socket.Inode).NotTo(BeZero())
	g.Expect(v.Holders).NotTo(BeEmpty())
	g.Expect(v.Holders[0].PID).To(Equal(os.Getpid()))
	g.Expect(v.Found).To(BeFalse(), "nobody has it as standard input")

	closed := s.Dial(limited(t), 1, wire.Options{})
	defer closed.Close()
	var none Served
	g.Expect(none.look(limited(t), s, closed, 900)).To(Succeed())
	g.Expect(none).To(Equal(Served{}))
}

// handed is a connection that another process has as its standard input, and that
// this one holds as well until it is closed.
func handed(t *testing.T, s *Scene) (client *wire.Conn, server *os.Process, ours *net.TCPConn) {
	t.Helper()
	g := NewWithT(t)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	g.Expect(err).NotTo(HaveOccurred())
	defer l.Close()
	client = s.Dial(limited(t), l.Addr().(*net.TCPAddr).AddrPort().Port(), wire.Options{})
	t.Cleanup(func() { client.Close() })
	accepted, err := l.Accept()
	g.Expect(err).NotTo(HaveOccurred())
	ours = accepted.(*net.TCPConn)
	t.Cleanup(func() { ours.Close() })
	copied, err := ours.File()
	g.Expect(err).NotTo(HaveOccurred())
	defer copied.Close()
	server, err = os.StartProcess("/bin/sleep", []string{"sleep", "600"}, &os.ProcAttr{Files: []*os.File{copied, copied, copied}})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { _ = server.Kill(); _, _ = server.Wait() })
	return client, server, ours
}

func pids(list []process.Process) (pids []int) {
	for _, p := range list {
		pids = append(pids, p.PID)
	}
	return pids
}

func TestASuperServerThatIsLateToCloseItsCopyHoldsNothing(t *testing.T) {
	g := NewWithT(t)
	s, _ := scene(t)
	s.Startup.Xinetd.Daemon.PID = os.Getpid()
	client, server, ours := handed(t, s)
	late := time.AfterFunc(2*settleTime, func() { ours.Close() })
	defer late.Stop()
	var v Served
	g.Expect(v.look(limited(t), s, client, 900)).To(Succeed())
	g.Expect(v.Server.PID).To(Equal(server.Pid))
	g.Expect(pids(v.Holders)).To(Equal([]int{server.Pid}))
}

func TestWhoeverKeepsAConnectionIsSeen(t *testing.T) {
	for name, xinetd := range map[string]int{"xinetd itself": os.Getpid(), "another": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			s, _ := scene(t)
			s.Startup.Xinetd.Daemon.PID = xinetd
			client, server, _ := handed(t, s)
			var v Served
			began := time.Now()
			g.Expect(v.look(limited(t), s, client, 900)).To(Succeed())
			g.Expect(pids(v.Holders)).To(ConsistOf(server.Pid, os.Getpid()))
			g.Expect(time.Since(began) > handOver).To(Equal(xinetd == os.Getpid()), "only xinetd is waited for")
		})
	}
}

func TestTheEndOfAProcess(t *testing.T) {
	g := NewWithT(t)
	s, root := scene(t)
	s.Target.Tree = root
	put(t, root, "bin/qm", "#!/bin/sh\ncat <<'E'\n"+oneIn+"E\n", 0o755)
	child := func(name string, arg ...string) *os.Process {
		p, err := os.StartProcess(name, append([]string{name}, arg...), &os.ProcAttr{})
		g.Expect(err).NotTo(HaveOccurred())
		return p
	}
	p := child("/bin/sleep", "0.05")
	go func() { _, _ = p.Wait() }()
	var e Ended
	g.Expect(e.await(limited(t), s, p.Pid)).To(Succeed())
	g.Expect(e.Gone).To(BeTrue())
	g.Expect(e.SlotsAfter).To(Equal(1))

	stays := child("/bin/sleep", "600")
	defer func() { _ = stays.Kill(); _, _ = stays.Wait() }()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	var never Ended
	g.Expect(never.await(ctx, s, stays.Pid)).NotTo(Succeed())
	g.Expect(never.Gone).To(BeFalse())

	stopped, err := reaches(limited(t), s, stays.Pid, "S")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(stopped).To(BeTrue())
	g.Expect(s.Signal(limited(t), stays.Pid, syscall.SIGSTOP)).To(Succeed())
	stopped, err = reaches(limited(t), s, stays.Pid, "T")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(stopped).To(BeTrue())
}
