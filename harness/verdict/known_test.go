package verdict_test

import (
	"testing"
	"testing/fstest"

	. "github.com/onsi/gomega"

	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

func listed(change func(*verdict.KnownFailure)) verdict.KnownFailures {
	k := verdict.KnownFailure{
		ID: "SERV-01", Services: []requirement.Service{requirement.QMServer}, QM: "scarletdme", Reason: "a reason", Link: "a link",
	}
	change(&k)
	return verdict.KnownFailures{k}
}

func TestFind(t *testing.T) {
	here := verdict.Circumstance{QMKind: "scarletdme", QMVersion: "2.6-6", Xinetd: "2.3.15.3", Conditions: map[string]bool{"log-to-file": true}}
	for name, c := range map[string]struct {
		change func(*verdict.KnownFailure)
		found  bool
	}{
		"as it is":                      {func(*verdict.KnownFailure) {}, true},
		"another requirement":           {func(k *verdict.KnownFailure) { k.ID = "SERV-02" }, false},
		"another service":               {func(k *verdict.KnownFailure) { k.Services = []requirement.Service{requirement.QMClient} }, false},
		"both services":                 {func(k *verdict.KnownFailure) { k.Services = requirement.NetworkServices }, true},
		"another kind of qm":            {func(k *verdict.KnownFailure) { k.QM = "standin" }, false},
		"any kind of qm":                {func(k *verdict.KnownFailure) { k.QM = "" }, true},
		"this version":                  {func(k *verdict.KnownFailure) { k.Version = `^2\.6-6$` }, true},
		"another version":               {func(k *verdict.KnownFailure) { k.Version = `^2\.7` }, false},
		"a broken expression":           {func(k *verdict.KnownFailure) { k.Version = `(` }, false},
		"this xinetd":                   {func(k *verdict.KnownFailure) { k.Xinetd = `^2\.3\.15` }, true},
		"another xinetd":                {func(k *verdict.KnownFailure) { k.Xinetd = `^2\.4` }, false},
		"a condition that is met":       {func(k *verdict.KnownFailure) { k.When = "log-to-file" }, true},
		"a condition that is not":       {func(k *verdict.KnownFailure) { k.When = "log-to-syslog" }, false},
		"all but one condition is met":  {func(k *verdict.KnownFailure) { k.Version, k.Xinetd, k.When = "2.6", "2.3", "no" }, false},
		"qm fits, xinetd does not":      {func(k *verdict.KnownFailure) { k.Version, k.Xinetd = "2.6", "9" }, false},
		"xinetd fits, qm's version not": {func(k *verdict.KnownFailure) { k.Version, k.Xinetd = "9", "2.3" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, found := listed(c.change).Find("SERV-01", requirement.QMServer, here)
			NewWithT(t).Expect(found).To(Equal(c.found))
		})
	}
}

func TestFindGoesOnToTheNextEntry(t *testing.T) {
	g := NewWithT(t)
	list := append(listed(func(k *verdict.KnownFailure) { k.QM = "standin" }), listed(func(k *verdict.KnownFailure) { k.Reason = "the second" })...)
	k, found := list.Find("SERV-01", requirement.QMServer, verdict.Circumstance{QMKind: "scarletdme"})
	g.Expect(found).To(BeTrue())
	g.Expect(k.Reason).To(Equal("the second"))
}

func TestExcuse(t *testing.T) {
	steady := verdict.KnownFailure{Reason: "it\n is so", Link: "https://example.org/7"}
	rare := verdict.KnownFailure{Reason: "r", Link: "l", Intermittent: true, Rate: 0.5}
	tried := func(rate float64, tries int) verdict.KnownFailure {
		k := rare
		k.Rate, k.Tries = rate, tries
		return k
	}
	of := func(symptom string) verdict.KnownFailure {
		k := steady
		k.Symptom = symptom
		return k
	}
	for name, c := range map[string]struct {
		entry verdict.KnownFailure
		from  verdict.Kind
		to    verdict.Kind
	}{
		"a violation is known":                       {steady, verdict.Fail, verdict.KnownFailing},
		"a violation with its symptom is known":      {of("s"), verdict.Fail, verdict.KnownFailing},
		"a violation with another one is not":        {of("t"), verdict.Fail, verdict.Fail},
		"by its symptom: a pass makes it stale too":  {of("t"), verdict.Pass, verdict.Error},
		"a pass makes the entry stale":               {steady, verdict.Pass, verdict.Error},
		"an error stays one":                         {steady, verdict.Error, verdict.Error},
		"not testable stays so":                      {steady, verdict.NotTestable, verdict.NotTestable},
		"not applicable stays so":                    {steady, verdict.NotApplicable, verdict.NotApplicable},
		"by chance: a violation is known":            {rare, verdict.Fail, verdict.KnownFailing},
		"by chance: a pass says nothing":             {rare, verdict.Pass, verdict.Pass},
		"20 tries at one in two are certain":         {tried(0.5, 20), verdict.Pass, verdict.Error}, // 2^-20 = 0.95e-6
		"19 tries at one in two are not":             {tried(0.5, 19), verdict.Pass, verdict.Pass},  // 2^-19 = 1.9e-6
		"1375 tries at one in a hundred are certain": {tried(0.01, 1375), verdict.Pass, verdict.Error},
		"1374 are not":                               {tried(0.01, 1374), verdict.Pass, verdict.Pass},
		"a rate of nought never is":                  {tried(0, 100000), verdict.Pass, verdict.Pass},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			got := c.entry.Excuse(verdict.Finding{Kind: c.from, Expected: "e", Actual: "what was seen", Hint: "h", Symptom: "s"})
			g.Expect(got.Kind).To(Equal(c.to))
			g.Expect(got.Expected).To(Equal("e"))
			g.Expect(got.Actual).To(ContainSubstring("what was seen"))
			switch {
			case c.from == verdict.Fail && c.to == verdict.KnownFailing:
				g.Expect(got.Hint).To(And(ContainSubstring(c.entry.Link), Not(ContainSubstring("\n"))))
			case c.to == verdict.Error && c.from == verdict.Pass:
				g.Expect(got.Hint).To(ContainSubstring("stale"))
			default:
				g.Expect(got.Hint).To(Equal("h"))
			}
		})
	}
}

const knownEntry = `
- id: SERV-01
  services: [host]
  qm: standin
  reason: A reason.
  link: https://example.org/1
`

func TestEveryFaultOfTheListIsNamed(t *testing.T) {
	catalogue, err := requirement.Read(fstest.MapFS{"services.yaml": {Data: []byte(
		"- {id: SERV-01, level: MUST, services: [host], sentence: s, why: w, source: s, hint: h}\n")}})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ text, says string }{
		"a sound one":            {knownEntry, ""},
		"an empty list":          {"[]\n", ""},
		"comments alone":         {"# Nothing is known to fail.\n", ""},
		"no such requirement":    {"- {id: SERV-09, services: [host], qm: x, reason: r, link: l}", "SERV-09: there is no such requirement"},
		"another's service":      {"- {id: SERV-01, services: [qmserver], qm: x, reason: r, link: l}", "not judged for qmserver"},
		"no service":             {"- {id: SERV-01, qm: x, reason: r, link: l}", "names no service"},
		"no reason":              {"- {id: SERV-01, services: [host], qm: x, link: l}", "needs a reason and a link"},
		"no link":                {"- {id: SERV-01, services: [host], qm: x, reason: r, link: ' '}", "needs a reason and a link"},
		"an excuse for all":      {"- {id: SERV-01, services: [host], reason: r, link: l}", "excuse every subject"},
		"a version alone":        {"- {id: SERV-01, services: [host], qm-version: '2', reason: r, link: l}", "excuse every subject"},
		"a broken expression":    {"- {id: SERV-01, services: [host], xinetd: '(', reason: r, link: l}", "missing closing )"},
		"too few tries":          {"- {id: SERV-01, services: [host], qm: x, reason: r, link: l, intermittent: true, rate: 0.5, tries: 19}", "above one in a million"},
		"enough tries":           {"- {id: SERV-01, services: [host], qm: x, reason: r, link: l, intermittent: true, rate: 0.5, tries: 20}", ""},
		"never counted as stale": {"- {id: SERV-01, services: [host], qm: x, reason: r, link: l, intermittent: true}", ""},
		"an unknown field":       {knownEntry + "  colour: red\n", "colour"},
		"no list at all":         {"id: SERV-01\n", "list.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			_, err := verdict.ReadKnown(fstest.MapFS{"list.yaml": {Data: []byte(c.text)}, "README.md": {Data: []byte("no list")}}, catalogue)
			if c.says == "" {
				g.Expect(err).NotTo(HaveOccurred())
				return
			}
			g.Expect(err).To(MatchError(ContainSubstring(c.says)))
		})
	}
}

func TestAllListsOfAFolderAreRead(t *testing.T) {
	g := NewWithT(t)
	catalogue, err := requirement.Load()
	g.Expect(err).NotTo(HaveOccurred())
	list, err := verdict.ReadKnown(fstest.MapFS{"a.yaml": {Data: []byte(knownEntry)}, "b.yaml": {Data: []byte(knownEntry)}}, catalogue)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(list).To(HaveLen(2))
	g.Expect(list[1].Link).To(Equal("https://example.org/1"))
}
