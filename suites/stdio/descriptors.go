package stdio

import (
	"fmt"
	"path"
	"strings"

	"qmconformance/fixtures/probe/report"
	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/process"
	"qmconformance/harness/verdict"
)

var _ = judge.Section(area, "descriptors and the process behind them", func() {
	judge.On("STDIO-03", observe.Contact, oneSocketOnThree)
	judge.On("STDIO-04", observe.AtStart, nothingElseInherited)
	judge.On("STDIO-18", observe.Contact, nobodyElseHolds)
	judge.On("STDIO-22", observe.Contact, theProgramItself)
})

// seen wraps a rule about the serving process: without that process the rule has
// nothing to judge.
func seen(f observe.Contacted, rule func(process.Process) verdict.Finding) verdict.Finding {
	if !f.Served.Found {
		return withoutServer()
	}
	return rule(f.Served.Server)
}

// withoutServer is the finding where the serving process was not found: mostly it
// had ended, and the conversation tells why.
func withoutServer() verdict.Finding {
	u := verdict.Unmet("no process has the connection as its standard input")
	u.BecauseOf = "STDIO-02"
	return u
}

func oneSocketOnThree(_ judge.Case, f observe.Contacted) verdict.Finding {
	expected := fmt.Sprintf("0, 1 and 2 are the socket whose peer is %v", f.Served.Client)
	if !f.Served.Found {
		v := verdict.Violated(expected, "no process has the connection as its standard input", "")
		v.BecauseOf = withoutServer().BecauseOf
		return v
	}
	p := f.Served.Server
	if problem, unreadable := p.Problem("fd"); unreadable {
		return verdict.Broken("the descriptors of pid %d: %v", p.PID, problem)
	}
	for n := range 3 {
		fd, open := p.FD(n)
		switch {
		case !open:
			return verdict.Violated(expected, fmt.Sprintf("descriptor %d is closed", n), "")
		case fd.Inode != f.Served.Socket.Inode:
			return verdict.Violated(expected, fmt.Sprintf("descriptor %d is %s", n, fd.Target), "")
		}
	}
	return verdict.Kept(expected, "they are "+p.FDs[0].Target)
}

// nothingElseInherited goes by what a program has before it opens anything itself: what
// qm has open a moment later are files of its own, wherever its tree's links lead.
func nothingElseInherited(_ judge.Case, f observe.Started) verdict.Finding {
	return atStart(f, func(p report.Context) verdict.Finding {
		var surplus []string
		for _, file := range p.Files {
			if file.FD > 2 {
				surplus = append(surplus, fmt.Sprintf("%d -> %s", file.FD, file.Target))
			}
		}
		return verdict.That(len(surplus) == 0, "no descriptor but 0, 1 and 2", none(surplus), "")
	})
}

func none(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

func nobodyElseHolds(_ judge.Case, f observe.Contacted) verdict.Finding {
	const expected = "one process holds the connection"
	return seen(f, func(p process.Process) verdict.Finding {
		if f.Served.Blind > 0 {
			return verdict.Broken("the descriptors of %d processes could not be read", f.Served.Blind)
		}
		var others []string
		for _, h := range f.Served.Holders {
			if h.PID != p.PID {
				others = append(others, fmt.Sprintf("%s (pid %d: %s)", h.Comm, h.PID, strings.Join(h.Args, " ")))
			}
		}
		return verdict.That(len(others) == 0, expected, "others that hold it: "+none(others), "")
	})
}

func theProgramItself(_ judge.Case, f observe.Contacted) verdict.Finding {
	const expected = "the program bin/qm of the tree, started by xinetd"
	return seen(f, func(p process.Process) verdict.Finding {
		parent := fmt.Sprintf("%s (pid %d)", f.Served.Parent.Comm, f.Served.Parent.PID)
		switch {
		case path.Base(p.Exe) != "qm":
			return verdict.Violated(expected, fmt.Sprintf("%s, called as %s", p.Exe, strings.Join(p.Args, " ")), "")
		case f.Served.Parent.PID != f.Served.Xinetd.PID:
			return verdict.Violated(expected, p.Exe+", a child of "+parent, "")
		}
		return verdict.Kept(expected, p.Exe)
	})
}
