package services

import (
	"fmt"
	"slices"
	"strings"

	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/verdict"
	"qmconformance/harness/xinetd"
)

// Every attribute of the reference blocks, as xinetd's state dump has it: what is
// in effect, not how it is spelt. The files tell which line to change.
var _ = judge.Section(area, "attributes in effect", func() {
	attribute("SERV-10", "protocol", "tcp", func(_ judge.Case, s xinetd.Settings, _ observe.Accounts) string { return s.Protocol })
	attribute("SERV-11", "socket_type", "stream", func(_ judge.Case, s xinetd.Settings, _ observe.Accounts) string { return s.SocketType })
	attribute("SERV-12", "wait", "no", func(_ judge.Case, s xinetd.Settings, _ observe.Accounts) string { return s.Wait })
	attribute("SERV-14", "groups", "yes", func(_ judge.Case, s xinetd.Settings, _ observe.Accounts) string { return s.Groups })
	attribute("SERV-15", "user", "root", user)
	attribute("SERV-16", "group", "qmusers", group)
	attribute("SERV-17", "umask", "002", umask)
	judge.On("SERV-13", observe.Configuration, asksForReuse)
	judge.On("SERV-19", observe.Configuration, arguments)
	judge.On("SERV-20", observe.Configuration, asksForUser)
	judge.On("SERV-21", observe.Configuration, wrappersOn)
	judge.On("SERV-24", observe.Configuration, openAtAnyTime)
})

// attribute makes the spec of an attribute with one value that counts.
func attribute(id, name, want string, read func(judge.Case, xinetd.Settings, observe.Accounts) string) {
	judge.On(id, observe.Configuration, func(c judge.Case, f observe.Configured) verdict.Finding {
		return inEffect(f, name, want, func(s xinetd.Settings) string { return read(c, s, f.Accounts) })
	})
}

// inEffect compares an attribute in every definition of the service that xinetd
// took. Where it took none, the files may still show that this very attribute is
// why; if they don't, it cannot be judged.
func inEffect(f observe.Configured, name, want string, read func(xinetd.Settings) string) verdict.Finding {
	expected := name + " = " + want
	if len(f.Effective) == 0 {
		return fromFiles(f, name, want, expected)
	}
	got := ""
	for _, s := range f.Effective {
		if got = read(s); got != want {
			break
		}
	}
	if got == "" {
		got = "not set"
	}
	return at(f, name, verdict.That(got == want, expected, name+" = "+got+" in effect", whereToChange(f, name, want)))
}

// at adds the place that decides an attribute, or of the block that lacks it.
func at(f observe.Configured, name string, v verdict.Finding) verdict.Finding {
	file, line, _, _ := f.Config.Where(string(f.Service), name)
	return v.At(file, line)
}

// fromFiles judges an attribute of a service that xinetd does not have. What is
// written is a violation where xinetd complained of it, or where one word alone
// means what is wanted: another one would be wrong in a service that runs, too.
func fromFiles(f observe.Configured, name, want, expected string) verdict.Finding {
	for _, b := range f.Blocks {
		if b.Dropped != "" {
			continue // none of its lines count, right or wrong
		}
		a, ok := b.Attribute(name)
		// A carriage return is the file's mistake, not the attribute's.
		written := strings.TrimRight(strings.Join(a.Values, " "), "\r")
		refused := complainedAbout(f, name)
		switch {
		case !ok && refused:
			return at(f, name, verdict.Violated(expected, name+" is not set, and xinetd takes no service without it", whereToChange(f, name, want)))
		case ok && !strings.EqualFold(written, want) && refused:
			return at(f, name, verdict.Violated(expected, fmt.Sprintf("%s = %s, which xinetd refuses", name, written), whereToChange(f, name, want)))
		case ok && !strings.EqualFold(written, want) && slices.Contains(oneWord, name):
			return at(f, name, verdict.Violated(expected, fmt.Sprintf("%s = %s in the file", name, written), whereToChange(f, name, want)))
		}
	}
	return unavailable(f)
}

// oneWord are the attributes whose wanted value has one spelling only: user,
// group and umask may be numbers in several forms.
var oneWord = []string{"protocol", "socket_type", "wait"}

func complainedAbout(f observe.Configured, name string) bool {
	return slices.ContainsFunc(f.Complaints, func(c xinetd.Complaint) bool { return c.Attribute == name })
}

// unavailable is the finding where xinetd has no such service: that is judged by
// a requirement of its own.
func unavailable(f observe.Configured) verdict.Finding {
	reason := "xinetd has no such service"
	if f.NoDump != "" {
		reason = f.NoDump
	}
	u := verdict.Unmet("%s", reason)
	u.BecauseOf = "SERV-09"
	return u
}

// whereToChange names the line of the package that decides an attribute, or the
// block that lacks it.
func whereToChange(f observe.Configured, name, want string) string {
	file, line, text, ok := f.Config.Where(string(f.Service), name)
	should := fmt.Sprintf("%s = %s", name, want)
	switch {
	case file == "":
		return ""
	case ok:
		for _, r := range f.Remarks {
			if r.File == file && r.Line == line {
				return fmt.Sprintf("%s: write %q", r, should)
			}
		}
		return fmt.Sprintf("%s:%d says %q: write %q", file, line, text, should)
	}
	return fmt.Sprintf("%s:%d: the block of %s lacks %q", file, line, f.Service, should)
}

func user(_ judge.Case, s xinetd.Settings, a observe.Accounts) string {
	if !s.User.Set {
		return ""
	}
	if u, ok := a.Users.ByUID(s.User.Value); ok {
		return u.Name
	}
	return fmt.Sprint(s.User.Value)
}

func group(_ judge.Case, s xinetd.Settings, a observe.Accounts) string {
	if !s.Group.Set {
		return ""
	}
	// Two names may share a number; it is the number that counts.
	if s.Group.Value == a.GID("qmusers") {
		return "qmusers"
	}
	if g, ok := a.Groups.ByGID(s.Group.Value); ok {
		return g.Name
	}
	return fmt.Sprint(s.Group.Value)
}

func umask(_ judge.Case, s xinetd.Settings, _ observe.Accounts) string {
	if !s.Umask.Set {
		return "" // xinetd's own, with 022 added
	}
	return fmt.Sprintf("%03o", s.Umask.Value)
}

func asksForReuse(_ judge.Case, f observe.Configured) verdict.Finding {
	return holds(f, "flags", "REUSE", func(s xinetd.Settings) []string { return s.Flags })
}

// holds judges an attribute that is a list in which one word must be.
func holds(f observe.Configured, name, word string, read func(xinetd.Settings) []string) verdict.Finding {
	expected := name + " hold " + word
	if len(f.Effective) == 0 {
		return unavailable(f)
	}
	for _, s := range f.Effective {
		if list := read(s); !slices.Contains(list, word) {
			return at(f, name, verdict.Violated(expected, name+" are "+orNone(list)+" in effect", whereToChange(f, name, word)))
		}
	}
	return verdict.Kept(expected, name+" in effect hold "+word)
}

func arguments(c judge.Case, f observe.Configured) verdict.Finding {
	want := strings.Join(c.Service.ServerArgs(), " ")
	return inEffect(f, "server_args", want, func(s xinetd.Settings) string {
		if len(s.Argv) == 0 {
			return ""
		}
		return strings.Join(s.Argv[1:], " ")
	})
}

func asksForUser(_ judge.Case, f observe.Configured) verdict.Finding {
	// Where nothing is logged at all the dump shows no options; the contract's
	// option is then judged by what the files ask for, and the missing log by the
	// requirements on logging.
	if slices.ContainsFunc(f.Effective, func(s xinetd.Settings) bool { return s.Log.Kind == xinetd.LogNone }) {
		for _, b := range slices.Concat(f.Blocks, f.Config.Defaults()) {
			if a, ok := b.Attribute("log_on_failure"); ok && slices.Contains(a.Values, "USERID") {
				return verdict.Kept("log_on_failure hold USERID", "asked for, with nothing to log to")
			}
		}
	}
	return holds(f, "log_on_failure", "USERID", func(s xinetd.Settings) []string { return s.OnFailure })
}

func wrappersOn(_ judge.Case, f observe.Configured) verdict.Finding {
	const expected = "flags without NOLIBWRAP"
	for _, s := range f.Effective {
		if slices.Contains(s.Flags, "NOLIBWRAP") {
			return at(f, "flags", verdict.Violated(expected, "flags are "+strings.Join(s.Flags, " ")+" in effect", whereToChange(f, "flags", "REUSE")))
		}
	}
	return verdict.Kept(expected, "TCP wrappers are asked")
}

// openAtAnyTime judges what the state dump shows of access times, and the files
// for the limit on the load, which the dump does not show.
func openAtAnyTime(_ judge.Case, f observe.Configured) verdict.Finding {
	const expected = "no access_times and no max_load"
	for _, s := range f.Effective {
		if len(s.AccessTimes) > 0 {
			file, line, text, _ := f.Config.Where(string(f.Service), "access_times")
			return verdict.Violated(expected, "access_times = "+strings.Join(s.AccessTimes, " ")+" in effect",
				fmt.Sprintf("%s:%d says %q: remove it", file, line, text)).At(file, line)
		}
	}
	for _, b := range slices.Concat(f.Blocks, f.Config.Defaults()) {
		if a, ok := b.Attribute("max_load"); ok {
			return verdict.Violated(expected, a.Text, fmt.Sprintf("%s:%d says %q: remove it", a.File, a.Line, a.Text)).At(a.File, a.Line)
		}
	}
	return verdict.Kept(expected, "neither is set")
}
