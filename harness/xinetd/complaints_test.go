package xinetd

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestFaultLogs: what xinetd of Debian 12 said to one mistake each in the
// reference. The codes are in its order; those in brackets are consequences.
func TestFaultLogs(t *testing.T) {
	for name, want := range map[string]struct {
		codes     string
		effect    Effect
		attribute string
		line      int
		available int
	}{
		"access-bad":          {"bad-time [disabling]", Closed, "access_times", 15, 1},
		"bad-name":            {"no-port", Closed, "port", 0, 1},
		"bindabs":             {"bind-failed [not-started]", Closed, "port", 0, 1},
		"bom":                 {"missing-keyword", Closed, "", 1, 1},
		"brace-close":         {"incomplete-block [unclosed-block]", Closed, "", 15, 1},
		"brace-open":          {"missing-brace", Closed, "", 2, 1},
		"defaults-attr":       {"wrong-section", Weakened, "user", 6, 2},
		"defaults-bad":        {"bad-umask [fatal]", Weakened, "umask", 6, -1},
		"dirs":                {"unreadable-include not-regular", Weakened, "", 8, 2},
		"disable-true":        {"bad-value [disabling]", Closed, "disable", 15, 1},
		"disabled":            {"", "", "", 0, 1},
		"doubled":             {"bind-failed [not-started]", Closed, "port", 0, 2},
		"flags-bad":           {"bad-flag [disabling]", Weakened, "flags", 4, 2},
		"group-missing":       {"unknown-group [disabling]", Weakened, "group", 9, 2},
		"group-missing-order": {"unknown-group [disabling]", Closed, "group", 9, 1},
		"group-plus":          {"wrong-operator", Weakened, "group", 9, 2},
		"groups-true":         {"bad-value [disabling]", Weakened, "groups", 7, 2},
		"incdir":              {"unreadable-include", Closed, "", 7, 0},
		"inst-neg":            {"bad-value [disabling]", Closed, "instances", 15, 1},
		"internal":            {"no-internal-service", Closed, "type", 0, 1},
		"logdir":              {"already-set [fatal]", Fatal, "log_type", 6, -1},
		"logfail-bad":         {"bad-log-flag [disabling]", Weakened, "log_on_failure", 13, 2},
		"noconf":              {"no-configuration [fatal]", Fatal, "", 0, -1},
		"nodefault":           {"bad-operator missing-keyword [unclosed-block]", Closed, "xx", 6, 0},
		"nothing":             {"bad-operator", Closed, "umask", 10, 1},
		"onlyfrom-bad":        {"unparsed-address bad-address [disabling]", Closed, "only_from", 15, 1},
		"opequal":             {"bad-operator", Closed, "umask", 10, 1},
		"port":                {"port-mismatch", Closed, "port", 0, 1},
		"port-nosvc":          {"not-in-services", Closed, "port", 0, 1},
		"proto":               {"unknown-protocol [disabling]", Weakened, "protocol", 3, 2},
		"server-missing":      {"server-not-executable [disabling] [missing-attribute]", Closed, "server", 11, 1},
		"sockettype":          {"bad-value [disabling]", Weakened, "socket_type", 5, 2},
		"traffic":             {"traffic-flag", Closed, "log_on_success", 0, 1},
		"umask-bad":           {"bad-umask [disabling]", Weakened, "umask", 10, 2},
		"umask-blank":         {"no-blank", Closed, "umask", 10, 1},
		"umask-comment":       {"wrong-count", Weakened, "umask", 10, 2},
		"umask-twice":         {"already-set", Weakened, "umask", 11, 2},
		"unmask":              {"unknown-attribute", Weakened, "unmask", 10, 2},
		"user-line":           {"missing-attribute", Closed, "user", 0, 1},
		"user-missing":        {"unknown-user [disabling] [missing-attribute]", Closed, "user", 8, 1},
		"wait-missing":        {"missing-attribute", Closed, "wait", 0, 1},
		"wait-yes":            {"", "", "", 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			config := faultConfig(name)
			startup := ReadStartup(ParseLog(sample(t, "bookworm", "fault-"+name+".log"), Zone{}), config)
			var codes []string
			for _, c := range startup.Complaints {
				code := c.Code
				if c.Consequence {
					code = "[" + code + "]"
				}
				codes = append(codes, code)
				if c.Meaning == "" || c.Text == "" || c.Hint == "" && !c.Consequence {
					t.Errorf("no explanation: %+v", c)
				}
			}
			if got := strings.Join(codes, " "); got != want.codes {
				t.Errorf("complaints %s, want %s", got, want.codes)
			}
			if available := startup.Available; available.Set != (want.available >= 0) || available.Set && available.Value != want.available {
				t.Errorf("available %+v, want %d", available, want.available)
			}
			if len(startup.Complaints) == 0 {
				return
			}
			first := startup.Complaints[0]
			if first.Effect != want.effect || first.Attribute != want.attribute || first.Line != want.line {
				t.Errorf("first complaint %+v", first)
			}
			if first.Code == codeBind && first.Count != 11 {
				t.Errorf("%d bind failures", first.Count)
			}
		})
	}
}

// faultConfig is the configuration of the faults whose effect depends on it.
func faultConfig(name string) *Config {
	edits := map[string][2]string{
		"disable-true":        {"disable         = no", "disable = true"},
		"access-bad":          {"disable         = no", "access_times = 12:00-24:00"},
		"inst-neg":            {"disable         = no", "instances = -1"},
		"onlyfrom-bad":        {"disable         = no", "only_from = ALL\nno_access = 10.1.2.3,10.1.2.4"},
		"group-missing-order": {"\tdisable         = no\n", ""},
	}
	client := referenceClient
	if edit, ok := edits[name]; ok {
		client = strings.Replace(client, edit[0], edit[1], 1)
	}
	config, _ := Parse(withClient(client), "/etc/xinetd.conf")
	return &config
}

func TestEveryFaultLogIsTested(t *testing.T) {
	entries, err := os.ReadDir("testdata/bookworm")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), "fault-") {
			continue
		}
		for _, c := range Complaints(ParseLog(sample(t, "bookworm", entry.Name()), Zone{}), nil) {
			if c.Code == Unclassified {
				t.Errorf("%s: %s", entry.Name(), c)
			}
		}
	}
}

func TestHealthyStart(t *testing.T) {
	for _, release := range releases {
		startup := ReadStartup(ParseLog(sample(t, release, "reference.log"), Zone{}), nil)
		if len(startup.Complaints) != 0 || startup.Available != number(2) || !strings.HasPrefix(startup.Version, "2.3.15.") {
			t.Errorf("%s: %+v", release, startup)
		}
	}
}

func TestComplaintGetsServiceFromPlace(t *testing.T) {
	config, _ := Parse(withClient(replace("umask", "unmask")), "/etc/xinetd.conf")
	complaints := Complaints(ParseLog(sample(t, "bookworm", "fault-unmask.log"), Zone{}), &config)
	if len(complaints) != 1 || complaints[0].Service != "qmclient" || !strings.Contains(complaints[0].Hint, "umask") {
		t.Errorf("%+v", complaints)
	}
}

// TestDisabledWithoutItsDebugMessage: syslog often drops the debug level, on
// which xinetd says that it removes a service.
func TestDisabledWithoutItsDebugMessage(t *testing.T) {
	records := ParseLog(sample(t, "bookworm", "fault-group-missing-order.log"), Zone{})
	records = slices.DeleteFunc(records, func(r Record) bool { return r.Severity == Debug })
	complaints := Complaints(records, faultConfig("group-missing-order"))
	if len(complaints) != 2 || complaints[1].Code != codeDisabling || complaints[1].Effect != Closed {
		t.Errorf("%+v", complaints)
	}
	complaints = Complaints(records, faultConfig("group-missing"))
	if len(complaints) != 2 || complaints[1].Effect != Weakened {
		t.Errorf("%+v", complaints)
	}
}

func TestUnknownErrorIsAComplaint(t *testing.T) {
	text := "26/11/22@11:12:17 xinetd[9]: ERROR: the sky is falling\n26/11/22@11:12:17 xinetd[9]: NOTICE: all is well\n"
	complaints := Complaints(ParseLog(text, Zone{}), nil)
	if len(complaints) != 1 || complaints[0].Code != Unclassified {
		t.Errorf("%+v", complaints)
	}
}

func TestStartupIsTheLastOne(t *testing.T) {
	text := sample(t, "bookworm", "fault-unmask.log") + sample(t, "bookworm", "reference.log")
	if startup := ReadStartup(ParseLog(text, Zone{}), nil); len(startup.Complaints) != 0 {
		t.Errorf("complaints of an earlier process: %v", startup.Complaints)
	}
}

func TestRuleCodesAreComplete(t *testing.T) {
	for _, rule := range explanations {
		if rule.code == "" || rule.code == codeRemoved {
			continue
		}
		if rule.effect == "" || rule.meaning == "" || rule.hint == "" {
			t.Errorf("%s (%s) lacks an explanation", rule.code, rule.pattern)
		}
		if rule.attribute != "" && slices.Contains(rule.pattern.SubexpNames(), "attribute") {
			t.Errorf("%s names its attribute twice", rule.code)
		}
	}
}

func TestAMessageThatOnlyTellsOfAnotherShowsThatOne(t *testing.T) {
	fatal := Complaints([]Record{
		{Severity: Error, Text: "Unknown syslog facility: deamon", File: "/etc/xinetd.conf", Line: 6},
		{Severity: Error, Text: "A fatal error was encountered while parsing the default section. xinetd will exit."},
	}, nil)
	if last := fatal[len(fatal)-1]; !strings.Contains(last.Hint, "Unknown syslog facility: deamon") || last.Line != 6 {
		t.Errorf("the end is told as %v, hint %q", last, last.Hint)
	}
	closed := Complaints([]Record{
		{Severity: Error, Text: "bind failed (Address already in use (errno = 98)). service = qmserver"},
		{Severity: Error, Text: "Service qmclient failed to start and is deactivated."},
	}, nil)
	if last := closed[len(closed)-1]; strings.Contains(last.Hint, "bind failed") {
		t.Errorf("qmclient's failure is told by qmserver's: %q", last.Hint)
	}
}
