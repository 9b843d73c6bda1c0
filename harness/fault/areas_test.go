package fault

import (
	"testing"

	. "github.com/onsi/gomega"

	"qmconformance/harness/requirement"
	"qmconformance/harness/settings"
)

func TestAMistakeIsJudgedInTheAreasThatItConcerns(t *testing.T) {
	built, err := requirement.Load()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	for name, c := range map[string]struct {
		f    Fault
		want string
	}{
		"a variant":         {Fault{Kind: Variant}, "services || stdio || identity"},
		"of a lead":         {Fault{Leads: map[string][]requirement.Service{"ACCESS-01": nil}}, "services || stdio || identity || access"},
		"of what is beside": {Fault{Beside: []string{"REUSE-02", "SERV-04"}}, "services || stdio || identity || reuse"},
		"of a lead that takes long": {
			Fault{Profile: settings.Full, Leads: map[string][]requirement.Service{"LIFE-21": nil}, Beside: []string{"LIFE-19", "LIFE-03"}},
			"(services || stdio || identity || lifecycle) && (!slow || LIFE-19 || LIFE-21)",
		},
		"a variant that takes long": {Fault{Kind: Variant, Profile: settings.Full}, "services || stdio || identity"},
		"named":                     {Fault{Areas: []string{"logging"}}, "services || stdio || identity || logging"},
	} {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(c.f.Labels(built)).To(Equal(c.want))
		})
	}
}

func TestEveryAreaOfEveryFaultIsOne(t *testing.T) {
	for _, name := range everyFault {
		NewWithT(t).Expect(requirement.Areas).To(ContainElement(HaveField("Name", name)))
	}
}
