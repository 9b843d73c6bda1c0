package services

import (
	"slices"
	"strings"
	"testing"

	"qmconformance/harness/judge/judgetest"
	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
	"qmconformance/harness/xinetd"
)

// with is the block with one text in another's place.
func with(old, new string) string {
	if !strings.Contains(block, old) {
		panic(old + " is not in the block")
	}
	return strings.Replace(block, old, new, 1)
}

// wrongValue are the cases of an attribute with one value: right, wrong, left
// out, and not to be judged.
func wrongValue(name, right, wrong, line string, change, drop func(*xinetd.Settings)) []judgetest.Case {
	var old string
	for l := range strings.Lines(block) {
		if fields := strings.Fields(l); len(fields) > 0 && fields[0] == name {
			old = l
		}
	}
	want := name + " = " + right
	cases := []judgetest.Case{
		{Name: "kept", Facts: configured(nil), Kind: verdict.Pass, Expected: want},
		{
			Name: "another value", Facts: written(with(old, "\t"+name+" = "+wrong+"\n"), change), Kind: verdict.Fail,
			Expected: want, Actual: name + " = " + wrong + " in effect", Hint: "/etc/xinetd.d/qmserver:" + line + " says \"" + name + " = " + wrong + "\": write \"" + want,
		},
		{
			Name: "a second definition has another value", Kind: verdict.Fail, Actual: name + " = " + wrong,
			Facts: configured(func(f *observe.Configured) {
				second := inForce()
				change(&second)
				f.Effective = append(f.Effective, second)
			}),
		},
		{Name: "no such service", Facts: gone(""), Kind: verdict.NotTestable, Actual: "no such service", BecauseOf: "SERV-09"},
		{
			Name: "no state dump", Kind: verdict.NotTestable, Actual: "no dump", BecauseOf: "SERV-09",
			Facts: configured(func(f *observe.Configured) { f.Effective, f.NoDump = nil, "no dump" }),
		},
		{
			Name: "xinetd refuses the value and so the service", Kind: verdict.Fail, Expected: want, Actual: wrong + ", which xinetd refuses",
			Facts: gone(with(old, "\t"+name+" = "+wrong+"\n"), xinetd.Complaint{Attribute: name, Service: "qmserver"}), Hint: "/etc/xinetd.d/qmserver:" + line,
		},
		{
			Name: "xinetd takes no service without it", Kind: verdict.Fail, Expected: want, Actual: name + " is not set",
			Facts: gone(with(old, ""), xinetd.Complaint{Attribute: name, Service: "qmserver"}), Hint: "/etc/xinetd.d/qmserver:3: the block of qmserver lacks",
		},
	}
	another := judgetest.Case{
		Name: "xinetd refuses another line", Kind: verdict.NotTestable, BecauseOf: "SERV-09", Actual: "no such service",
		Facts: gone(with(old, "\t"+name+" = "+wrong+"\n"), xinetd.Complaint{Attribute: "nice", Service: "qmserver"}),
	}
	if slices.Contains(oneWord, name) {
		// What is written has one spelling: it would be wrong in any case.
		another.Kind, another.BecauseOf, another.Actual, another.Hint = verdict.Fail, "", name+" = "+wrong+" in the file", "/etc/xinetd.d/qmserver:"+line
	}
	cases = append(cases, another)
	if drop != nil {
		cases = append(cases, judgetest.Case{
			Name: "left out", Facts: written(with(old, ""), drop), Kind: verdict.Fail, Expected: want,
			Actual: name + " = not set in effect", Hint: "/etc/xinetd.d/qmserver:3: the block of qmserver lacks \"" + want + "\"",
		})
	}
	return cases
}

type settings = xinetd.Settings

var oneValue = judgetest.Table{
	"SERV-10": wrongValue("protocol", "tcp", "udp", "5", func(s *settings) { s.Protocol = "udp" }, func(s *settings) { s.Protocol = "" }),
	"SERV-11": wrongValue("socket_type", "stream", "dgram", "7", func(s *settings) { s.SocketType = "dgram" }, func(s *settings) { s.SocketType = "" }),
	"SERV-12": wrongValue("wait", "no", "yes", "8", func(s *settings) { s.Wait = "yes" }, func(s *settings) { s.Wait = "" }),
	"SERV-14": wrongValue("groups", "yes", "no", "9", func(s *settings) { s.Groups = "no" }, nil),
	"SERV-15": wrongValue("user", "root", "daemon", "10", func(s *settings) { s.User = set(1) }, func(s *settings) { s.User = xinetd.Optional{} }),
	"SERV-16": append(wrongValue("group", "qmusers", "other", "11", func(s *settings) { s.Group = set(50) }, func(s *settings) { s.Group = xinetd.Optional{} }),
		judgetest.Case{
			Name: "by its number", Kind: verdict.Pass, Expected: "group = qmusers", Facts: written(with("qmusers", "995"), func(*settings) {}),
		},
		judgetest.Case{
			Name: "a number that is nobody's", Kind: verdict.Fail, Actual: "group = 4711",
			Facts: configured(func(f *observe.Configured) { f.Effective[0].Group = set(4711) }),
		},
		judgetest.Case{
			Name: "there is no qmusers, and no group is set", Kind: verdict.Fail, Actual: "not set",
			Facts: configured(func(f *observe.Configured) { f.Accounts.Groups, f.Effective[0].Group = nil, xinetd.Optional{} }),
		}),
	"SERV-17": append(wrongValue("umask", "002", "022", "12", func(s *settings) { s.Umask = set(0o022) }, func(s *settings) { s.Umask = xinetd.Optional{} }),
		judgetest.Case{
			Name: "in other digits", Kind: verdict.Pass, Facts: written(with("002", "0002"), func(*settings) {}),
		},
		judgetest.Case{
			Name: "misspelt", Kind: verdict.Fail, Actual: "not set", Hint: "/etc/xinetd.d/qmserver:12",
			Facts: written(with("\tumask ", "\tunmask "), func(s *settings) { s.Umask = xinetd.Optional{} }),
		}),
	"SERV-19": append(wrongValue("server_args", "-n", "-x", "14", func(s *settings) { s.Argv = []string{"qm", "-x"} }, func(s *settings) { s.Argv = nil }),
		judgetest.Case{
			Name: "those of the other service", Service: requirement.QMClient, Kind: verdict.Fail, Expected: "server_args = -n -q", Actual: "server_args = -n in effect",
			Facts: configured(nil),
		},
		judgetest.Case{
			Name: "its own name alone", Kind: verdict.Fail, Actual: "not set",
			Facts: configured(func(f *observe.Configured) { f.Effective[0].Argv = []string{"qm"} }),
		},
		judgetest.Case{
			Name: "the other service's right ones", Service: requirement.QMClient, Kind: verdict.Pass,
			Facts: configured(func(f *observe.Configured) { f.Effective[0].Argv = []string{"qm", "-n", "-q"} }),
		}),
}

var lists = judgetest.Table{
	"SERV-13": {
		{Name: "kept", Facts: configured(nil), Kind: verdict.Pass, Expected: "REUSE"},
		{
			Name: "other flags", Kind: verdict.Fail, Expected: "REUSE", Actual: "flags are NODELAY; IPv4", Hint: "/etc/xinetd.d/qmserver:6",
			Facts: written(with("= REUSE", "= NODELAY"), func(s *settings) { s.Flags = []string{"NODELAY", "IPv4"} }),
		},
		{
			Name: "none", Kind: verdict.Fail, Actual: "none", Hint: "/etc/xinetd.d/qmserver:3: the block of qmserver lacks",
			Facts: written(with("\tflags           = REUSE\n", ""), func(s *settings) { s.Flags = nil }),
		},
		{
			Name: "in one definition of two", Kind: verdict.Fail,
			Facts: configured(func(f *observe.Configured) { f.Effective = append(f.Effective, xinetd.Settings{}) }),
		},
		{Name: "no such service", Facts: gone(block), Kind: verdict.NotTestable, BecauseOf: "SERV-09"},
	},
	"SERV-20": {
		{Name: "kept", Facts: configured(nil), Kind: verdict.Pass, Expected: "USERID"},
		{
			Name: "without USERID", Kind: verdict.Fail, Actual: "log_on_failure are HOST in effect", Hint: "/etc/xinetd.d/qmserver:15",
			Facts: written(with("+= USERID", "= HOST"), func(s *settings) { s.OnFailure = []string{"HOST"} }),
		},
		{
			Name: "nothing is logged, and it is asked for", Kind: verdict.Pass, Actual: "nothing to log to",
			Facts: configured(func(f *observe.Configured) { f.Effective[0].Log.Kind, f.Effective[0].OnFailure = xinetd.LogNone, nil }),
		},
		{
			Name: "nothing is logged, and it is not asked for", Kind: verdict.Fail,
			Facts: written(with("\tlog_on_failure  += USERID\n", ""), func(s *settings) { s.Log.Kind, s.OnFailure = xinetd.LogNone, nil }),
		},
		{Name: "no such service", Facts: gone(block), Kind: verdict.NotTestable, BecauseOf: "SERV-09"},
	},
	"SERV-21": {
		{Name: "kept", Facts: configured(nil), Kind: verdict.Pass},
		{
			Name: "switched off", Kind: verdict.Fail, Expected: "NOLIBWRAP", Actual: "REUSE NOLIBWRAP", Hint: "/etc/xinetd.d/qmserver:6",
			Facts: written(with("= REUSE", "= REUSE NOLIBWRAP"), func(s *settings) { s.Flags = []string{"REUSE", "NOLIBWRAP"} }),
		},
	},
	"SERV-24": {
		{Name: "kept", Facts: configured(nil), Kind: verdict.Pass},
		{
			Name: "at some hours", Kind: verdict.Fail, Actual: "access_times = 08:00-18:00", Hint: "/etc/xinetd.d/qmserver:16 says \"access_times = 08:00-18:00\"",
			Facts: written(with("\tlog_on_failure  += USERID\n", "\tlog_on_failure  += USERID\n\taccess_times = 08:00-18:00\n"),
				func(s *settings) { s.AccessTimes = []string{"08:00-18:00"} }),
		},
		{
			Name: "at a low load", Kind: verdict.Fail, Actual: "max_load = 2.5", Hint: "/etc/xinetd.d/qmserver:16",
			Facts: written(with("\tlog_on_failure  += USERID\n", "\tlog_on_failure  += USERID\n\tmax_load = 2.5\n"), func(*settings) {}),
		},
	},
}

func TestAttributes(t *testing.T) { judgetest.Run(t, "", oneValue, lists) }

// The facts of one look are judged by many at once: no rule may write to them,
// not even behind the end of a list.
func TestRulesLeaveTheFactsAlone(t *testing.T) {
	f := configured(func(f *observe.Configured) {
		f.Blocks = append(make([]xinetd.Block, 0, 8), f.Blocks...)
		f.Effective[0].Log.Kind = xinetd.LogNone
	})
	behind := f.Blocks[:len(f.Blocks)+1]
	judgetest.Run(t, "", judgetest.Table{
		"SERV-20": {{Name: "facts", Facts: f, Kind: verdict.Pass}}, "SERV-24": {{Name: "facts", Facts: f, Kind: verdict.Pass}},
	})
	if behind[len(behind)-1].File != "" {
		t.Error("a rule wrote into the facts")
	}
}
