package logging

import (
	"fmt"
	"slices"
	"strings"

	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
	"qmconformance/harness/xinetd"
)

// advice is what to change, and where.
type advice struct {
	text  string
	where verdict.Place
}

// here is advice on one line of a file.
func here(file string, line int, format string, args ...any) advice {
	at := verdict.Place{File: file, Line: line}
	return advice{at.String() + fmt.Sprintf(format, args...), at}
}

// violated is the finding of a log that lacks something for which there is advice.
func violated(expected, actual string, a advice) verdict.Finding {
	return verdict.Violated(expected, actual, a.text).At(a.where.File, a.where.Line)
}

// whyMute names the line of the package that keeps a service from logging.
func whyMute(l observe.Logging, s requirement.Service) advice {
	file, line, text, ok := l.Config.Where(string(s), "log_type")
	if !ok {
		return lacks(l, "log_type = SYSLOG daemon info", "nothing about a connection is logged, whatever the services ask for")
	}
	if _, _, _, ok := l.Config.Where(string(s), "log_on_failure"); !ok {
		return lacks(l, "log_on_failure = HOST", "refusals are not logged")
	}
	if a := deciding(l, s, "log_on_failure"); a.Text != "" && len(a.Values) == 0 {
		return here(a.File, a.Line, " says %q, which takes back what the defaults have: write \"log_on_failure += USERID\"", a.Text)
	}
	for _, f := range l.Files {
		if !strings.Contains(text, f.Path) {
			continue
		}
		if f.Missing {
			return here(file, line, " says %q, and there is no such file after something was to be logged", text)
		}
		return here(file, line, " says %q, and nothing was added to it (%d bytes): look at its size limits, and at what kind of file it is", text, f.Size)
	}
	return here(file, line, " says %q, and nothing of that kind arrived there", text)
}

// lacks names the defaults block that should have a line.
func lacks(l observe.Logging, should, consequence string) advice {
	for _, b := range l.Config.Defaults() {
		return here(b.File, b.Line, ": the defaults block lacks %q; without it %s", should, consequence)
	}
	files, file := "what xinetd reads", ""
	if len(l.Config.Files) > 0 {
		file = l.Config.Files[0]
		files = file
	}
	return advice{fmt.Sprintf("%s has no defaults block with %q; without it %s", files, should, consequence), verdict.Place{File: file}}
}

// lost names the line that takes an option from a list, or the block that never
// had it. A list that a service sets with = is all that it has.
func lost(l observe.Logging, s requirement.Service, attribute, option string) advice {
	if a := deciding(l, s, attribute); a.Text != "" && !slices.Contains(a.Values, option) {
		return here(a.File, a.Line, " says %q, which takes the place of what the defaults have: write += in place of =, and have %s in the defaults", a.Text, option)
	}
	for _, b := range l.Config.Defaults() {
		if a, ok := b.Attribute(attribute); ok {
			return here(a.File, a.Line, " says %q: add %s", a.Text, option)
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
