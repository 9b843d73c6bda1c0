package report

import (
	"strings"

	"qmconformance/harness/settings"
	"qmconformance/harness/verdict"
)

// Rerun is the command that judges just one requirement for one service again,
// with the settings of the run: of the variables it names those that the user
// set. A spec's text begins with "<ID> <service>:", so the focus meets one.
func Rerun(s settings.Settings, v verdict.Verdict) string {
	strict := "0"
	if s.Strict {
		strict = "1"
	}
	command := "make conformance FOCUS='" + v.ID + " " + string(v.Service) + "'"
	for _, one := range []struct{ name, value string }{
		{"PACKAGE", s.Package},
		{"QMSYS", s.QMSys},
		{"BASE", s.Base},
		{"PROFILE", string(s.Profile)},
		{"STRICT", strict},
		{"RESULTS", s.Results},
	} {
		if !s.Defaulted[one.name] && one.value != "" {
			command += " " + one.name + "=" + quote(one.value)
		}
	}
	return command
}

// quote writes a value for a variable on make's command line as typed into a
// shell: make expands a dollar sign itself, unless it is doubled.
func quote(value string) string {
	value = strings.ReplaceAll(value, "$", "$$")
	safe := strings.IndexFunc(value, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:,@%=", r))
	}) < 0
	if safe {
		return value
	}
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}
