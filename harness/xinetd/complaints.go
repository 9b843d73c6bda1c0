package xinetd

import (
	"fmt"
	"slices"
)

// Complaint is something that xinetd found wrong when it read its
// configuration and started its services.
type Complaint struct {
	// Code is stable; the texts are for people.
	Code string
	// Effect is what becomes of the service.
	Effect Effect
	// Service and Attribute are empty where neither the message nor, by file and
	// line, the configuration tells them.
	Service   string
	Attribute string
	File      string
	Line      int
	// Text is xinetd's own.
	Text     string
	Severity Severity
	// Count is how often it was said in a row of retries.
	Count int
	// Consequence: an earlier complaint is the cause of this one.
	Consequence bool
	// Meaning says what follows from it, Hint what to do.
	Meaning string
	Hint    string
}

// Effect is what becomes of the service, from bad to worse.
type Effect string

// Effects.
const (
	// Weakened: the service runs, but not as it is written.
	Weakened Effect = "weakened"
	// Closed: the service isn't available.
	Closed Effect = "closed"
	// Fatal: xinetd itself doesn't run.
	Fatal Effect = "fatal"
)

// Unclassified is the code of an error or warning of the program that isn't in
// the table: nothing that xinetd says aloud is passed over.
const Unclassified = "unclassified"

// Startup is what a log says about one start or reload.
type Startup struct {
	// Version is that of "NAME started with ...", "" before it.
	Version string
	// Available is the number of services it started, not set before that.
	Available  Optional
	Complaints []Complaint
}

// ReadStartup reads the messages of the last start in a log. The configuration
// may be nil; with it, a complaint that has only a file and a line also gets
// its service.
func ReadStartup(records []Record, config *Config) Startup {
	var s Startup
	records = lastStart(Messages(records))
	for _, r := range records {
		if m := startedWith.FindStringSubmatch(r.Text); m != nil {
			s.Version = m[1]
		}
		if m := startedWorking.FindStringSubmatch(r.Text); m != nil {
			s.Available = number(integer(m[1]))
		}
	}
	s.Complaints = Complaints(records, config)
	return s
}

// lastStart cuts off the messages of earlier xinetd processes: those before the
// last that has another writer. Its first message names the new one. A child's
// message doesn't count as a new start, for only a parent says it has started.
func lastStart(records []Record) []Record {
	last := 0
	for _, r := range records {
		if startedWith.MatchString(r.Text) {
			last = r.Writer
		}
	}
	if last == 0 {
		return records
	}
	first := slices.IndexFunc(records, func(r Record) bool { return r.Writer == last })
	return records[first:]
}

// Complaints classifies the messages of a log, in their order.
func Complaints(records []Record, config *Config) []Complaint {
	var list []Complaint
	for _, r := range Messages(records) {
		c, is := complaint(r)
		if !is {
			continue
		}
		c.locate(config)
		if c.Code == codeRemoved {
			// Said of each service that is disabled on purpose as well: it matters
			// only as the end of one that has been complained about.
			closeDisabled(list, c.Service)
			continue
		}
		if i := slices.IndexFunc(list, c.repeats); i >= 0 && c.Code == codeBind {
			list[i].Count++
			continue
		}
		c.Consequence = slices.ContainsFunc(list, c.follows)
		c.point(list)
		list = append(list, c)
	}
	return list
}

// point has a message that only tells of an earlier one show that one.
func (c *Complaint) point(before []Complaint) {
	if c.Code != codeFatal && c.Code != codeNotStarted || c.File != "" {
		return
	}
	for _, b := range slices.Backward(before) {
		other := b.Service != "" && c.Service != "" && b.Service != c.Service
		if b.Code == codeFatal || b.Code == codeNotStarted || other {
			continue
		}
		if c.Code == codeFatal {
			c.File, c.Line = b.File, b.Line
		}
		c.Hint += fmt.Sprintf(": %q (%s)", b.Text, b.Hint)
		return
	}
}

// complaint finds the message's rule.
func complaint(r Record) (Complaint, bool) {
	c := Complaint{File: r.File, Line: r.Line, Text: r.Text, Severity: r.Severity, Count: 1}
	for _, rule := range explanations {
		m := rule.pattern.FindStringSubmatch(r.Text)
		if m == nil {
			continue
		}
		if rule.code == "" {
			return Complaint{}, false
		}
		c.Code, c.Effect, c.Meaning, c.Hint = rule.code, rule.effect, rule.meaning, rule.hint
		for i, name := range rule.pattern.SubexpNames() {
			switch name {
			case "service":
				c.Service = m[i]
			case "attribute":
				c.Attribute = canonical(m[i])
			}
		}
		if c.Attribute == "" {
			c.Attribute = rule.attribute
		}
		return c, true
	}
	// A line without a severity is one that isn't xinetd's (FormatUnknown), such
	// as what a library writes to the same file.
	if !r.Severity.AtLeast(Warning) {
		return Complaint{}, false
	}
	c.Code, c.Effect = Unclassified, Weakened
	c.Meaning = "xinetd reports a problem that the harness has no explanation for"
	return c, true
}

// locate fills in the service by the place, and corrects the effect of an error
// in one attribute by what the rest of the block says.
func (c *Complaint) locate(config *Config) {
	if config == nil || c.File == "" {
		return
	}
	block, ok := config.BlockAt(c.File, c.Line)
	if !ok {
		return
	}
	if c.Service == "" {
		c.Service = block.Service
	}
	if c.Code == codeDisabling && !block.EnabledAfter(c.Line) {
		c.Effect = Closed
		c.Meaning = "the service is disabled by the error"
	}
	if a, found := attributeAt(block, c.Line); found {
		// A missing brace is reported at the last line read, which is about
		// something else.
		if c.Attribute == "" && c.Code != codeIncomplete && c.Code != codeUnclosed {
			c.Attribute = a.Name
		}
		if a.Meant != "" && c.Code == codeUnknownAttribute {
			c.Hint = fmt.Sprintf("%s is meant, perhaps", a.Meant)
		}
	}
}

func attributeAt(b Block, line int) (Attribute, bool) {
	for _, a := range b.Attributes {
		if a.Line == line {
			return a, true
		}
	}
	return Attribute{}, false
}

// repeats says whether c says again what an earlier complaint has said.
func (c Complaint) repeats(earlier Complaint) bool {
	return c.Code == earlier.Code && c.Service == earlier.Service && c.Text == earlier.Text
}

// follows says whether an earlier complaint is the cause of c: xinetd first
// names the error, then the attribute it was in, then what the service lacks.
func (c Complaint) follows(earlier Complaint) bool {
	samePlace := c.File != "" && c.File == earlier.File
	sameService := c.Service != "" && c.Service == earlier.Service
	switch c.Code {
	case codeDisabling:
		return samePlace && c.Line == earlier.Line
	case codeMissingAttribute:
		// Without a configuration the earlier one may lack its service.
		return earlier.Code == codeDisabling && earlier.Attribute == c.Attribute && (sameService || earlier.Service == "")
	case codeNotStarted:
		return sameService && earlier.Code == codeBind
	case codeUnclosed:
		return samePlace
	case codeFatal:
		return true
	}
	return false
}

// closeDisabled corrects the effect on a service that was removed after all.
func closeDisabled(list []Complaint, service string) {
	for i := range list {
		if list[i].Effect == Weakened && list[i].Service == service {
			list[i].Effect = Closed
		}
	}
}

func (c Complaint) String() string {
	text := c.Text
	if c.File != "" {
		text = fmt.Sprintf("%s:%d: %s", c.File, c.Line, text)
	}
	return text
}
