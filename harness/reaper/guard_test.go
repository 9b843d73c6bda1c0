package reaper

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"qmconformance/harness/box"
	"qmconformance/harness/reaper/dockertest"
)

// boxed makes a daemon say whether a container runs; nil has it answer as if it
// were broken.
func boxed(d *dockertest.Daemon, running *atomic.Pointer[bool]) {
	d.Extra["GET /containers/the-box/json"] = func(w http.ResponseWriter, _ *http.Request) {
		is := running.Load()
		if is == nil {
			http.Error(w, `{"message":"ill"}`, http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"Id":"the-box","State":{"Running":%v}}`, *is)
	}
	d.Extra["GET /containers/another-box/json"] = func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"message":"No such container"}`)
	}
	d.Extra["POST /containers/the-box/wait"] = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		for r.Context().Err() == nil {
			if is := running.Load(); is != nil && !*is {
				fmt.Fprint(w, `{"StatusCode":137}`)
				return
			}
			time.Sleep(time.Millisecond)
		}
	}
}

func is(running bool) *bool { return &running }

// A run in a container is judged by its container: from another container, and
// from the host, its processes may not be visible, or have another's number.
func TestSweepJudgesARunInAContainerByTheContainer(t *testing.T) {
	for name, c := range map[string]struct {
		running *bool
		box     string
		// self is who sweeps.
		namespace string
		removed   int
	}{
		"it runs, seen from another container":       {is(true), "the-box", "4026531999", 0},
		"it runs, seen from the host":                {is(true), "the-box", initialPIDNamespace, 0},
		"it has ended, seen from another container":  {is(false), "the-box", "4026531999", 3},
		"it is gone, seen from another container":    {is(true), "another-box", "4026531999", 3},
		"it is gone, seen from the host":             {is(true), "another-box", initialPIDNamespace, 3},
		"the daemon cannot say, seen from the host":  {nil, "the-box", initialPIDNamespace, 0},
		"it runs, and the namespace has our number":  {is(true), "the-box", "4026539999", 0},
		"it has ended, and its number is that again": {is(false), "the-box", "4026539999", 3},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			// PID 1 of its container; here PID 1 is another process.
			owner := Owner{BootID: "boot", PID: 1, StartTime: 5000, Machine: "", Namespace: "4026539999"}
			self := Owner{BootID: "boot", PID: 42, StartTime: 1000, Machine: "m1", Namespace: c.namespace}
			root := proc(t, [4]any{1, "S", 3, 1}, [4]any{42, "S", 1000, 42})
			d := dockertest.New()
			var running atomic.Pointer[bool]
			running.Store(c.running)
			boxed(d, &running)
			for _, kind := range []string{dockertest.Containers, dockertest.Networks, dockertest.Images} {
				d.Add(kind, kind+"-1", Session{"s1", owner, &box.Box{ID: c.box}}.Labels())
			}
			removed, left, err := sweep(t.Context(), remover{d.Serve(t), quick}, root, self)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(left).To(BeEmpty())
			g.Expect(removed).To(Equal(c.removed))
			g.Expect(d.IDs()).To(HaveLen(3 - c.removed))
		})
	}
}

// guarded runs a guard until it ends.
func guarded(t *testing.T, d *dockertest.Daemon) (ready *os.File, status chan int) {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { read.Close() })
	docker := d.Serve(t)
	status = make(chan int, 1)
	go func() {
		status <- runGuard(childDuty{Session: "s1", Box: "the-box", Limits: quick}, docker, write)
		write.Close()
	}()
	return read, status
}

func TestTheGuardRemovesWhatTheContainersEndLeaves(t *testing.T) {
	g := NewWithT(t)
	d := populated(Session{ID: "s1"})
	keep := notOurs(d)
	var running atomic.Pointer[bool]
	running.Store(is(true))
	boxed(d, &running)
	ready, status := guarded(t, d)
	said := make([]byte, 1)
	_, err := ready.Read(said)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(said[0]).To(BeEquivalentTo(onDuty))
	g.Consistently(status).WithTimeout(5 * quick.Poll).ShouldNot(Receive())
	g.Expect(d.IDs()).NotTo(Equal(keep), "nothing is removed while the container runs")
	running.Store(is(false))
	g.Eventually(status).WithTimeout(patience).Should(Receive(Equal(0)))
	g.Expect(d.IDs()).To(Equal(keep))
}

// A daemon that cannot say is no container that has ended.
func TestTheGuardGivesUpWithoutADaemonAndRemovesNothing(t *testing.T) {
	g := NewWithT(t)
	d := populated(Session{ID: "s1"})
	all := d.IDs()
	var running atomic.Pointer[bool]
	running.Store(is(true))
	boxed(d, &running)
	d.Extra["POST /containers/the-box/wait"] = func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"message":"ill"}`, http.StatusInternalServerError)
	}
	ready, status := guarded(t, d)
	_, err := ready.Read(make([]byte, 1))
	g.Expect(err).NotTo(HaveOccurred())
	running.Store(nil)
	g.Eventually(status).WithTimeout(patience).Should(Receive(Equal(2)))
	g.Expect(d.IDs()).To(Equal(all))
}

func TestAGuardThatSeesNoContainerDoesNotReportForDuty(t *testing.T) {
	g := NewWithT(t)
	d := dockertest.New()
	var running atomic.Pointer[bool]
	running.Store(is(false))
	boxed(d, &running)
	ready, status := guarded(t, d)
	g.Eventually(status).WithTimeout(patience).Should(Receive(Equal(2)))
	n, _ := ready.Read(make([]byte, 1))
	g.Expect(n).To(BeZero())
}

// Without its guard a run in a container must not begin.
func TestARunDoesNotBeginWithoutItsGuard(t *testing.T) {
	g := NewWithT(t)
	d := dockertest.New()
	removed := make(chan string, 1)
	var asked struct {
		Labels     map[string]string
		Env        []string
		HostConfig struct {
			VolumesFrom []string
			AutoRemove  bool
		}
	}
	d.Extra["POST /containers/create"] = func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"Id":"the-guard"}`)
	}
	d.Extra["POST /containers/the-guard/attach"] = func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"message":"no"}`, http.StatusInternalServerError)
	}
	d.Extra["DELETE /containers/the-guard"] = func(w http.ResponseWriter, _ *http.Request) {
		removed <- "the-guard"
		w.WriteHeader(http.StatusNoContent)
	}
	_, err := start(Session{ID: "s1", Box: &box.Box{ID: "the-box", Image: "img"}}, d.Serve(t), quick)
	g.Expect(err).To(MatchError(ContainSubstring("beside this container")))
	g.Eventually(removed).WithTimeout(patience).Should(Receive(Equal("the-guard")))
	g.Expect(asked.Labels).To(HaveKeyWithValue(LabelOurs, Ours))
	g.Expect(asked.Labels).NotTo(HaveKey(LabelSession), "it would remove itself")
	g.Expect(asked.HostConfig.VolumesFrom).To(Equal([]string{"the-box"}))
	g.Expect(asked.HostConfig.AutoRemove).To(BeTrue())
	children, err := filepath.Glob("/proc/self/task/*/children")
	g.Expect(err).NotTo(HaveOccurred())
	for _, c := range children {
		text, _ := os.ReadFile(c)
		g.Expect(string(text)).To(BeEmpty(), "no reaper process was started")
	}
}

func TestTheRunsOwnContainerIsDetachedBeforeItsNetworkGoes(t *testing.T) {
	g := NewWithT(t)
	d := dockertest.New()
	var detached atomic.Value
	d.Extra["POST /networks/net-1/disconnect"] = func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Container string }
		_ = json.NewDecoder(r.Body).Decode(&body)
		detached.Store(body.Container)
		w.WriteHeader(http.StatusOK)
	}
	d.Add(dockertest.Networks, "net-1", Session{ID: "s1", Box: &box.Box{ID: "the-box"}}.Labels())
	seen, left, err := remover{d.Serve(t), quick}.session(t.Context(), "s1")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(left).To(BeEmpty())
	g.Expect(seen).To(Equal(1))
	g.Expect(detached.Load()).To(Equal("the-box"))
	g.Expect(d.IDs()).To(BeEmpty())
}
