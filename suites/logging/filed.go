package logging

import (
	"fmt"
	"slices"

	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/verdict"
	"qmconformance/harness/xinetd"
)

var _ = judge.Section(area, "where a system keeps its log", func() {
	judge.On("LOG-15", observe.Boot, standsInAFile)
	judge.On("LOG-16", observe.Boot, standsInTheJournal)
})

// lineOf is what a refused client's line must hold, and whether a record does.
func lineOf(f *observe.Filed) (text string, is func(xinetd.Record) bool) {
	return fmt.Sprintf("\"FAIL: %s %s from=%v\"", f.ID, f.Rule, f.From), func(r xinetd.Record) bool {
		return r.Kind == xinetd.Fail && r.ID == f.ID && r.Reason == f.Rule && r.From == f.From
	}
}

// refusedClient is what keeps a refusal from being judged; nil if nothing does.
func refusedClient(f *observe.Filed) *verdict.Finding {
	var unmet verdict.Finding
	switch {
	case f == nil:
		unmet = verdict.Unmet("no client was refused")
	case !f.Connected:
		unmet = verdict.Unmet("with %q there is no connection: %s", f.Line, f.Outcome)
	case !f.Refused:
		unmet = verdict.Unmet("with %q a client is not refused: %s", f.Line, f.Outcome)
	default:
		return nil
	}
	return &unmet
}

func standsInAFile(c judge.Case, f observe.Booted) verdict.Finding {
	filed := f.Refusals[c.Service]
	if unmet := refusedClient(filed); unmet != nil {
		return *unmet
	}
	line, is := lineOf(filed)
	expected := line + " in a file below /var/log"
	if filed.ToFile {
		expected = line + " in the log file"
	}
	if i := slices.IndexFunc(filed.Logged, is); i >= 0 {
		return verdict.Kept(expected, fmt.Sprintf("%s: %s", filed.File, filed.Logged[i].Text))
	}
	if fails := xinetd.Entries(filed.Logged, xinetd.Fail, filed.ID); len(fails) > 0 {
		return verdict.Violated(expected, texts(fails), "")
	}
	journal := "nor in the journal"
	if slices.ContainsFunc(filed.Journal, is) {
		journal = "while the journal has it: the syslog daemon drops it"
	}
	return verdict.Violated(expected, fmt.Sprintf("no file has it, %s; the log goes to %q, and the unit's drop-ins are %q", journal, filed.Route, f.Unit.DropIns), "")
}

func standsInTheJournal(c judge.Case, f observe.Booted) verdict.Finding {
	filed := f.Refusals[c.Service]
	if unmet := refusedClient(filed); unmet != nil {
		return *unmet
	}
	if filed.ToFile {
		return verdict.Absent("the package logs to a file of xinetd's own")
	}
	line, is := lineOf(filed)
	expected := line + " in the journal of xinetd's unit"
	if i := slices.IndexFunc(filed.Journal, is); i >= 0 {
		return verdict.Kept(expected, filed.Journal[i].Text)
	}
	return verdict.Violated(expected, fmt.Sprintf("it is not there; the unit's drop-ins are %q", f.Unit.DropIns), "")
}
