package run_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"qmconformance/harness/reaper/dockertest"
	"qmconformance/harness/verdict"
)

// quickly is what a run may take that comes to nothing: the longest wait for a daemon
// that says nothing, twice, and the start of the programs on a busy machine.
const quickly = 60 * time.Second

// Whatever is the matter with the daemon, the run ends soon, says in one line what is
// wrong, and leaves results that say so too.
func TestADaemonThatIsNotWell(t *testing.T) {
	dead := dockertest.New()
	for name, c := range map[string]struct {
		daemon *dockertest.Daemon
		says   string
	}{
		"there is none":             {nil, "no Docker daemon answers: start it, or set DOCKER_HOST"},
		"it answers late":           {&dockertest.Daemon{Late: 7 * time.Second}, "did not answer within 5s"},
		"it hangs after the ping":   {&dockertest.Daemon{Hang: true}, "Docker did not list what earlier runs left within 10s"},
		"it dies in mid-call":       {dead, "no Docker daemon answers"},
		"it says that it is broken": {broken(), "no space left on device"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			host := "unix://" + filepath.Join(scratch, "none.sock")
			if c.daemon == dead {
				dead.Extra["GET /images/.+/json"] = func(_ http.ResponseWriter, req *http.Request) {
					go dead.Close()
					<-req.Context().Done()
				}
			}
			if c.daemon != nil {
				d := dockertest.New()
				d.Late, d.Hang = c.daemon.Late, c.daemon.Hang
				if c.daemon.Extra != nil {
					d = c.daemon
				}
				d.Serve(t)
				host = d.Host()
			}
			p := begin(t, binary, map[string]string{"DOCKER_HOST": host, "PROFILE": "quick"})
			g.Expect(p.end(t, quickly)).To(Equal(verdict.HarnessError.ExitCode()))
			r, ok := p.read(t)
			g.Expect(ok).To(BeTrue(), "results.json is missing")
			g.Expect(r.Outcome).To(Equal(verdict.HarnessError))
			g.Expect(r.Message).To(ContainSubstring(c.says))
			g.Expect(strings.TrimSpace(r.Message)).NotTo(ContainSubstring("\n"))
			g.Expect(r.Verdicts).To(BeEmpty())
			said := strings.Join(strings.Fields(p.stdout.String()), " ")
			g.Expect(said).To(And(HavePrefix("HARNESS ERROR: "), ContainSubstring(c.says)), "it is said on the terminal")
		})
	}
}

// broken is a daemon whose disk is full.
func broken() *dockertest.Daemon {
	d := dockertest.New()
	d.Extra["GET /images/.+/json"] = func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte(`{"message":"write /var/lib/docker/tmp/x: no space left on device"}`))
	}
	return d
}

// A disk that is full when the results are written: the run cannot have been good,
// and the terminal is the only place to say so. The results are on a file system of
// their own, in a mount namespace of the run.
func TestADiskThatFillsUp(t *testing.T) {
	g := NewWithT(t)
	path, err := binary()
	g.Expect(err).NotTo(HaveOccurred())
	results := t.TempDir()
	// Room for the first byte and the draft of the results, and for no more: what
	// fills the disk comes with the run's first message.
	script := `mount -t tmpfs -o size=24k none "$RESULTS" && head -c 8000 /dev/zero >"$RESULTS"/other && exec "$0"`
	unshare := []string{"unshare", "--mount"}
	if os.Getuid() != 0 {
		unshare = append(unshare, "--map-root-user")
	}
	p := begin(t, func() (string, error) { return exec.LookPath(unshare[0]) }, map[string]string{
		"RESULTS": results, "DOCKER_HOST": "unix://" + filepath.Join(scratch, "none.sock"),
	}, append(unshare[1:], "sh", "-c", script, path)...)
	g.Expect(p.end(t, quickly)).To(Equal(verdict.HarnessError.ExitCode()))
	g.Expect(p.stdout.String()).To(And(ContainSubstring("the results could not be written"), ContainSubstring("no space left on device")))
}
