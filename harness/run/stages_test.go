package run

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"qmconformance/harness/image"
	"qmconformance/harness/observe"
)

func TestTheFirstTargetIsCopiedWhereThatIsCheaper(t *testing.T) {
	const whole, thin = "whole", "thin"
	probed := []observe.Stage{observe.WithProbe, observe.WithRules, observe.SilentIdentity}
	for name, k := range map[string]struct {
		thin    string
		further []observe.Stage
		took    time.Duration
		copied  bool
	}{
		"a small package":                      {thin, append(probed, observe.Patience), 150 * time.Millisecond, false},
		"one target":                           {thin, nil, time.Minute, false},
		"a large tree, most targets thinned":   {thin, append(probed, observe.Patience), 2 * time.Second, false},
		"a large tree that cannot be thinned":  {whole, append(probed, observe.Patience), 2 * time.Second, true},
		"a setup.sh that waits, whatever tree": {thin, probed, 10 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := &stages{whole: image.Image{ID: whole}, thin: image.Image{ID: k.thin}, further: k.further}
			NewWithT(t).Expect(s.worthACopy(k.took)).To(Equal(k.copied))
		})
	}
}
