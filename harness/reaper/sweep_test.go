package reaper

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"qmconformance/harness/reaper/dockertest"
)

func TestSweepRemovesTheDeadOnly(t *testing.T) {
	g := NewWithT(t)
	self := Owner{BootID: "boot", PID: 42, StartTime: 1000, Machine: "m1", Namespace: initialPIDNamespace}
	dead := self
	dead.PID = 43
	rebooted := self
	rebooted.BootID = "old"
	elsewhere := self
	elsewhere.BootID, elsewhere.Machine = "other", "m2"
	root := proc(t, [4]any{1, "S", 3, 1}, [4]any{42, "S", 1000, 42})

	d := dockertest.New()
	for name, s := range map[string]Session{
		"live": {ID: "l", Owner: self}, "dead": {ID: "d", Owner: dead}, "rebooted": {ID: "r", Owner: rebooted}, "elsewhere": {ID: "e", Owner: elsewhere},
	} {
		for _, kind := range []string{dockertest.Containers, dockertest.Networks, dockertest.Images} {
			d.Add(kind, kind+"-"+name, s.Labels())
		}
	}
	d.Add(dockertest.Images, "cached", map[string]string{LabelOurs: Ours})
	d.Add(dockertest.Containers, "by-hand-from-cached", map[string]string{LabelOurs: Ours})
	d.Add(dockertest.Containers, "foreign", map[string]string{"a": "b"})
	d.Add(dockertest.Containers, "foreign-owner", map[string]string{LabelOwner: dead.String()})
	d.Add(dockertest.Containers, "unreadable", map[string]string{LabelOurs: Ours, LabelOwner: "nonsense"})
	d.IgnoreFilters = true

	removed, left, err := sweep(t.Context(), remover{d.Serve(t), plenty}, root, self)

	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(left).To(BeEmpty())
	g.Expect(removed).To(Equal(6))
	g.Expect(d.IDs()).To(ConsistOf(
		"containers-live", "networks-live", "images-live",
		"containers-elsewhere", "networks-elsewhere", "images-elsewhere",
		"cached", "by-hand-from-cached", "foreign", "foreign-owner", "unreadable"))
}

func TestSweepReportsWhatItCouldNotRemove(t *testing.T) {
	g := NewWithT(t)
	self := Owner{BootID: "boot", PID: 42, StartTime: 1000, Machine: "m1"}
	old := self
	old.BootID = "old"
	d := dockertest.New()
	d.Add(dockertest.Images, "busy", Session{ID: "x", Owner: old}.Labels())
	d.Refuse["busy"] = true
	removed, left, err := sweep(t.Context(), remover{d.Serve(t), plenty}, proc(t), self)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(removed).To(BeZero())
	g.Expect(left).To(HaveLen(1))
}

func TestSweepOfASilentDaemonIsBounded(t *testing.T) {
	g := NewWithT(t)
	d := dockertest.New()
	d.Hang = true
	docker := d.Serve(t)
	begin := time.Now()
	_, _, err := sweep(t.Context(), remover{docker, quick}, procRoot, Owner{})
	g.Expect(err).To(HaveOccurred())
	g.Expect(time.Since(begin)).To(BeNumerically("<", patience))
}
