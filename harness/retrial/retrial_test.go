package retrial

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"qmconformance/harness/observation"
	"qmconformance/harness/requirement"
	"qmconformance/harness/usage"
	"qmconformance/harness/verdict"
)

func keep(t *testing.T, folder, id string) {
	t.Helper()
	r := observation.Observation{Catalogue: requirement.Version, Look: "look", Verdict: verdict.Verdict{ID: id, Service: requirement.Host, Kind: verdict.Fail, Actual: "old words"}}
	if err := r.Keep(1); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	put(t, folder, string(text))
}

func put(t *testing.T, folder, text string) {
	t.Helper()
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "observation.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// results has three records; the folder's name is one that a pattern could be.
func results(t *testing.T) string {
	dir := filepath.Join(t.TempDir(), "re[s]ults*")
	for _, id := range []string{"SERV-03", "SERV-01", "SERV-02"} {
		keep(t, filepath.Join(dir, "evidence", id+"-host"), id)
	}
	return dir
}

func as(kind verdict.Kind, words string) Judge {
	return func(r observation.Observation) (verdict.Verdict, error) {
		v := r.Verdict
		v.Kind, v.Actual = kind, words
		return v, nil
	}
}

func TestAFolderIsFoundAtEveryHeight(t *testing.T) {
	dir := results(t)
	for name, c := range map[string]struct {
		dir string
		ids []string
	}{
		"results":      {dir, []string{"SERV-01", "SERV-02", "SERV-03"}},
		"evidence":     {filepath.Join(dir, "evidence"), []string{"SERV-01", "SERV-02", "SERV-03"}},
		"of a verdict": {filepath.Join(dir, "evidence", "SERV-02-host"), []string{"SERV-02"}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			cases, err := Open(c.dir, as(verdict.Fail, "old words"))
			g.Expect(err).NotTo(HaveOccurred())
			var ids []string
			for _, one := range cases {
				ids = append(ids, one.New.ID)
			}
			g.Expect(ids).To(Equal(c.ids))
		})
	}
}

func TestWhatIsNoFolderOfRecordsIsTheUsersMistake(t *testing.T) {
	empty, at := t.TempDir(), filepath.Join(t.TempDir(), "file")
	NewWithT(t).Expect(os.WriteFile(at, nil, 0o600)).To(Succeed())
	for _, dir := range []string{empty, at, filepath.Join(empty, "none")} {
		_, err := Open(dir, as(verdict.Fail, ""))
		NewWithT(t).Expect(usage.Is(err)).To(BeTrue(), dir)
	}
}

func TestTheExitCodeTellsWhatBecameOfTheVerdicts(t *testing.T) {
	dir := results(t)
	broken := func(observation.Observation) (verdict.Verdict, error) {
		return verdict.Verdict{}, errors.New("no such\nlook")
	}
	second := func(r observation.Observation) (verdict.Verdict, error) {
		if r.Verdict.ID == "SERV-02" {
			return as(verdict.Pass, "kept")(r)
		}
		return broken(r)
	}
	for name, c := range map[string]struct {
		judge Judge
		code  int
		says  []string
	}{
		"the same":             {as(verdict.Fail, "old words"), ExitSame, []string{"same        SERV-01 host: fail\n", "3 judged again, 0 changed, 0 could"}},
		"in other words":       {as(verdict.Fail, "new words"), ExitSame, []string{"fail, in other words", "new words", "old words"}},
		"another":              {as(verdict.Pass, "kept"), ExitChanged, []string{"changed     SERV-03 host: fail, now pass", "3 changed"}},
		"none":                 {broken, ExitNotJudged, []string{"SERV-01-host", "no such look", "3 could not"}},
		"one, and some broken": {second, ExitChanged, []string{"1 judged again, 1 changed, 2 could not"}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			cases, err := Open(dir, c.judge)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(ExitCode(cases)).To(Equal(c.code))
			var b strings.Builder
			g.Expect(Text(&b, cases)).To(Succeed())
			for _, part := range c.says {
				g.Expect(b.String()).To(ContainSubstring(part))
			}
		})
	}
}

// One record that is of no use does not hide the others, and has one line.
func TestADamagedRecordHasItsLine(t *testing.T) {
	g := NewWithT(t)
	dir := results(t)
	put(t, filepath.Join(dir, "evidence", "SERV-02-host"), `{"Running": true}`)
	cases, err := Open(dir, as(verdict.Fail, "old words"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(ExitCode(cases)).To(Equal(ExitNotJudged))
	var b strings.Builder
	g.Expect(Text(&b, cases)).To(Succeed())
	g.Expect(b.String()).To(MatchRegexp(`(?m)^not judged  .*SERV-02-host/observation.json: it is no record, or one from before`))
	g.Expect(strings.Count(b.String(), "same ")).To(Equal(2))
}
