package caller

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"qmconformance/harness/yardstick"
)

// The test binary is the bare server too, in a process of its own.
func TestMain(m *testing.M) {
	if exit, known := yardstick.Main(os.Args[1:]); known {
		os.Exit(exit)
	}
	os.Exit(m.Run())
}

// overheadEnv asks for the comparison with a C client: 32 s on a quiet machine.
const overheadEnv = "QMCONFORMANCE_BENCH_TESTS"

// bareServer starts the floor on loopback and returns its address.
func bareServer(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().(*net.TCPAddr).AddrPort()
	l.Close()
	cmd := exec.Command(os.Args[0], yardstick.FloorMode, strconv.Itoa(int(at.Port())))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for began := time.Now(); time.Since(began) < StepLimit; time.Sleep(time.Millisecond) {
		if c, err := net.Dial("tcp", at.String()); err == nil {
			c.Close()
			return at
		}
	}
	t.Fatal("the floor does not listen")
	return at
}

func TestTheClientIsAsQuickAsAPlainCClient(t *testing.T) {
	if os.Getenv(overheadEnv) != "1" {
		t.Skip("set " + overheadEnv + "=1 on a quiet machine")
	}
	cc, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("there is no C compiler")
	}
	program := filepath.Join(t.TempDir(), "client")
	if out, err := exec.Command(cc, "-O2", "-pthread", "-o", program, "testdata/client.c").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	at := bareServer(t)
	for _, threads := range []int{1, 8} {
		t.Run(fmt.Sprintf("%d at once", threads), func(t *testing.T) {
			g := NewWithT(t)
			var p50, rate []float64
			for range rounds {
				c := plainC(t, program, at, threads)
				ours := measured(at, threads)
				again := measured(at, threads)
				cAgain := plainC(t, program, at, threads)
				p50 = append(p50, float64(ours.p50+again.p50)/float64(c.p50+cAgain.p50))
				rate = append(rate, (ours.rate+again.rate)/(c.rate+cAgain.rate))
			}
			slices.Sort(p50)
			slices.Sort(rate)
			t.Logf("medians of %d: p50 %.3f of C's, rate %.3f of C's", len(p50), p50[len(p50)/2], rate[len(rate)/2])
			g.Expect(p50[len(p50)/2]).To(BeNumerically("<=", 1.2))
			g.Expect(rate[len(rate)/2]).To(BeNumerically(">=", 0.9))
		})
	}
}

type pace struct {
	p50  time.Duration
	rate float64
}

// A machine is never quiet for long: many short turns beside each other, and the
// median of their ratios.
const (
	span   = 100 * time.Millisecond
	rounds = 40
)

func plainC(t *testing.T, program string, at netip.AddrPort, threads int) pace {
	t.Helper()
	out, err := exec.Command(program, at.Addr().String(), strconv.Itoa(int(at.Port())), strconv.Itoa(threads), fmt.Sprint(span.Seconds())).Output()
	var n, p50 int64
	var seconds float64
	if err == nil {
		_, err = fmt.Sscan(string(out), &n, &seconds, &p50)
	}
	if err != nil {
		t.Fatal(err)
	}
	return pace{time.Duration(p50), float64(n) / seconds}
}

func measured(at netip.AddrPort, threads int) pace {
	target := &Target{Addr: at, Talk: OneByte}
	took := make([][]int64, threads)
	for i := range took {
		took[i] = make([]int64, 0, 1<<17)
	}
	// From the first call to the last: to begin and to end, which C does too, takes Go
	// a stop of the world, once for a whole load.
	starts, ends := make([]int64, threads), make([]int64, threads)
	Together(threads, func(i int, l *Line) {
		starts[i] = Now()
		defer func() { ends[i] = Now() }()
		for until := starts[i] + span.Nanoseconds(); Now() < until; {
			if c := l.Call(target, 0); c.Err == nil {
				took[i] = append(took[i], c.First-c.Start)
			}
		}
	})
	elapsed := time.Duration(slices.Max(ends) - slices.Min(starts))
	all := slices.Concat(took...)
	slices.Sort(all)
	return pace{time.Duration(all[len(all)/2]), float64(len(all)) / elapsed.Seconds()}
}
