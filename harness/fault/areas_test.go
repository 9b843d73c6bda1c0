package fault

import (
	"testing"

	. "github.com/onsi/gomega"

	"qmconformance/harness/requirement"
)

func TestAMistakeIsJudgedInTheAreasThatItConcerns(t *testing.T) {
	for name, c := range map[string]struct {
		f    Fault
		want string
	}{
		"a variant":         {Fault{Kind: Variant}, "services || stdio || identity"},
		"of a lead":         {Fault{Leads: map[string][]requirement.Service{"ACCESS-01": nil}}, "services || stdio || identity || access"},
		"of what is beside": {Fault{Beside: []string{"REUSE-02", "SERV-04"}}, "services || stdio || identity || reuse"},
		"named":             {Fault{Areas: []string{"logging"}}, "services || stdio || identity || logging"},
	} {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(Labels(c.f.Judged(catalogue(t)))).To(Equal(c.want))
		})
	}
}

func TestEveryAreaOfEveryFaultIsOne(t *testing.T) {
	for _, name := range everyFault {
		NewWithT(t).Expect(requirement.Areas).To(ContainElement(HaveField("Name", name)))
	}
}
