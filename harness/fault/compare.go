package fault

import (
	"fmt"
	"slices"
	"strings"

	"qmconformance/harness/report"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

// State is what came of a fault or variant.
type State string

// The states. Killed and Conformant are as it should be; Skipped was not run.
const (
	Killed     State = "killed"
	Survived   State = "survived"
	WrongCause State = "wrong-cause"
	Surplus    State = "surplus"
	FalseAlarm State = "false-alarm"
	Conformant State = "conformant"
	Broken     State = "harness-error"
	Skipped    State = "skipped"
)

// States lists them, worst first.
var States = []State{Survived, WrongCause, Surplus, FalseAlarm, Broken, Killed, Conformant, Skipped}

// Good reports whether a state is as it should be.
func (s State) Good() bool { return s == Killed || s == Conformant || s == Skipped }

// Red is a verdict that changes the outcome, as a fault's result keeps it.
type Red struct {
	ID        string              `json:"id"`
	Service   requirement.Service `json:"service"`
	Verdict   verdict.Kind        `json:"verdict"`
	BecauseOf string              `json:"because_of"`
	Actual    string              `json:"actual"`
	Hint      string              `json:"hint"`
}

func (r Red) String() string {
	text := fmt.Sprintf("%s %s (%s", r.ID, r.Service, r.Verdict)
	if !r.root() {
		text += ", because of " + r.BecauseOf
	}
	return text + ")"
}

// root says that nothing else explains it.
func (r Red) root() bool { return r.BecauseOf == "" || r.BecauseOf == r.ID }

// Result is what came of it, and why.
type Result struct {
	State       State  `json:"state"`
	Explanation string `json:"explanation"`
	// Reds are in the order of the report.
	Reds []Red `json:"red"`
	// Separate are those beside the leads that the report shows as causes of their
	// own: one mistake should have one cause.
	Separate []string `json:"separate"`
	// Unseen are IDs that may be red beside the leads and are not.
	Unseen []string `json:"unseen"`
	// kinds are the verdicts by ID, those of known failures before others.
	kinds map[string]verdict.Kind
}

// Judged is the verdict on a requirement, for one service or another: of known failures
// before others. Empty where it was not judged.
func (r Result) Judged(id string) verdict.Kind { return r.kinds[id] }

// Unjudged is the result of a package that was not judged, and why it wasn't.
func Unjudged(s State, why string) Result {
	return Result{State: s, Explanation: why, Reds: []Red{}, Separate: []string{}, Unseen: []string{}}
}

// Compare judges the results of a run by what was to come of it.
func Compare(f Fault, r report.Results) Result {
	out := Unjudged("", "")
	out.kinds = map[string]verdict.Kind{}
	var broken []string
	for _, v := range r.Verdicts {
		if k := out.kinds[v.ID]; k == "" || k == verdict.NotApplicable || v.Kind == verdict.KnownFailing {
			out.kinds[v.ID] = v.Kind
		}
		if !v.Red(false) {
			continue
		}
		red := Red{v.ID, v.Service, v.Kind, v.BecauseOf, v.Actual, v.Hint}
		out.Reds = append(out.Reds, red)
		if v.Kind == verdict.Error {
			broken = append(broken, red.String()+": "+v.Actual)
		}
	}
	switch {
	case r.Outcome == verdict.UsageError, r.Message != "", r.Outcome == "":
		return out.say(Broken, "the run ended early (%s): %s", r.Outcome, r.Message)
	case len(broken) > 0:
		return out.say(Broken, "the harness could not tell: %s", strings.Join(broken, "; "))
	case r.Outcome == verdict.HarnessError || len(r.Verdicts) == 0:
		return out.say(Broken, "the outcome is %s, with %d verdicts", r.Outcome, len(r.Verdicts))
	case f.Kind == Variant && len(out.Reds) > 0:
		return out.say(FalseAlarm, "red although nothing is wrong: %s", list(out.Reds))
	case f.Kind == Variant:
		return out.say(Conformant, "%d verdicts, none red", len(r.Verdicts))
	case len(out.Reds) == 0:
		return out.say(Survived, "none of %d verdicts is red", len(r.Verdicts))
	}
	return out.blame(f)
}

func (r Result) say(s State, format string, args ...any) Result {
	r.State, r.Explanation = s, fmt.Sprintf(format, args...)
	return r
}

// blame judges whom the report of a fault blames.
func (r Result) blame(f Fault) Result {
	first := r.Reds[0]
	if !f.leads(first.ID, first.Service) {
		return r.say(WrongCause, "led by %s, and not by %s: %s", first, f.leaders(), first.Actual)
	}
	for _, id := range f.leadIDs() {
		for _, s := range f.Leads[id] {
			at := slices.IndexFunc(r.Reds, func(one Red) bool { return one.ID == id && one.Service == s })
			switch {
			case at < 0:
				return r.say(WrongCause, "%s %s is not red; what is: %s", id, s, list(r.Reds))
			case r.Reds[at].Verdict != verdict.Fail:
				// Nothing shows that the requirement can be violated.
				return r.say(WrongCause, "%s was not found violated: %s", r.Reds[at], r.Reds[at].Actual)
			case !r.Reds[at].root():
				return r.say(WrongCause, "%s is not shown as a cause", r.Reds[at])
			}
		}
	}
	var surplus []Red
	seen := map[string]bool{}
	for _, red := range r.Reds {
		seen[red.ID] = true
		if f.leads(red.ID, red.Service) {
			continue
		}
		_, led := f.Leads[r.origin(red)]
		if led && red.Verdict == verdict.NotTestable {
			continue
		}
		listed := slices.Contains(f.Beside, red.ID)
		if !listed || !led && !red.root() && !slices.Contains(f.Beside, r.origin(red)) {
			surplus = append(surplus, red)
			continue
		}
		if name := red.ID + " " + string(red.Service); red.root() {
			r.Separate = append(r.Separate, name)
		}
	}
	for _, id := range f.Beside {
		if !seen[id] {
			r.Unseen = append(r.Unseen, id)
		}
	}
	if len(surplus) > 0 {
		return r.say(Surplus, "red beside it and not listed: %s", list(surplus))
	}
	return r.say(Killed, "led by %s: %s", first, first.Actual)
}

// origin is the requirement at the end of the chain that a red verdict is blamed
// on, as the report follows it: the requirement that it names may in turn follow
// from another.
func (r Result) origin(red Red) string {
	because := map[string]string{}
	for _, one := range r.Reds {
		if before, there := because[one.ID]; !there || before != "" && one.root() {
			because[one.ID] = one.BecauseOf
		}
	}
	id := red.BecauseOf
	for range r.Reds {
		next := because[id]
		if next == "" || next == id {
			break
		}
		id = next
	}
	return id
}

func (f Fault) leadIDs() []string {
	var ids []string
	for id := range f.Leads {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func (f Fault) leaders() string {
	var parts []string
	for _, id := range f.leadIDs() {
		for _, s := range f.Leads[id] {
			parts = append(parts, id+" "+string(s))
		}
	}
	return strings.Join(parts, ", ")
}

// list names reds, as many as a line has room for.
func list(reds []Red) string {
	const most = 12
	var parts []string
	for _, r := range reds[:min(most, len(reds))] {
		parts = append(parts, r.String())
	}
	if more := len(reds) - most; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(parts, ", ")
}
