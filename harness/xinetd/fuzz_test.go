package xinetd

import (
	"slices"
	"strings"
	"testing"
)

// FuzzParse: every place that a report may name is in the file, every line of a block
// is accounted for, and what is edited comes into force.
func FuzzParse(f *testing.F) {
	f.Add(mainFile)
	f.Add(referenceClient)
	f.Add("service a {\n}\ndefaults\n{\numask=\n")
	f.Add("\ufeffx\n{\n=\n+=\n}")
	f.Add("include /etc/xinetd.conf\n\v\n service\n{")
	f.Add(strings.Repeat("include /etc/xinetd.d/qmclient\n", 3))
	f.Add("includedir /etc/xinetd.d\ninclude /etc/xinetd.conf\nincludedir /etc\n")
	f.Add("service qmclient\n{\n id = \r\n umask = 002 # text\r\n}\nservice qmclient\n{\n}\n")
	f.Fuzz(func(t *testing.T, text string) {
		files := withClient(text)
		config, remarks := Parse(files, "/etc/xinetd.conf")
		lines := map[string]int{"/etc/xinetd.conf": strings.Count(mainFile, "\n"), "/etc/xinetd.d/qmclient": 1 + strings.Count(text, "\n")}
		inFile := func(what, file string, line int) {
			if lines[file] == 0 || line < 1 || line > lines[file] {
				t.Fatalf("%s on line %d of %s, which has %d", what, line, file, lines[file])
			}
		}
		for _, r := range remarks {
			if r.Line != 0 {
				inFile(r.String(), r.File, r.Line)
			}
			if r.Place() == "" || r.Text == "" {
				t.Fatalf("%+v tells nothing", r)
			}
		}
		for _, b := range config.Blocks {
			inFile("a block", b.File, b.Line)
			inFile("its end", b.File, max(b.End, b.Line))
			for _, a := range b.Attributes {
				inFile(a.Name, a.File, a.Line)
			}
			config.Where(b.ID(), "umask")
			config.BlockAt(b.File, b.Line)
		}
		if most := mostFiles; len(config.Files) > most {
			t.Fatalf("%d files were read", len(config.Files))
		}
		edited(t, config, text)
	})
}

// edited sets an attribute and reads the outcome.
func edited(t *testing.T, config Config, text string) {
	t.Helper()
	texts := map[string]string{"/etc/xinetd.conf": mainFile, "/etc/xinetd.d/qmclient": text}
	const rule = "10.1.2.3"
	changed, err := Edit(config, texts, Set("qmclient", "no_access", rule))
	if err != nil {
		return // no block of it is in force
	}
	for name, after := range changed {
		texts[name] = after
	}
	again, _ := Parse(tree("/etc/xinetd.conf", texts["/etc/xinetd.conf"], "/etc/xinetd.d/qmclient", texts["/etc/xinetd.d/qmclient"]), "/etc/xinetd.conf")
	if len(again.Blocks) != len(config.Blocks) {
		t.Fatalf("an edit made %d blocks of %d:\n%s", len(again.Blocks), len(config.Blocks), texts)
	}
	for _, b := range again.Service("qmclient") {
		if a, ok := b.Attribute("no_access"); ok && slices.Contains(a.Values, rule) || b.Disabled {
			return
		}
	}
	t.Fatalf("no_access is not in force after it was set:\n%s", texts)
}

// FuzzLog: each record is a part of the log as it stands, and a log that is read in
// two parts tells what it tells as a whole.
func FuzzLog(f *testing.F) {
	for _, name := range []string{"refusals.service.log", "refusals.log", "syslog.payload", "fault-umask-bad.log", "fault-doubled.log"} {
		f.Add(sample(f, "bookworm", name), uint16(200))
	}
	f.Add("<999>Nov 22 11:13:00 xinetd[99999999999999999999]: x\n26/99/99@99:99:99: EXIT: a pid=", uint16(1))
	f.Add("26/11/22@08:06:00: FAIL: qm per_source_limit from=::ffff:10.0.0.1\n [file=x] [line=-3]\n", uint16(70))
	f.Fuzz(func(t *testing.T, text string, at uint16) {
		records := ParseLog(text, Zone{Year: 2026})
		if lines := 1 + strings.Count(text, "\n"); len(records) > lines {
			t.Fatalf("%d records in %d lines", len(records), lines)
		}
		rest := text
		for _, r := range records {
			if r.From.Is4In6() {
				t.Fatalf("mapped address %v", r.From)
			}
			first, _, _ := strings.Cut(r.Raw, "\n")
			found := strings.Index(rest, first)
			if found < 0 || !strings.Contains(r.Raw, r.Text) {
				t.Fatalf("%q is not in the log at its place, or %q not in it", first, r.Text)
			}
			rest = rest[found+len(first):]
		}
		ReadStartup(records, nil)

		var c Cursor
		c.Zone = Zone{Year: 2026}
		cut := min(int(at), len(text))
		parts := append(c.Feed([]byte(text[:cut])), c.Feed([]byte(text)[c.Offset:])...)
		whole := ParseLog(text[:c.Offset], c.Zone)
		if len(parts) < len(whole) || raw(parts) != raw(whole) {
			t.Fatalf("in parts, cut at %d:\n%q\nas a whole:\n%q", cut, raw(parts), raw(whole))
		}
		if c.Truncated(int64(len(text))) {
			t.Fatal("more was read of a log than there is")
		}
	})
}

func raw(records []Record) string {
	var all strings.Builder
	for _, r := range records {
		all.WriteString(r.Raw + "\n")
	}
	return all.String()
}

// FuzzComplaints: a complaint is about a message of the log, at the place that it names.
func FuzzComplaints(f *testing.F) {
	for _, name := range []string{"fault-umask-bad.log", "fault-bindabs.log", "fault-unmask.log", "fault-brace-open.log"} {
		f.Add(sample(f, "bookworm", name), referenceClient)
	}
	f.Add("26/11/22@11:12:17 xinetd[243]: ERROR: x [file=/etc/xinetd.d/qmclient] [line=99999999999999999999]\n", "service qmclient\n{")
	f.Fuzz(func(t *testing.T, log, client string) {
		config, _ := Parse(withClient(client), "/etc/xinetd.conf")
		startup := ReadStartup(ParseLog(log, Zone{}), &config)
		for _, c := range startup.Complaints {
			if c.Code == "" || c.Effect == "" || c.Count < 1 || c.Meaning == "" || c.String() == "" || !strings.Contains(log, c.Text) {
				t.Fatalf("%+v", c)
			}
		}
	})
}

// FuzzDump: what is in a dump is either understood or listed as not understood.
func FuzzDump(f *testing.F) {
	for _, name := range []string{"reference.dump", "everything.dump", "refusals.dump", "empty.dump"} {
		f.Add(sample(f, "bookworm", name))
	}
	f.Add(dumpStart + "x\nServer table dump:\npid = 1\nService = a\n\tport = 1\nEND OF DUMP\n")
	f.Fuzz(func(t *testing.T, text string) {
		dump, err := ParseDump(text)
		if (err == nil) != (CountDumps(text) > 0) && err == nil {
			t.Fatal("a dump where none was counted")
		}
		if err != nil {
			return
		}
		for _, s := range dump.Services {
			if !slices.ContainsFunc(dump.Service(s.Service), func(other Settings) bool { return other.Service == s.Service }) && s.Service != "" {
				t.Fatalf("service %q is not found", s.Service)
			}
			dump.LogFileOf(s)
			if s.Port.Set {
				dump.OnPort(s.Port.Value)
			}
		}
		if !strings.HasSuffix(text, "\n") {
			return // what is added would complete its last line
		}
		if again, err := ParseDump(text + "noise\n" + dumpStart); err != nil || again.Time != dump.Time || len(again.Services) != len(dump.Services) {
			t.Fatal("a dump that is begun hides the one before it")
		}
	})
}
