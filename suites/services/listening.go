package services

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/process"
	"qmconformance/harness/verdict"
	"qmconformance/harness/xinetd"
)

var _ = judge.Section(area, "what the super-server offers", func() {
	judge.On("SERV-09", observe.Configuration, offered)
	judge.On("SERV-18", observe.Configuration, executable)
	judge.On("SERV-25", observe.Configuration, heldBySuperServer)
})

func offered(c judge.Case, f observe.Configured) verdict.Finding {
	const expected = "active in xinetd's state, and a listening socket"
	hint, where := whyNotOffered(c, f)
	if len(f.Effective) == 0 {
		actual := "xinetd has no such service"
		if f.NoDump != "" {
			actual = f.NoDump
		}
		return verdict.Violated(expected, actual, hint).At(where.File, where.Line)
	}
	if state := f.Effective[0].State; state != "Active" {
		return verdict.Violated(expected, "its state is "+state, hint).At(where.File, where.Line)
	}
	return verdict.That(len(f.Listeners) > 0, expected, fmt.Sprintf("%d listening sockets on port %d", len(f.Listeners), f.Port), hint).At(where.File, where.Line)
}

// whyNotOffered finds, in the log, then in the files, what keeps a service out,
// and the line that does.
func whyNotOffered(c judge.Case, f observe.Configured) (string, verdict.Place) {
	if r, wrong := unreadable(f); wrong {
		return r.String(), verdict.Place{File: r.File, Line: r.Line}
	}
	for _, complaint := range f.Complaints {
		if complaint.Consequence {
			continue
		}
		hint := place(complaint) + complaint.Text
		if complaint.Hint != "" {
			hint += ": " + complaint.Hint
		}
		return hint, verdict.Place{File: complaint.File, Line: complaint.Line}
	}
	for _, b := range f.Blocks {
		switch {
		case b.Disabled:
			a, _ := b.Attribute("disable")
			return fmt.Sprintf("%s:%d says %q: write \"disable = no\"", a.File, a.Line, a.Text), verdict.Place{File: a.File, Line: a.Line}
		case b.Dropped != "":
			return fmt.Sprintf("%s:%d: xinetd drops the block: %s", b.File, b.Line, b.Dropped), verdict.Place{File: b.File, Line: b.Line}
		}
	}
	if len(f.Blocks) > 0 {
		return "", verdict.Place{}
	}
	for _, skipped := range f.Config.Skipped {
		if slices.Contains(skipped.Services, string(c.Service)) {
			return fmt.Sprintf("%s holds the service and is not read: %s", skipped.File, skipped.Why), verdict.Place{File: skipped.File}
		}
	}
	for _, r := range f.Remarks {
		return r.String(), verdict.Place{File: r.File, Line: r.Line}
	}
	return fmt.Sprintf("no file that xinetd reads (%s) has a block for %s", strings.Join(f.Config.Files, ", "), c.Service), verdict.Place{}
}

// unreadable says what makes a whole file of the service's wrong for xinetd, line
// for line: what xinetd says of the lines would lead astray.
func unreadable(f observe.Configured) (xinetd.Remark, bool) {
	for _, r := range f.Remarks {
		if r.Kind != xinetd.CarriageReturn && r.Kind != xinetd.ByteOrderMark {
			continue
		}
		if slices.ContainsFunc(f.Blocks, func(b xinetd.Block) bool { return b.File == r.File }) {
			return r, true
		}
	}
	return xinetd.Remark{}, false
}

// executable judges the file that "server" leads to. That it also runs is seen
// when it serves.
func executable(_ judge.Case, f observe.Configured) verdict.Finding {
	const expected = "an executable file"
	if _, wrong := unreadable(f); len(f.Effective) == 0 && (len(f.Blocks) == 0 || wrong) {
		return unavailable(f)
	}
	hint := whereToChange(f, "server", "/usr/qmsys/bin/qm")
	switch {
	case f.ProgramErr != "":
		return at(f, "server", verdict.Violated(expected, f.ProgramPath+": "+f.ProgramErr, hint))
	case f.Program.Mode.IsDir():
		return at(f, "server", verdict.Violated(expected, f.ProgramPath+" is a directory", hint))
	case f.Program.Mode.Perm()&0o111 == 0:
		return verdict.Violated(expected, fmt.Sprintf("%s has mode %04o", f.ProgramPath, f.Program.Mode.Perm()), "make it executable: chmod 755 "+f.Program.Path)
	case !f.Program.Mode.IsRegular():
		return at(f, "server", verdict.Violated(expected, fmt.Sprintf("%s is %v", f.ProgramPath, f.Program.Mode&fs.ModeType), hint))
	}
	return verdict.Kept(expected, f.ProgramPath)
}

// heldBySuperServer judges whoever listens; that somebody does is judged by what
// is offered.
func heldBySuperServer(_ judge.Case, f observe.Configured) verdict.Finding {
	const expected = "xinetd alone listens on the port"
	var others []string
	for _, l := range f.Listeners {
		for _, p := range l.Holders {
			if p.PID != f.XinetdPID {
				others = append(others, describe(p))
			}
		}
		if len(l.Holders) == 0 {
			others = append(others, "a process that could not be found")
		}
	}
	if len(others) > 0 {
		return verdict.Violated(expected, fmt.Sprintf("port %d is held by %s", f.Port, strings.Join(others, " and ")), "disable the other owner of the port, or let xinetd have it")
	}
	if len(f.Listeners) == 0 {
		return unavailable(f)
	}
	return verdict.Kept(expected, "xinetd listens")
}

func describe(p process.Process) string {
	return fmt.Sprintf("%s (pid %d: %s)", p.Comm, p.PID, strings.Join(p.Args, " "))
}
