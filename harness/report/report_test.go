package report

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

// fields are the keys that the contract promises, by object.
var fields = map[string]string{
	"":             "format outcome message subject profile catalogue started duration_ms counts verdicts",
	"subject":      "package qm base xinetd kernel",
	"subject.qm":   "kind version source",
	"counts":       "pass fail known-failing not-applicable not-testable error",
	"verdicts.[0]": "id area level service verdict because_of sentence expected actual hint source evidence duration_ms",
}

func decoded(t *testing.T, r Results) map[string]any {
	t.Helper()
	text, err := renderJSON(r.whole(), Extra{})
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func at(doc map[string]any, path string) map[string]any {
	for step := range strings.SplitSeq(path, ".") {
		switch step {
		case "":
		case "[0]":
		case "verdicts":
			doc = doc["verdicts"].([]any)[0].(map[string]any)
		default:
			doc = doc[step].(map[string]any)
		}
	}
	return doc
}

func noNull(t *testing.T, path string, v any) {
	t.Helper()
	switch v := v.(type) {
	case nil:
		t.Errorf("%s is null", path)
	case map[string]any:
		for k, one := range v {
			noNull(t, path+"."+k, one)
		}
	case []any:
		for _, one := range v {
			noNull(t, path+"[]", one)
		}
	}
}

func TestResultsHoldEveryFieldOfTheContract(t *testing.T) {
	full, _ := broken()
	for name, r := range map[string]Results{"full": full, "empty": {}} {
		doc := decoded(t, r)
		noNull(t, name, doc)
		for path, keys := range fields {
			if name == "empty" && strings.HasPrefix(path, "verdicts") {
				continue
			}
			object := at(doc, path)
			want := strings.Fields(keys)
			if len(object) != len(want) {
				t.Errorf("%s: %q has %d fields, want %d: %v", name, path, len(object), len(want), object)
			}
			for _, key := range want {
				if _, ok := object[key]; !ok {
					t.Errorf("%s: %q lacks %q", name, path, key)
				}
			}
		}
		if doc["format"] != float64(1) {
			t.Errorf("%s: format is %v", name, doc["format"])
		}
	}
}

func TestARunThatCameToNothingIsNoGoodRun(t *testing.T) {
	r := Results{}.whole()
	if r.Outcome != verdict.HarnessError || r.Message == "" {
		t.Errorf("outcome %q, message %q", r.Outcome, r.Message)
	}
	r = Results{}
	r.Judge(nil, rank, false, true)
	if r.Outcome == verdict.Conformant {
		t.Error("a run that judged nothing is conformant")
	}
}

func TestJudgeOrdersCountsAndDecides(t *testing.T) {
	r, _ := broken()
	var ids []string
	for _, v := range r.Verdicts {
		ids = append(ids, v.ID)
	}
	want := "SERV-17 SERV-17 STDIO-10 IDENT-13 IDENT-14 SERV-07 SERV-01 SERV-18 SERV-19"
	if got := strings.Join(ids, " "); got != want {
		t.Errorf("order\n%s, want\n%s", got, want)
	}
	if r.Outcome != verdict.Violations {
		t.Errorf("outcome %s", r.Outcome)
	}
	for k, n := range map[verdict.Kind]int{"pass": 1, "fail": 4, "known-failing": 1, "not-applicable": 1, "not-testable": 1, "error": 1} {
		if r.Counts[k] != n {
			t.Errorf("%d %s, want %d", r.Counts[k], k, n)
		}
	}
}

func TestJudge(t *testing.T) {
	pass := one("SERV-01", requirement.Host, verdict.Pass)
	warning := should(one("SERV-02", requirement.Host, verdict.Fail))
	for name, c := range map[string]struct {
		list             []verdict.Verdict
		strict, complete bool
		before, want     verdict.Outcome
	}{
		"kept":                  {[]verdict.Verdict{pass}, false, true, "", verdict.Conformant},
		"cut short":             {[]verdict.Verdict{pass}, false, false, "", verdict.HarnessError},
		"warning":               {[]verdict.Verdict{pass, warning}, false, true, "", verdict.Conformant},
		"warning, strict":       {[]verdict.Verdict{pass, warning}, true, true, "", verdict.Violations},
		"the mistake is stated": {nil, false, false, verdict.UsageError, verdict.UsageError},
	} {
		r := Results{Outcome: c.before}
		r.Judge(c.list, rank, c.strict, c.complete)
		if r.Outcome != c.want {
			t.Errorf("%s: %s, want %s", name, r.Outcome, c.want)
		}
	}
}

func TestJudgeLeavesTheCallersListAlone(t *testing.T) {
	list := []verdict.Verdict{one("SERV-01", requirement.Host, verdict.Pass), one("SERV-02", requirement.Host, verdict.Fail)}
	r := frame()
	r.Judge(list, rank, false, true)
	if list[0].ID != "SERV-01" || r.Verdicts[0].ID != "SERV-02" {
		t.Errorf("list %s, results %s", list[0].ID, r.Verdicts[0].ID)
	}
}

func TestResultsAreReadableAndSurviveAnyBytes(t *testing.T) {
	v := one("SERV-01", requirement.Host, verdict.Fail)
	v.Expected, v.Actual = "<&>", "\x00\xff\x1b"
	text, err := renderJSON(judged(v).whole(), Extra{})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), `"<&>"`) {
		t.Error("< and & are escaped")
	}
	if !json.Valid(text) {
		t.Error("not JSON")
	}
}

func TestStamp(t *testing.T) {
	zone := time.FixedZone("east", 2*3600)
	if got := Stamp(time.Date(2026, 1, 2, 5, 4, 5, 0, zone)); got != "2026-01-02T03:04:05Z" {
		t.Error(got)
	}
	if got := Stamp(time.Time{}); got != "" {
		t.Error(got)
	}
}
