package matrix

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"qmconformance/harness/fault"
	"qmconformance/harness/report"
	"qmconformance/harness/requirement"
	"qmconformance/harness/subject"
)

const (
	resultsFile = "faults.json"
	pageFile    = "faults.html"
	scarletDME  = subject.KindScarletDME
)

// The outcomes, in the words of results.json.
const (
	good         = "conformant"
	violations   = "violations"
	usageError   = "usage-error"
	harnessError = "harness-error"
)

// format is the version of faults.json.
const format = 1

// results is faults.json.
type results struct {
	Format  int    `json:"format"`
	Outcome string `json:"outcome"`
	// Message says why not everything was run; empty when it was.
	Message string `json:"message"`
	// Subject is what the packages were judged on.
	Subject    report.Subject      `json:"subject"`
	Started    string              `json:"started"`
	DurationMS int64               `json:"duration_ms"`
	AtATime    int                 `json:"at_a_time"`
	Counts     map[fault.State]int `json:"counts"`
	// PortCheckPasses counts the faults that a look at open ports does not find.
	PortCheckPasses int     `json:"port_check_passes"`
	Faults          []entry `json:"faults"`
	// Requirements are all of the catalogue, with what turned each red.
	Requirements []row `json:"requirements"`
	// Unkilled are the MUST that no fault turns red as its lead, Unproven those whose
	// faults are none for this qm, base or profile: another run has to show them.
	Unkilled []string `json:"unkilled"`
	Unproven []string `json:"unproven"`
}

// entry is one fault or variant.
type entry struct {
	Name            string     `json:"name"`
	Kind            fault.Kind `json:"kind"`
	Mistake         string     `json:"mistake"`
	PortCheckPasses bool       `json:"port_check_passes"`
	// Profile and Areas are what it was judged in; no areas are all.
	Profile string   `json:"profile"`
	Areas   []string `json:"areas"`
	// Leads are what was to lead.
	Leads map[string][]requirement.Service `json:"leads"`
	fault.Result
	DurationMS int64  `json:"duration_ms"`
	Results    string `json:"results"`
}

// Seconds is how long it took, beside the others.
func (e entry) Seconds() string { return fmt.Sprintf("%.1f", float64(e.DurationMS)/1000) }

// row is a requirement and the faults that it found.
type row struct {
	ID       string            `json:"id"`
	Area     string            `json:"area"`
	Level    requirement.Level `json:"level"`
	Sentence string            `json:"sentence"`
	// KilledBy are the faults that it led the report of, Beside those that it was
	// red in besides.
	KilledBy []string `json:"killed_by"`
	Beside   []string `json:"beside"`
}

func (m *matrix) newEntry(f fault.Fault) entry {
	e := entry{
		Name: f.Name, Kind: f.Kind, Mistake: oneLine(f.Mistake), PortCheckPasses: f.PortCheckPasses,
		Profile: string(m.profile(f)), Areas: m.areas(f), Leads: f.Leads, Results: filepath.Join(runsDir, f.Name),
	}
	if e.Areas == nil {
		e.Areas = []string{}
	}
	if e.Leads == nil {
		e.Leads = map[string][]requirement.Service{}
	}
	return e
}

func newResults(m *matrix) results {
	return results{Format: format, Started: m.started(), AtATime: m.atATime()}
}

// end says how a run ended that was not judged; no list of it is missing.
func (r results) end(outcome, message string) results {
	r.Outcome, r.Message = outcome, message
	r.Counts = map[fault.State]int{}
	r.Faults, r.Requirements, r.Unkilled, r.Unproven = []entry{}, []row{}, []string{}, []string{}
	return r
}

// subject notes what was judged; all the runs judge the same but for the package.
func (m *matrix) subject(s report.Subject) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.QM.Kind != "" {
		s.Package = ""
		m.results.Subject = s
	}
}

// finish computes what follows from the entries.
func (r *results) finish(m *matrix) {
	r.DurationMS = time.Since(m.began).Milliseconds()
	r.Counts, r.Unkilled, r.Unproven = map[fault.State]int{}, []string{}, []string{}
	for _, s := range fault.States {
		r.Counts[s] = 0
	}
	for _, e := range r.Faults {
		r.Counts[e.State]++
		if e.PortCheckPasses && e.State != fault.Skipped {
			r.PortCheckPasses++
		}
	}
	for _, q := range m.catalogue.All() {
		w := row{ID: q.ID, Area: q.Area, Level: q.Level, Sentence: oneLine(q.Sentence), KilledBy: []string{}, Beside: []string{}}
		for _, e := range r.Faults {
			_, leads := e.Leads[q.ID]
			switch {
			case leads && e.State == fault.Killed:
				w.KilledBy = append(w.KilledBy, e.Name)
			case slices.ContainsFunc(e.Reds, func(red fault.Red) bool { return red.ID == q.ID }):
				w.Beside = append(w.Beside, e.Name)
			}
		}
		r.Requirements = append(r.Requirements, w)
		// Whether a MUST has a killer is seen only when all were run.
		if m.chosen || r.Message != "" || q.Level != requirement.Must || len(w.KilledBy) > 0 {
			continue
		}
		if r.skippedLead(q.ID) {
			r.Unproven = append(r.Unproven, q.ID)
		} else {
			r.Unkilled = append(r.Unkilled, q.ID)
		}
	}
	r.Outcome = r.outcome()
}

// skippedLead reports whether all the faults that are to lead with a requirement were
// left out.
func (r *results) skippedLead(id string) bool {
	skipped := false
	for _, e := range r.Faults {
		if _, leads := e.Leads[id]; leads {
			if e.State != fault.Skipped {
				return false
			}
			skipped = true
		}
	}
	return skipped
}

func (r *results) outcome() string {
	bad := len(r.Unkilled) > 0
	for s, n := range r.Counts {
		bad = bad || n > 0 && !s.Good() && s != fault.Broken
	}
	switch {
	case bad:
		return violations
	case r.Message != "" || r.Counts[fault.Broken] > 0 || r.Counts[fault.Killed]+r.Counts[fault.Conformant] == 0:
		return harnessError
	}
	return good
}

func (r *results) exitCode() int {
	switch r.Outcome {
	case violations:
		return exitViolations
	case harnessError:
		return exitHarness
	}
	return exitGood
}

// write writes faults.json, whole or not at all.
func (r results) write(dir string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return replace(filepath.Join(dir, resultsFile), append(text, '\n'))
}

// replace writes a file beside its place and moves it there.
func replace(path string, text []byte) error {
	if err := os.WriteFile(path+".new", text, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
