package fault

import (
	"strings"
	"testing"

	"qmconformance/harness/report"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

const (
	server = requirement.QMServer
	client = requirement.QMClient
	host   = requirement.Host
)

func red(id string, s requirement.Service, k verdict.Kind, because string) verdict.Verdict {
	return verdict.Verdict{ID: id, Level: requirement.Must, Service: s, Kind: k, BecauseOf: because, Actual: "seen"}
}

func results(list ...verdict.Verdict) report.Results {
	r := report.Results{}
	list = append(list, red("SERV-01", host, verdict.Pass, ""))
	r.Judge(list, func(id string) int { return 0 }, false, true)
	r.Verdicts = list // the tests give the order of the report themselves
	return r
}

var umask = Fault{
	Name: "umask", Kind: Mistake,
	Leads:  map[string][]requirement.Service{"SERV-17": {server}},
	Beside: []string{"IDENT-13", "IDENT-17"},
}

func TestCompare(t *testing.T) {
	lead := red("SERV-17", server, verdict.Fail, "")
	follow := red("IDENT-13", server, verdict.Fail, "SERV-17")
	variant := Fault{Name: "v", Kind: Variant}
	both := umask
	both.Leads = map[string][]requirement.Service{"SERV-17": {server, client}}
	interrupted := results(lead)
	interrupted.Message = "interrupted"
	for _, c := range []struct {
		name  string
		fault Fault
		from  report.Results
		want  State
		says  string
	}{
		{"killed", umask, results(lead, follow), Killed, "led by SERV-17 qmserver"},
		{"nothing red", umask, results(), Survived, "none of 1"},
		{"a warning is not red", umask, results(verdict.Verdict{ID: "SERV-17", Service: server, Level: requirement.Should, Kind: verdict.Fail}), Survived, ""},
		{"led by another", umask, results(red("SERV-09", server, verdict.Fail, ""), lead), WrongCause, "led by SERV-09 qmserver (fail), and not by SERV-17 qmserver"},
		{"led by the other service", umask, results(red("SERV-17", client, verdict.Fail, "")), WrongCause, "SERV-17 qmclient"},
		{"one of two services", both, results(lead), WrongCause, "SERV-17 qmclient is not red"},
		{"lead could not be judged", umask, results(red("SERV-17", server, verdict.NotTestable, "")), WrongCause, "was not found violated"},
		{"lead is said to follow", umask, results(red("SERV-17", server, verdict.Fail, "IDENT-13"), red("IDENT-13", server, verdict.Fail, "")), WrongCause, "not shown as a cause"},
		{"not listed", umask, results(lead, red("IDENT-19", server, verdict.Fail, "SERV-17")), Surplus, "IDENT-19 qmserver"},
		{"the other service beside", umask, results(lead, red("SERV-17", client, verdict.Fail, "")), Surplus, "SERV-17 qmclient"},
		{"not testable needs no listing", umask, results(lead, red("IDENT-19", server, verdict.NotTestable, "SERV-17")), Killed, ""},
		{"not testable along a chain", umask, results(lead, follow, red("IDENT-19", server, verdict.NotTestable, "IDENT-13")), Killed, ""},
		{"not testable for another reason", umask, results(lead, red("IDENT-19", server, verdict.NotTestable, "SERV-09")), Surplus, "because of SERV-09"},
		{"not testable for no reason", umask, results(lead, red("IDENT-19", server, verdict.NotTestable, "")), Surplus, "IDENT-19"},
		{"listed, and blamed on a stranger", umask, results(lead, red("IDENT-13", server, verdict.Fail, "SERV-09")), Surplus, "because of SERV-09"},
		{"an error beside the lead", umask, results(lead, red("IDENT-13", server, verdict.Error, "")), Broken, "could not tell"},
		{"interrupted", umask, interrupted, Broken, "interrupted"},
		{"no outcome", umask, report.Results{}, Broken, "ended early"},
		{"usage", umask, report.Results{Outcome: verdict.UsageError, Message: "no such package"}, Broken, "no such package"},
		{"nothing judged", umask, report.Results{Outcome: verdict.HarnessError}, Broken, "0 verdicts"},
		{"variant", variant, results(), Conformant, "none red"},
		{"false alarm", variant, results(lead), FalseAlarm, "SERV-17 qmserver (fail)"},
		{"variant and an error", variant, results(red("IDENT-13", server, verdict.Error, "")), Broken, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Compare(c.fault, c.from)
			if got.State != c.want || !strings.Contains(got.Explanation, c.says) {
				t.Errorf("%s: %s; want %s, and %q in it", got.State, got.Explanation, c.want, c.says)
			}
		})
	}
}

func TestCompareTellsSeparateAndUnseen(t *testing.T) {
	got := Compare(umask, results(red("SERV-17", server, verdict.Fail, ""), red("IDENT-13", server, verdict.Fail, "")))
	if got.State != Killed || len(got.Separate) != 1 || got.Separate[0] != "IDENT-13 qmserver" {
		t.Errorf("separate %v in %s; want IDENT-13 qmserver, since nothing explains it", got.Separate, got.State)
	}
	if len(got.Unseen) != 1 || got.Unseen[0] != "IDENT-17" {
		t.Errorf("unseen %v, want IDENT-17", got.Unseen)
	}
}

func TestGood(t *testing.T) {
	for _, s := range States {
		want := s == Killed || s == Conformant || s == Skipped
		if s.Good() != want {
			t.Errorf("%s is good: %v", s, s.Good())
		}
	}
}
