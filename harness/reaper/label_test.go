package reaper

import (
	"testing"

	. "github.com/onsi/gomega"
)

func TestSessionLabelsNameSessionAndOwner(t *testing.T) {
	g := NewWithT(t)
	s, err := NewSession()
	g.Expect(err).NotTo(HaveOccurred())
	labels := s.Labels()
	g.Expect(labels).To(HaveKeyWithValue("qmconformance.dev", "1"))
	g.Expect(labels).To(HaveKeyWithValue("qmconformance.dev.session", s.ID))
	g.Expect(labels).To(HaveKeyWithValue("qmconformance.dev.owner", MatchRegexp(`^[0-9a-f-]{36}:\d+:\d+$`)))

	back, err := parseOwner(labels[LabelOwner], labels[LabelPlace])
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(back).To(Equal(s.Owner))
}

func TestSessionsDiffer(t *testing.T) {
	g := NewWithT(t)
	a, err := NewSession()
	g.Expect(err).NotTo(HaveOccurred())
	b, err := NewSession()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(a.ID).NotTo(Equal(b.ID))
	g.Expect(a.ID).To(HaveLen(16))
}

func TestExtraLabelsCannotHideAnObject(t *testing.T) {
	g := NewWithT(t)
	s := Session{ID: "mine"}
	extra := map[string]string{LabelSession: "other", "role": "target"}
	g.Expect(s.With(extra)).To(And(HaveKeyWithValue(LabelSession, "mine"), HaveKeyWithValue("role", "target")))
	g.Expect(extra).To(HaveKeyWithValue(LabelSession, "other"), "the caller's map is left alone")
	g.Expect(s.With(nil)).To(Equal(s.Labels()))
}
