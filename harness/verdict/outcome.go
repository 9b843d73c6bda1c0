package verdict

// Outcome is the answer of a whole run.
type Outcome string

// The outcomes, worst first.
const (
	UsageError   Outcome = "usage-error"
	Violations   Outcome = "violations"
	HarnessError Outcome = "harness-error"
	Conformant   Outcome = "conformant"
)

// ExitCode is what the test binary ends with.
func (o Outcome) ExitCode() int {
	switch o {
	case Conformant:
		return 0
	case Violations:
		return 1
	case UsageError:
		return 2
	}
	return 3
}

// Counts is how many verdicts there are of each kind; all six keys are there.
type Counts map[Kind]int

// Count counts.
func Count(list []Verdict) Counts {
	c := Counts{}
	for _, k := range Kinds {
		c[k] = 0
	}
	for _, v := range list {
		c[v.Kind]++
	}
	return c
}

// Decide is the outcome of a run that judged these verdicts. complete is false
// when the run was cut short: what was judged so far may show violations, but
// never conformance. A run that judged nothing is never conformant either.
func Decide(list []Verdict, strict, complete bool) Outcome {
	broken := !complete || len(list) == 0
	for _, v := range list {
		if !v.Red(strict) {
			continue
		}
		if v.Kind == Error {
			broken = true
			continue
		}
		return Violations
	}
	if broken {
		return HarnessError
	}
	return Conformant
}
