package logging

import (
	"fmt"
	"slices"
	"strings"

	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/xinetd"
)

// whyMute names the line of the package that keeps a service from logging.
func whyMute(l observe.Logging, s requirement.Service) string {
	file, line, text, ok := l.Config.Where(string(s), "log_type")
	if !ok {
		return lacks(l, "log_type = SYSLOG daemon info", "nothing about a connection is logged, whatever the services ask for")
	}
	if _, _, _, ok := l.Config.Where(string(s), "log_on_failure"); !ok {
		return lacks(l, "log_on_failure = HOST", "refusals are not logged")
	}
	if a := deciding(l, s, "log_on_failure"); a.Text != "" && len(a.Values) == 0 {
		return fmt.Sprintf("%s:%d says %q, which takes back what the defaults have: write \"log_on_failure += USERID\"", a.File, a.Line, a.Text)
	}
	for _, f := range l.Files {
		if !strings.Contains(text, f.Path) {
			continue
		}
		if f.Missing {
			return fmt.Sprintf("%s:%d says %q, and there is no such file after something was to be logged", file, line, text)
		}
		return fmt.Sprintf("%s:%d says %q, and nothing was added to it (%d bytes): look at its size limits, and at what kind of file it is", file, line, text, f.Size)
	}
	return fmt.Sprintf("%s:%d says %q, and nothing of that kind arrived there", file, line, text)
}

// lacks names the defaults block that should have a line.
func lacks(l observe.Logging, should, consequence string) string {
	for _, b := range l.Config.Defaults() {
		return fmt.Sprintf("%s:%d: the defaults block lacks %q; without it %s", b.File, b.Line, should, consequence)
	}
	files := "what xinetd reads"
	if len(l.Config.Files) > 0 {
		files = l.Config.Files[0]
	}
	return fmt.Sprintf("%s has no defaults block with %q; without it %s", files, should, consequence)
}

// lost names the line that takes an option from a list, or the block that never
// had it. A list that a service sets with = is all that it has.
func lost(l observe.Logging, s requirement.Service, attribute, option string) string {
	if a := deciding(l, s, attribute); a.Text != "" && !slices.Contains(a.Values, option) {
		return fmt.Sprintf("%s:%d says %q, which takes the place of what the defaults have: write += in place of =, and have %s in the defaults", a.File, a.Line, a.Text, option)
	}
	for _, b := range l.Config.Defaults() {
		if a, ok := b.Attribute(attribute); ok {
			return fmt.Sprintf("%s:%d says %q: add %s", a.File, a.Line, a.Text, option)
		}
	}
	return lacks(l, attribute+" = "+option, "that is not logged")
}

// deciding is the last line of the service's own block that sets a list anew; none
// where the block only adds to what the defaults have.
func deciding(l observe.Logging, s requirement.Service, attribute string) xinetd.Attribute {
	var found xinetd.Attribute
	for _, b := range l.Config.Service(string(s)) {
		for _, a := range b.Attributes {
			if a.Name == attribute && a.Ignored == "" && a.Operator == "=" && b.Dropped == "" {
				found = a
			}
		}
	}
	return found
}
