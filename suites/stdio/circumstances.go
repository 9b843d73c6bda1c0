package stdio

import (
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"

	"qmconformance/fixtures/probe/report"
	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/process"
	"qmconformance/harness/verdict"
	"qmconformance/harness/xinetd"
)

var _ = judge.Section(area, "the circumstances of the start", func() {
	judge.On("STDIO-11", observe.Contact, calledByItsName)
	judge.On("STDIO-12", observe.Contact, environment)
	judge.On("STDIO-13", observe.AtStart, inTheRoot)
	judge.On("STDIO-14", observe.Contact, sessionOfItsOwn)
	judge.On("STDIO-15", observe.AtStart, signalsUntouched)
	judge.On("STDIO-16", observe.AtStart, unlimited)
})

func calledByItsName(c judge.Case, f observe.Contacted) verdict.Finding {
	want := append([]string{"qm"}, c.Service.ServerArgs()...)
	return seen(f, func(p process.Process) verdict.Finding {
		got := slices.Clone(p.Args)
		if len(got) > 0 {
			// A wrapper that becomes qm calls it by its whole path: the name is the same.
			got[0] = path.Base(got[0])
		}
		hint := ""
		if line := f.Shipped.Config.Setting(string(c.Service), "flags"); strings.Contains(line, "NAMEINARGS") {
			hint = line + ": with NAMEINARGS the first of server_args is the program's own name; remove the flag"
		}
		return verdict.That(slices.Equal(got, want), strings.Join(want, " "), strings.Join(p.Args, " "), hint)
	})
}

// loaders are what ld.so(8) reads, and what makes a shell or an interpreter run
// other code than it was given.
var loaders = []string{"LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "LD_DEBUG", "BASH_ENV", "ENV"}

func environment(c judge.Case, f observe.Contacted) verdict.Finding {
	expected := fmt.Sprintf("REMOTE_HOST=%v, and none of %s", f.Served.Client.Addr(), strings.Join(loaders, ", "))
	return seen(f, func(p process.Process) verdict.Finding {
		if problem, unreadable := p.Problem("environ"); unreadable {
			return verdict.Broken("the environment of pid %d: %v", p.PID, problem)
		}
		for _, name := range loaders {
			if value, set := p.Getenv(name); set {
				hint := ""
				if line := f.Shipped.Config.Setting(string(c.Service), "env"); strings.Contains(line, name) {
					hint = line + ": remove it"
				}
				return verdict.Violated(expected, name+"="+value, hint)
			}
		}
		remote, set := p.Getenv("REMOTE_HOST")
		if !set {
			return verdict.Violated(expected, "REMOTE_HOST is not set", "")
		}
		// xinetd writes an IPv4 client of a dual-stack listener as ::ffff:a.b.c.d.
		address, err := netip.ParseAddr(remote)
		return verdict.That(err == nil && address.Unmap() == f.Served.Client.Addr().Unmap(), expected, "REMOTE_HOST="+remote, "")
	})
}

// atStart wraps a rule about how a program in qm's place finds itself.
func atStart(f observe.Started, rule func(report.Context) verdict.Finding) verdict.Finding {
	if f.Context == nil {
		return verdict.Unmet("the program in qm's place did not speak: %s", f.Outcome)
	}
	return rule(*f.Context)
}

func inTheRoot(_ judge.Case, f observe.Started) verdict.Finding {
	return atStart(f, func(c report.Context) verdict.Finding {
		return verdict.That(c.Cwd == "/", "/", c.Cwd, "")
	})
}

func sessionOfItsOwn(_ judge.Case, f observe.Contacted) verdict.Finding {
	const expected = "it is the leader of its session and of its process group, without a terminal"
	return seen(f, func(p process.Process) verdict.Finding {
		actual := fmt.Sprintf("pid %d, session %d, process group %d, terminal %d", p.PID, p.Session, p.PGRP, p.TTY)
		return verdict.That(p.Session == p.PID && p.PGRP == p.PID && p.TTY == 0, expected, actual, "")
	})
}

func signalsUntouched(_ judge.Case, f observe.Started) verdict.Finding {
	const expected = "none ignored, none blocked"
	return atStart(f, func(c report.Context) verdict.Finding {
		ignored, errIgnored := strconv.ParseUint(c.SigIgn, 16, 64)
		blocked, errBlocked := strconv.ParseUint(c.SigBlk, 16, 64)
		if errIgnored != nil || errBlocked != nil {
			return verdict.Broken("signal masks %q and %q", c.SigIgn, c.SigBlk)
		}
		actual := fmt.Sprintf("ignored: %s; blocked: %s", none(process.SignalSet(ignored).Names()), none(process.SignalSet(blocked).Names()))
		return verdict.That(ignored == 0 && blocked == 0, expected, actual, "")
	})
}

// fewestFiles is the least number of descriptors that a session needs: an account
// opens some dozens of files.
const fewestFiles = 256

// mustBeUnlimited are the limits of proc(5) that end a long piece of work. The
// stack is left out: 8 MiB are the kernel's own default.
var mustBeUnlimited = []string{"Max address space", "Max cpu time", "Max data size", "Max file size", "Max resident set"}

// rlimits are the attributes that set the limits, by the kernel's names.
var rlimits = map[string]string{
	"Max address space": "rlimit_as", "Max cpu time": "rlimit_cpu", "Max data size": "rlimit_data", "Max resident set": "rlimit_rss",
}

// toRemove names the line that sets an attribute, if one does.
func toRemove(c judge.Case, config xinetd.Config, attribute string) string {
	if line := config.Setting(string(c.Service), attribute); attribute != "" && line != "" {
		return line + ": remove it"
	}
	return ""
}

func unlimited(c judge.Case, f observe.Started) verdict.Finding {
	expected := fmt.Sprintf("no limit on address space, CPU time, data, file size and resident set, and %d descriptors at least", fewestFiles)
	return atStart(f, func(at report.Context) verdict.Finding {
		for _, name := range mustBeUnlimited {
			limit, known := at.Limits[name]
			if !known {
				return verdict.Broken("the kernel shows no limit %q", name)
			}
			if limit.Soft != "unlimited" {
				return verdict.Violated(expected, fmt.Sprintf("%s is %s", name, limit.Soft), toRemove(c, f.Config, rlimits[name]))
			}
		}
		files, known := at.Limits["Max open files"]
		if !known {
			return verdict.Broken("the kernel shows no limit %q", "Max open files")
		}
		if n, err := strconv.Atoi(files.Soft); files.Soft != "unlimited" && (err != nil || n < fewestFiles) {
			return verdict.Violated(expected, "Max open files is "+files.Soft, toRemove(c, f.Config, "rlimit_files"))
		}
		return verdict.Kept(expected, "Max open files is "+files.Soft)
	})
}
