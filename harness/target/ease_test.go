package target

import (
	"testing"

	. "github.com/onsi/gomega"

	"qmconformance/harness/xinetd"
)

func TestWhatIsEased(t *testing.T) {
	some := func(n int) xinetd.Optional { return xinetd.Optional{Set: true, Value: n} }
	for name, k := range map[string]struct {
		service, defaults xinetd.Settings
		want              []xinetd.Change
	}{
		"nothing is set":        {xinetd.Settings{}, xinetd.Settings{}, nil},
		"no limit":              {xinetd.Settings{ConnectionsPerSecond: some(0), Instances: some(xinetd.Unlimited), PerSource: some(xinetd.Unlimited)}, xinetd.Settings{}, nil},
		"enough":                {xinetd.Settings{ConnectionsPerSecond: some(50), Instances: some(20), PerSource: some(20)}, xinetd.Settings{}, nil},
		"no places at all":      {xinetd.Settings{Instances: some(0), PerSource: some(0)}, xinetd.Settings{}, nil},
		"ten in a second":       {xinetd.Settings{ConnectionsPerSecond: some(10)}, xinetd.Settings{}, []xinetd.Change{xinetd.Set("qmclient", "cps", "50 10")}},
		"three, and two of one": {xinetd.Settings{Instances: some(3), PerSource: some(2)}, xinetd.Settings{}, []xinetd.Change{xinetd.Set("qmclient", "instances", "100"), xinetd.Set("qmclient", "per_source", "100")}},
		"inherited":             {xinetd.Settings{}, xinetd.Settings{PerSource: some(2)}, []xinetd.Change{xinetd.Set("qmclient", "per_source", "100")}},
		"not inherited":         {xinetd.Settings{PerSource: some(xinetd.Unlimited)}, xinetd.Settings{PerSource: some(2)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			k.service.Service = "qmclient"
			other := k.service
			other.Service = "time"
			NewWithT(t).Expect(easing(xinetd.Dump{Defaults: k.defaults, Services: []xinetd.Settings{other, k.service}})).To(Equal(k.want))
		})
	}
}

// TestStrictlyWhereNothingWasEased leaves xinetd alone.
func TestStrictlyWhereNothingWasEased(t *testing.T) {
	g := NewWithT(t)
	target, _ := local(t)
	done := 0
	g.Expect(target.Strictly(limited(t), func() error { done++; return nil })).To(Succeed())
	g.Expect(done).To(Equal(1))
}
