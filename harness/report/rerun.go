package report

import (
	"maps"
	"path/filepath"
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
	focus := v.ID + " " + string(v.Service)
	command := "make conformance FOCUS='" + focus + "'"
	set := func(name, value string) string { return name + "=" + quote(strings.ReplaceAll(value, "$", "$$")) }
	if len(s.Command) > 0 {
		var words []string
		for _, w := range s.Command {
			words = append(words, quote(w))
		}
		command = strings.Join(words, " ") + " run --focus='" + focus + "'"
		set = func(name, value string) string { return "--" + strings.ToLower(name) + "=" + quote(value) }
	}
	for _, one := range []struct{ name, value string }{
		{"PACKAGE", s.Package},
		{"QMSYS", s.QMSys},
		{"BASE", s.Base},
		{"PROFILE", string(s.Profile)},
		{"STRICT", strict},
		{"RESULTS", s.Results},
	} {
		if !s.Defaulted[one.name] && one.value != "" {
			command += " " + set(one.name, one.value)
		}
	}
	return command
}

// rerunDir is the folder below RESULTS for what a script of reproduction finds: it
// must not remove the results that it came with.
const rerunDir = "again"

// Reproduce is a shell script that does what Rerun says, from any directory, and
// on the same subject whatever has become of the defaults. root is the harness's
// directory, for make.
func Reproduce(s settings.Settings, root string, v verdict.Verdict) string {
	s.Defaulted = maps.Clone(s.Defaulted)
	for _, name := range []string{"PACKAGE", "QMSYS", "BASE", "RESULTS"} {
		delete(s.Defaulted, name)
	}
	s.Results = filepath.Join(s.Results, rerunDir)
	text := "#!/bin/sh\n" +
		"# Judges " + v.ID + " for " + string(v.Service) + " again, on the same package. What it finds goes to\n" +
		"# " + strings.ReplaceAll(s.Results, "\n", " ") + ", so that these results stay.\n" +
		// The environment would choose and count otherwise than the run did.
		"unset FOCUS LABELS STRICT PROFILE PROCS\n"
	if len(s.Command) == 0 {
		text += "cd " + quote(root) + " || exit\n"
	}
	return text + "exec " + Rerun(s, v) + "\n"
}

// quote writes a word for a shell.
func quote(value string) string {
	safe := strings.IndexFunc(value, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:,@%=", r))
	}) < 0
	if safe && value != "" {
		return value
	}
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}
