// Package report turns a finished run into files for programs and people:
// results.json, junit.xml, summary.md, report.html, and the summary on the
// terminal. Its input is one value; it knows nothing of targets or of Docker.
package report

import (
	"slices"
	"time"

	"qmconformance/harness/verdict"
)

// Format is the version of results.json. It changes when a field changes its
// meaning or goes; a new field alone leaves it.
const Format = 1

// Results is results.json. Every field is always written, empty if unknown.
type Results struct {
	Format  int             `json:"format"`
	Outcome verdict.Outcome `json:"outcome"`
	// Message is one line that says why a run ended before it judged everything:
	// the user's mistake, what broke in the harness, the interrupt. It is empty
	// when the run went to its end.
	Message   string  `json:"message"`
	Subject   Subject `json:"subject"`
	Profile   string  `json:"profile"`
	Catalogue string  `json:"catalogue"`
	// Started is in UTC as RFC 3339 has it; Stamp makes it.
	Started string `json:"started"`
	// DurationMS is the run without the building of images, in milliseconds.
	DurationMS int64             `json:"duration_ms"`
	Counts     verdict.Counts    `json:"counts"`
	Verdicts   []verdict.Verdict `json:"verdicts"`
}

// Subject is what was judged.
type Subject struct {
	Package string `json:"package"`
	QM      QM     `json:"qm"`
	Base    string `json:"base"`
	Xinetd  string `json:"xinetd"`
	Kernel  string `json:"kernel"`
}

// QM is the program behind the ports.
type QM struct {
	Kind    string `json:"kind"` // scarletdme or standin
	Version string `json:"version"`
	Source  string `json:"source"` // a path, standin or image
}

// Stamp is a moment as results.json has it; empty for no moment.
func Stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// Judge fills in what follows from the verdicts: their order, the counts and
// the outcome. rank is the catalogue's order; complete is false when the run
// was cut short. A usage error that was set before stays.
func (r *Results) Judge(list []verdict.Verdict, rank func(id string) int, strict, complete bool) {
	r.Verdicts = slices.Clone(list)
	verdict.Sort(r.Verdicts, rank, strict)
	r.Counts = verdict.Count(r.Verdicts)
	if r.Outcome != verdict.UsageError {
		r.Outcome = verdict.Decide(list, strict, complete)
	}
}

// Extra is what the files show beside the results.
type Extra struct {
	// Strict says that a failing SHOULD counts.
	Strict bool
	// Rerun is the command that judges just this verdict again; may be nil.
	Rerun func(verdict.Verdict) string
	// Evidence maps a verdict's evidence folder to what it holds.
	Evidence map[string]Evidence
	// Why says what users see where a requirement is not kept; may be nil.
	Why func(id string) string
	// Attachments are shown below.
	Attachments []Attachment
}

func (e Extra) why(id string) string {
	if e.Why == nil {
		return ""
	}
	return e.Why(id)
}

func (e Extra) rerun(v verdict.Verdict) string {
	if e.Rerun == nil {
		return ""
	}
	return e.Rerun(v)
}

// whole makes sure that no field is missing: no list is null, all six counts
// are there, and a run that never came to an outcome is not taken for a good one.
func (r Results) whole() Results {
	r.Format = Format
	if r.Verdicts == nil {
		r.Verdicts = []verdict.Verdict{}
	}
	r.Counts = verdict.Count(r.Verdicts)
	if r.Outcome == "" {
		r.Outcome = verdict.HarnessError
	}
	if r.Message == "" && len(r.Verdicts) == 0 {
		switch r.Outcome {
		case verdict.UsageError:
			r.Message = "the run could not start with these settings"
		default:
			r.Message = "the run ended before anything was judged"
		}
	}
	r.Message = flatten(r.Message)
	return r
}
