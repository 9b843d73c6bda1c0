package report

import (
	"encoding/xml"
	"fmt"
	"strings"
	"time"

	"qmconformance/harness/verdict"
)

// The elements of a JUnit file that CI systems agree on.
type (
	junitSuites struct {
		XMLName xml.Name `xml:"testsuites"`
		Name    string   `xml:"name,attr"`
		junitSums
		Suites []junitSuite `xml:"testsuite"`
	}
	// What a strict reader (the schema of Jenkins' xunit plugin) lets the whole have,
	// too; the rest is for each suite.
	junitSums struct {
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr"`
		Time     string `xml:"time,attr"` // seconds
	}
	junitSuite struct {
		Name string `xml:"name,attr"`
		junitSums
		Skipped    int             `xml:"skipped,attr"`
		Timestamp  string          `xml:"timestamp,attr,omitempty"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Name      string       `xml:"name,attr"`
		Class     string       `xml:"classname,attr"`
		Time      string       `xml:"time,attr"`
		Skipped   *junitDetail `xml:"skipped"`
		Error     *junitDetail `xml:"error"`
		Failure   *junitDetail `xml:"failure"`
		SystemOut string       `xml:"system-out,omitempty"`
	}
	junitDetail struct {
		Type    string `xml:"type,attr,omitempty"`
		Message string `xml:"message,attr"`
		Body    string `xml:",chardata"`
	}
)

// messageLength bounds the line that CI systems show in a list.
const messageLength = 300

// bodyLength bounds one text of a test case, in characters; results.json has it whole.
const bodyLength = 8000

func renderJUnit(r Results, x Extra) ([]byte, error) {
	doc := junitSuites{Name: "conformance"}
	stamp := junitStamp(r.Started)
	for _, area := range areas(r.Verdicts) {
		suite := junitSuite{Name: flatten(area), Properties: junitProperties(r)}
		var ms int64
		for _, v := range r.Verdicts {
			if v.Area == area {
				ms += v.DurationMS
				suite.add(junitVerdict(v, x))
			}
		}
		suite.Time, suite.Timestamp = seconds(ms), stamp
		doc.Suites = append(doc.Suites, suite)
	}
	// A run that ended without judging everything has to be red here too, though
	// no requirement is.
	if r.Message != "" || r.Outcome == verdict.UsageError || (r.Outcome == verdict.HarnessError && r.Counts[verdict.Error] == 0) {
		suite := junitSuite{Name: "run", Properties: junitProperties(r)}
		suite.add(junitCase{
			Name: "the run goes to its end", Class: "run.host", Time: seconds(0),
			Error: &junitDetail{Type: string(r.Outcome), Message: headline(r, x.Strict), Body: r.Message},
		})
		suite.Time, suite.Timestamp = seconds(0), stamp
		doc.Suites = append(doc.Suites, suite)
	}
	for _, s := range doc.Suites {
		doc.Tests += s.Tests
		doc.Failures += s.Failures
		doc.Errors += s.Errors
	}
	// That of the run: its parts overlap.
	doc.Time = seconds(r.DurationMS)
	text, err := xml.MarshalIndent(doc, "", "  ")
	return append([]byte(xml.Header), append(text, '\n')...), err
}

func (s *junitSuite) add(c junitCase) {
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

func junitVerdict(v verdict.Verdict, x Extra) junitCase {
	c := junitCase{
		Name:  flatten(v.ID + " " + v.Sentence),
		Class: flatten(v.Area + "." + string(v.Service)),
		Time:  seconds(v.DurationMS),
	}
	detail := &junitDetail{Type: string(v.Kind), Message: message(v), Body: body(v, x)}
	switch {
	case v.Kind == verdict.Error:
		c.Error = detail
	case v.Red(x.Strict):
		c.Failure = detail
	case v.Warning(x.Strict):
		c.SystemOut = "warning: " + detail.Body
	case v.Kind == verdict.KnownFailing:
		c.Skipped = &junitDetail{Message: "known-failing: " + oneLine(v.Hint, messageLength)}
	case v.Kind == verdict.NotApplicable:
		c.Skipped = &junitDetail{Message: "not-applicable: " + oneLine(v.Actual, messageLength)}
	}
	return c
}

// message is a verdict in one line.
func message(v verdict.Verdict) string {
	text := "actual " + oneLine(v.Actual, messageLength)
	if v.Expected != "" {
		text = "expected " + oneLine(v.Expected, messageLength/2) + "; " + text
	}
	if v.BecauseOf != "" {
		text = "follows from " + flatten(v.BecauseOf) + "; " + text
	}
	return cut(text, messageLength)
}

// body is everything that is known of a verdict, one labelled part after the other.
func body(v verdict.Verdict, x Extra) string {
	var b strings.Builder
	for _, part := range []struct{ name, text string }{
		{"requirement", v.Sentence},
		{"expected", v.Expected},
		{"actual", v.Actual},
		{"follows from", v.BecauseOf},
		{"hint", v.Hint},
		{"source", v.Source},
		{"evidence", v.Evidence},
		{"run again", x.rerun(v)},
	} {
		if text := strings.TrimSpace(shown(part.text, bodyLength)); text != "" {
			fmt.Fprintf(&b, "%s: %s\n", part.name, strings.ReplaceAll(text, "\n", "\n  "))
		}
	}
	return b.String()
}

func junitProperties(r Results) []junitProperty {
	list := []junitProperty{{"outcome", string(r.Outcome)}}
	for _, f := range facts(r) {
		list = append(list, junitProperty(f))
	}
	return list
}

func seconds(ms int64) string { return fmt.Sprintf("%.3f", float64(ms)/1000) }

// junitStamp leaves out the zone, which JUnit's schema has no place for.
func junitStamp(started string) string {
	t, err := time.Parse(time.RFC3339, started)
	if err != nil {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05")
}
