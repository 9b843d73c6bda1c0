package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

// node is any XML element: the tests read the file as a stranger would, not
// through the types that wrote it.
type node struct {
	name     string
	attr     map[string]string
	text     string
	children []*node
}

func (n *node) all(name string) []*node {
	var out []*node
	for _, c := range n.children {
		if c.name == name {
			out = append(out, c)
		}
		out = append(out, c.all(name)...)
	}
	return out
}

func parseXML(t *testing.T, text []byte) *node {
	t.Helper()
	top := &node{}
	stack := []*node{top}
	dec := xml.NewDecoder(strings.NewReader(string(text)))
	for {
		token, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("not XML: %v\n%s", err, text)
		}
		last := stack[len(stack)-1]
		switch e := token.(type) {
		case xml.StartElement:
			n := &node{name: e.Name.Local, attr: map[string]string{}}
			for _, a := range e.Attr {
				if _, twice := n.attr[a.Name.Local]; twice {
					t.Errorf("%s has %s twice", n.name, a.Name.Local)
				}
				n.attr[a.Name.Local] = a.Value
			}
			last.children = append(last.children, n)
			stack = append(stack, n)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			last.text += string(e)
		}
	}
	if len(top.children) != 1 {
		t.Fatalf("%d top elements", len(top.children))
	}
	return top.children[0]
}

func junit(t *testing.T, r Results, x Extra) *node {
	t.Helper()
	text, err := renderJUnit(r.whole(), x)
	if err != nil {
		t.Fatal(err)
	}
	doc := parseXML(t, text)
	checkJUnit(t, doc)
	return doc
}

// allowed are the elements and attributes that the schemas of the common readers
// share: that of Jenkins' xunit plugin (junit-10.xsd), which refuses a file with
// anything else in it, and what GitLab and the viewers of GitHub read.
var allowed = map[string]struct{ required, optional, children string }{
	"testsuites": {"name tests failures errors time", "", "testsuite"},
	"testsuite":  {"name tests failures errors skipped time", "timestamp", "properties testcase"},
	"properties": {"", "", "property"},
	"property":   {"name value", "", ""},
	"testcase":   {"name classname time", "", "skipped error failure system-out"},
	"skipped":    {"message", "type", ""},
	"error":      {"message type", "", ""},
	"failure":    {"message type", "", ""},
	"system-out": {"", "", ""},
}

var (
	stampForm   = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$`)
	secondsForm = regexp.MustCompile(`^\d+\.\d{3}$`)
)

func checkJUnit(t *testing.T, n *node) {
	t.Helper()
	rule, known := allowed[n.name]
	if !known {
		t.Errorf("element %s", n.name)
		return
	}
	for _, a := range strings.Fields(rule.required) {
		if _, ok := n.attr[a]; !ok {
			t.Errorf("%s has no %s", n.name, a)
		}
	}
	for a, value := range n.attr {
		if !slices.Contains(strings.Fields(rule.required+" "+rule.optional), a) {
			t.Errorf("%s has %s", n.name, a)
		}
		switch a {
		case "tests", "failures", "errors", "skipped":
			if _, err := strconv.ParseUint(value, 10, 32); err != nil {
				t.Errorf("%s %s=%q", n.name, a, value)
			}
		case "time":
			if !secondsForm.MatchString(value) {
				t.Errorf("%s time=%q", n.name, value)
			}
		case "timestamp":
			if !stampForm.MatchString(value) {
				t.Errorf("%s timestamp=%q", n.name, value)
			}
		}
		if strings.Contains(value, "\n") {
			t.Errorf("%s %s has several lines", n.name, a)
		}
	}
	for _, c := range n.children {
		if !slices.Contains(strings.Fields(rule.children), c.name) {
			t.Errorf("%s in %s", c.name, n.name)
		}
		checkJUnit(t, c)
	}
	if n.name == "testsuites" || n.name == "testsuite" {
		for i, c := range n.children {
			if c.name == "properties" && (i > 0 || len(c.children) == 0) {
				t.Errorf("%s %s: its properties are number %d, with %d of them", n.name, n.attr["name"], i, len(c.children))
			}
		}
		for a, element := range map[string]string{"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"} {
			if _, has := n.attr[a]; !has {
				continue // whether it must is told by the table
			}
			if want := fmt.Sprint(len(n.all(element))); n.attr[a] != want {
				t.Errorf("%s %s: %s=%s, but %s are there", n.name, n.attr["name"], a, n.attr[a], want)
			}
		}
	}
	if n.name == "testcase" && len(n.all("failure"))+len(n.all("error"))+len(n.all("skipped")) > 1 {
		t.Errorf("%s ends in more than one way", n.attr["name"])
	}
	if n.name == "testsuite" {
		names := map[string]bool{}
		for _, c := range n.children {
			key := c.attr["classname"] + " " + c.attr["name"]
			if c.name == "testcase" && names[key] {
				t.Errorf("two cases %s: a viewer shows the last", key)
			}
			names[key] = true
		}
		sum := 0.0
		for _, c := range n.all("testcase") {
			s, _ := strconv.ParseFloat(c.attr["time"], 64)
			sum += s
		}
		if got := fmt.Sprintf("%.3f", sum); got != n.attr["time"] {
			t.Errorf("testsuite %s: time=%s, but its cases took %s", n.attr["name"], n.attr["time"], got)
		}
	}
}

func testcase(t *testing.T, doc *node, class, id string) *node {
	t.Helper()
	for _, c := range doc.all("testcase") {
		if c.attr["classname"] == class && strings.HasPrefix(c.attr["name"], id+" ") {
			return c
		}
	}
	t.Fatalf("no testcase %s %s", class, id)
	return nil
}

func TestJUnitHasRealFailures(t *testing.T) {
	r, x := broken()
	doc := junit(t, r, x)
	if got := doc.attr; got["tests"] != "9" || got["failures"] != "4" || got["errors"] != "1" || got["time"] != "12.345" {
		t.Errorf("testsuites %v", got)
	}
	var suites []string
	for _, s := range doc.children {
		suites = append(suites, s.attr["name"])
	}
	if !slices.Equal(suites, []string{"services", "stdio", "identity"}) {
		t.Errorf("suites %v", suites)
	}
	for _, c := range []struct{ class, id, element, kind string }{
		{"services.qmserver", "SERV-17", "failure", "fail"},
		{"services.qmclient", "SERV-17", "failure", "fail"},
		{"identity.qmserver", "IDENT-13", "failure", "fail"},
		{"identity.qmclient", "IDENT-14", "failure", "not-testable"},
		{"stdio.qmclient", "STDIO-10", "error", "error"},
		{"services.qmserver", "SERV-18", "skipped", ""},
		{"services.qmserver", "SERV-19", "skipped", ""},
		{"services.qmclient", "SERV-07", "system-out", ""},
		{"services.host", "SERV-01", "", ""},
	} {
		one := testcase(t, doc, c.class, c.id)
		switch {
		case c.element == "" && len(one.children) == 0:
		case len(one.children) != 1 || one.children[0].name != c.element || one.children[0].attr["type"] != c.kind:
			t.Errorf("%s %s: %+v", c.class, c.id, one.children)
		}
	}
}

func TestJUnitTellsAllOfAFailure(t *testing.T) {
	r, x := broken()
	failure := testcase(t, junit(t, r, x), "identity.qmserver", "IDENT-13").children[0]
	if got, want := failure.attr["message"], "follows from SERV-17; expected what is right; actual what was seen"; got != want {
		t.Errorf("message %q, want %q", got, want)
	}
	want := `requirement: The sentence of IDENT-13.
expected: what is right
actual: what was seen
follows from: SERV-17
hint: Change the line.
source: xinetd.conf(5)
evidence: evidence/IDENT-13-qmserver
run again: make conformance FOCUS='IDENT-13 qmserver'
`
	if failure.text != want {
		t.Errorf("body\n%s, want\n%s", failure.text, want)
	}
}

func TestJUnitSaysWhySomethingWasSkipped(t *testing.T) {
	r, x := broken()
	doc := junit(t, r, x)
	if got := testcase(t, doc, "services.qmserver", "SERV-18").children[0].attr["message"]; got != "known-failing: A defect of this version (https://example.org/1)" {
		t.Error(got)
	}
	if got := testcase(t, doc, "services.qmserver", "SERV-19").children[0].attr["message"]; got != "not-applicable: what was seen" {
		t.Error(got)
	}
}

func TestAShouldIsAWarningUnlessStrict(t *testing.T) {
	v := should(one("SERV-07", requirement.QMClient, verdict.Fail))
	doc := junit(t, judged(v), Extra{})
	if out := doc.all("system-out"); len(out) != 1 || !strings.HasPrefix(out[0].text, "warning: ") || doc.attr["failures"] != "0" {
		t.Errorf("%v, %+v", doc.attr, out)
	}
	doc = junit(t, judged(v), Extra{Strict: true})
	if doc.attr["failures"] != "1" {
		t.Errorf("strict: %v", doc.attr)
	}
}

func TestJUnitIsXMLForAnyBytes(t *testing.T) {
	var every []byte
	for i := range 256 {
		every = append(every, byte(i))
	}
	text := string(every) + "]]><failure>&amp;\ufffe\uffff" + string(rune(0x1F)) + "\u2028"
	v := one("SERV-01", requirement.Host, verdict.Fail)
	v.Sentence, v.Expected, v.Actual, v.Hint, v.Source, v.Evidence, v.BecauseOf, v.Area = text, text, text, text, text, text, text, text
	skipped := one("SERV-02", requirement.Host, verdict.NotApplicable)
	skipped.Actual = text
	r := judged(v, skipped)
	r.Subject.Package, r.Message = text, text
	doc := junit(t, r, Extra{Rerun: func(verdict.Verdict) string { return text }})
	body := doc.all("failure")[0].text
	for _, want := range []string{`\x00`, `\x1f`, `\xff`, "]]><failure>&amp;"} {
		if !strings.Contains(body, want) {
			t.Errorf("the body lost %q", want)
		}
	}
	if strings.Contains(body, "\ufffd") {
		t.Error("bytes became replacement characters: the reader cannot tell what they were")
	}
}

func TestJUnitIsRedWhenTheRunIs(t *testing.T) {
	cut := judged(one("SERV-01", requirement.Host, verdict.Pass))
	cut.Outcome, cut.Message = verdict.HarnessError, "interrupted"
	silent := cut
	silent.Message = ""
	violated := judged(one("SERV-01", requirement.Host, verdict.Fail))
	violated.Message = "interrupted"
	for name, r := range map[string]Results{
		"violated, cut short":   violated,
		"usage error":           {Outcome: verdict.UsageError, Message: "PACKAGE=x does not exist; name a directory"},
		"harness error":         {Outcome: verdict.HarnessError, Message: "Docker does not answer; start it"},
		"nothing known":         {},
		"cut short":             cut,
		"cut short, no message": silent,
	} {
		doc := junit(t, r, Extra{})
		errors := doc.all("error")
		if len(errors) != 1 || doc.attr["errors"] != "1" {
			t.Errorf("%s: %v", name, doc.attr)
			continue
		}
		if !strings.Contains(errors[0].attr["message"]+errors[0].text, r.Message) {
			t.Errorf("%s: %+v does not say why", name, errors[0])
		}
	}
}

func TestJUnitOfAGoodRunHasNoFailure(t *testing.T) {
	doc := junit(t, conformant(t), Extra{})
	for _, bad := range []string{"failure", "error", "skipped", "system-out"} {
		if n := len(doc.all(bad)); n != 0 {
			t.Errorf("%d %s", n, bad)
		}
	}
	if len(doc.all("testcase")) < 50 {
		t.Errorf("%d test cases", len(doc.all("testcase")))
	}
}
