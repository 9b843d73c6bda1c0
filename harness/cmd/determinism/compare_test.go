package main

import (
	"testing"

	. "github.com/onsi/gomega"

	"qmconformance/harness/report"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

func judged(name string, list ...verdict.Verdict) run {
	return run{name: name, results: report.Results{Verdicts: list}}
}

func one(id string, k verdict.Kind, because string) verdict.Verdict {
	return verdict.Verdict{ID: id, Service: requirement.QMServer, Kind: k, BecauseOf: because}
}

func TestCompare(t *testing.T) {
	same := one("A-01", verdict.Pass, "")
	for name, c := range map[string]struct {
		runs []run
		want []string
	}{
		"alike, in another order": {[]run{judged("1", same, one("B-01", verdict.Fail, "")), judged("2", one("B-01", verdict.Fail, ""), same)}, nil},
		"another verdict": {
			[]run{judged("1", same), judged("2", one("A-01", verdict.Fail, "")), judged("3", same)},
			[]string{"A-01 qmserver\n  2: fail\n  1, 3: pass\n"},
		},
		"another cause": {
			[]run{judged("1", one("A-01", verdict.Fail, "")), judged("2", one("A-01", verdict.Fail, "B-01"))},
			[]string{"A-01 qmserver\n  1: fail\n  2: fail because of B-01\n"},
		},
		"not judged": {[]run{judged("1"), judged("2", same)}, []string{"A-01 qmserver\n  1: not judged\n  2: pass\n"}},
		"a defect that shows by chance": {
			[]run{judged("1", one("HOSTILE-01", verdict.Pass, "")), judged("2", one("HOSTILE-01", verdict.KnownFailing, ""))}, nil,
		},
		"and one that is worse": {
			[]run{judged("1", one("HOSTILE-01", verdict.Pass, "")), judged("2", one("HOSTILE-01", verdict.Fail, ""))},
			[]string{"HOSTILE-01 qmserver\n  1: as listed\n  2: fail\n"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, d := range compare(c.runs, map[string]bool{"HOSTILE-01": true}) {
				got = append(got, d.String())
			}
			NewWithT(t).Expect(got).To(Equal(c.want))
		})
	}
}
