package observation

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

type facts struct {
	Said   string
	Number uint64
	Parts  []string
	Within map[string]*facts
	None   []string
}

func full() facts {
	return facts{
		Said: "a\xffb", Number: 1<<63 + 1, Parts: []string{}, None: nil,
		Within: map[string]*facts{"k\xfe": {Said: "\U0010FFFE"}, "nil": nil},
	}
}

func recorded(t testing.TB, v any) Observation {
	t.Helper()
	r := Observation{Look: "a look", Verdict: verdict.Verdict{ID: "SERV-01", Service: requirement.Host, Kind: verdict.Fail}}
	if err := r.Keep(v); err != nil {
		t.Fatal(err)
	}
	return r
}

// file writes a record as it is, or changed as a text.
func file(t *testing.T, r Observation, change func(string) string) string {
	t.Helper()
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "observation.json")
	if err := os.WriteFile(path, []byte(change(string(text))), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func same(s string) string { return s }

func TestFactsComeBackAsTheyWere(t *testing.T) {
	g := NewWithT(t)
	r, err := Load(file(t, recorded(t, full()), same))
	g.Expect(err).NotTo(HaveOccurred())
	got, err := r.Read(&facts{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(got).To(Equal(full()))
}

func TestTextsKeepEveryByte(t *testing.T) {
	for _, s := range []string{"", "plain", "\xff", "é\xe9", "\U0010FF80\x80", "\U0010FFFF", "\xf4\x8f\xbf", "\ufffd\xff\ufffd", "\U0010FF7F"} {
		g := NewWithT(t)
		g.Expect(fromValid(toValid(s))).To(Equal(s))
		text, err := json.Marshal(toValid(s))
		g.Expect(err).NotTo(HaveOccurred())
		var back string
		g.Expect(json.Unmarshal(text, &back)).To(Succeed())
		g.Expect(fromValid(back)).To(Equal(s))
	}
}

func TestKeepLeavesTheFactsAlone(t *testing.T) {
	f := full()
	recorded(t, f)
	NewWithT(t).Expect(f).To(Equal(full()))
}

func TestABadFileIsToldInOneLine(t *testing.T) {
	replace := func(old, with string) func(string) string {
		return func(s string) string { return strings.Replace(s, old, with, 1) }
	}
	for name, c := range map[string]struct {
		change func(string) string
		says   string
	}{
		"empty":             {func(string) string { return "" }, "no record"},
		"no JSON":           {func(string) string { return "hello" }, "no record"},
		"cut off":           {func(s string) string { return s[:len(s)/2] }, "no record"},
		"a list":            {func(string) string { return "[1]" }, "no record"},
		"bare facts":        {func(string) string { return `{"Running": true}` }, "before records had a format"},
		"a later format":    {replace(`"format": 1`, `"format": 2`), "format 2"},
		"something more":    {func(s string) string { return s + "{}" }, "no record"},
		"an unknown field":  {replace(`"look"`, `"glance"`), "glance"},
		"without a look":    {replace(`"a look"`, `""`), "which look"},
		"without a verdict": {replace(`"SERV-01"`, `""`), "which look"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			_, err := Load(file(t, recorded(t, full()), c.change))
			g.Expect(err).To(MatchError(ContainSubstring(c.says)))
			g.Expect(err.Error()).NotTo(ContainSubstring("\n"))
		})
	}
	_, err := Load(filepath.Join(t.TempDir(), "none"))
	NewWithT(t).Expect(err).To(MatchError(os.ErrNotExist))
}

// A fact that is missing would read like one that was not there.
func TestFactsOfAnotherShapeAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		blank any
		says  string
	}{
		"one that was not recorded": {&struct {
			facts
			Later string
		}{}, "Later"},
		"one that there is no more": {&struct{ Said string }{}, "Number"},
		"one of another type":       {&struct{ Said int }{}, "Said"},
		"one that loses digits": {&struct {
			Said        string
			Number      float32
			Parts, None []string
			Within      map[string]*facts
		}{}, "Number"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			_, err := recorded(t, full()).Read(c.blank)
			g.Expect(err).To(MatchError(ContainSubstring(c.says)))
			g.Expect(err).To(MatchError(ContainSubstring(`"a look"`)))
			g.Expect(err.Error()).NotTo(ContainSubstring("\n"))
		})
	}
}

func TestWhatHasNoFormAsTextIsNotRecorded(t *testing.T) {
	r := Observation{Look: "a look"}
	NewWithT(t).Expect(r.Keep(func() {})).To(MatchError(ContainSubstring("a look")))
}
