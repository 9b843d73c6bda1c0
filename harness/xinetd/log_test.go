package xinetd

import (
	"net/netip"
	"reflect"
	"testing"
	"time"
)

func TestLogLines(t *testing.T) {
	at := time.Date(2026, 11, 22, 8, 6, 0, 0, time.UTC)
	from := netip.MustParseAddr("127.0.0.1")
	for line, want := range map[string]Record{
		"26/11/22@08:06:00: FAIL: qmclient time from=::ffff:127.0.0.1": {Format: FormatFile, When: at, Kind: Fail, ID: "qmclient", Reason: "time", From: from, FromText: "::ffff:127.0.0.1"},
		"26/11/22@08:06:00: FAIL: qmclient connections per second from=127.0.0.1": {
			Format: FormatFile, When: at, Kind: Fail, ID: "qmclient", Reason: ReasonConnection, From: from, FromText: "127.0.0.1",
		},
		"26/11/22@08:06:00: FAIL: qmclient time":                          {Format: FormatFile, When: at, Kind: Fail, ID: "qmclient", Reason: "time"},
		"26/11/22@08:06:00: START: qmclient pid=40 from=2001:db8::1":      {Format: FormatFile, When: at, Kind: Start, ID: "qmclient", PID: number(40), From: netip.MustParseAddr("2001:db8::1"), FromText: "2001:db8::1"},
		"26/11/22@08:06:00: START: qmclient":                              {Format: FormatFile, When: at, Kind: Start, ID: "qmclient"},
		"26/11/22@08:06:00: START: qmclient from=<no address>":            {Format: FormatFile, When: at, Kind: Start, ID: "qmclient", FromText: "<no address>"},
		"26/11/22@08:06:00: EXIT: qm status=0 pid=40 duration=3(sec)":     {Format: FormatFile, When: at, Kind: Exit, ID: "qm", Status: number(0), PID: number(40), Duration: 3 * time.Second},
		"26/11/22@08:06:00: EXIT: qm signal=11 pid=40":                    {Format: FormatFile, When: at, Kind: Exit, ID: "qm", Signal: number(11), PID: number(40)},
		"26/11/22@08:06:00: USERID: qm UNIX , US-ASCII : pid=1 from=here": {Format: FormatFile, When: at, Kind: UserID, ID: "qm", User: "UNIX , US-ASCII : pid=1 from=here"},
		"26/11/22@08:06:00: NOID: qm ::ffff:127.0.0.1 system error":       {Format: FormatFile, When: at, Kind: NoID, ID: "qm", Reason: "system error", From: from, FromText: "::ffff:127.0.0.1"},
		"26/1/2@08:06:04 xinetd[51]: WARNING: bad service attribute: unmask [file=/etc/xinetd.d/qm] [line=14]": {
			Format: FormatFilelog, When: time.Date(2026, 1, 2, 8, 6, 4, 0, time.UTC), Writer: 51, Severity: Warning,
			Text: "bad service attribute: unmask", File: "/etc/xinetd.d/qm", Line: 14,
		},
		"26/11/22@08:06:00 xinetd[51]: CRITICAL: 51 {init_services} couldn't get configuration. Exiting...": {
			Format: FormatFilelog, When: at, Writer: 51, Severity: Critical, Function: "init_services", Text: "couldn't get configuration. Exiting...",
		},
		"<30>Nov 22 08:06:00 xinetd[73]: EXIT: qm status=3": {Format: FormatSyslog, When: at, Writer: 73, Severity: Info, Kind: Exit, ID: "qm", Status: number(3)},
		"Nov  2 08:06:00 host xinetd[73]: Exiting...":       {Format: FormatSyslog, When: time.Date(2026, 11, 2, 8, 6, 0, 0, time.UTC), Writer: 73, Text: "Exiting..."},
		"2026-11-22T08:06:00.000000+00:00 host xinetd[38]: START: qm pid=40": {
			Format: FormatSyslog, When: at, Writer: 38, Kind: Start, ID: "qm", PID: number(40),
		},
		"START: qm": {Format: FormatUnknown, Text: "START: qm"},
	} {
		records := ParseLog(line+"\n", Zone{Year: 2026})
		if len(records) != 1 {
			t.Errorf("%s: %d records", line, len(records))
			continue
		}
		got := records[0]
		if !got.When.Equal(want.When) {
			t.Errorf("%s: at %v", line, got.When)
		}
		got.When, want.When, want.Raw = time.Time{}, time.Time{}, line
		if want.Kind != "" {
			want.Text = got.Text
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", line, got, want)
		}
	}
}

func TestLogLeavesOutOtherPrograms(t *testing.T) {
	if records := ParseLog("<86>Nov 22 11:13:00 groupadd[9]: START: qm\nNov 22 11:13:00 host qm: EXIT: x\n", Zone{}); len(records) != 0 {
		t.Errorf("%+v", records)
	}
}

// TestLogSamples: nothing that xinetd has written is left unknown.
func TestLogSamples(t *testing.T) {
	for _, release := range releases {
		for _, name := range []string{"reference.log", "reference.service.log", "refusals.log", "refusals.service.log", "everything.log", "syslog.payload"} {
			records := ParseLog(sample(t, release, name), Zone{})
			for _, r := range records {
				if r.Format == FormatUnknown || r.Format == FormatContinuation {
					t.Errorf("%s/%s: %q", release, name, r.Raw)
				}
			}
		}
		refusals := ParseLog(sample(t, release, "refusals.service.log"), Zone{})
		for id, reason := range map[string]string{
			"qmserver": ReasonTime, "qmclient": ReasonInstances, "fourth": ReasonAddress, "fifth": ReasonConnection, "sixth": ReasonPerSource, "seventh": ReasonLoad,
		} {
			if got := Entries(refusals, Fail, id); len(got) != 1 || got[0].Reason != reason || got[0].From != netip.MustParseAddr("127.0.0.1") || got[0].ByChild() != (id == "fourth") {
				t.Errorf("%s: %s: %+v", release, id, got)
			}
		}
		if got := Entries(refusals, Exit, "third"); len(got) != 2 || got[0].Signal != number(11) || got[1].Status != number(0) {
			t.Errorf("%s: %+v", release, got)
		}
	}
}

func TestCursor(t *testing.T) {
	text := sample(t, "bookworm", "refusals.service.log")
	whole := ParseLog(text, Zone{})
	for step := 1; step < 200; step += 7 {
		var cursor Cursor
		var got []Record
		for size := 0; size < len(text); {
			size = min(size+step, len(text))
			got = append(got, cursor.Feed([]byte(text[cursor.Offset:size]))...)
		}
		if !reflect.DeepEqual(got, whole) || cursor.Offset != int64(len(text)) {
			t.Fatalf("in steps of %d: %d records instead of %d", step, len(got), len(whole))
		}
	}
	cursor := Cursor{Offset: 100}
	if cursor.Truncated(100) || !cursor.Truncated(99) || cursor.Offset != 0 {
		t.Errorf("offset %d", cursor.Offset)
	}
}

func TestMessageInTwoLines(t *testing.T) {
	const first = "26/11/22@11:12:17 xinetd[243]: ERROR: umask argument is invalid.\n"
	const second = " [file=/etc/xinetd.d/qmclient] [line=10]\n"
	if got := ParseLog(first+second, Zone{}); len(got) != 1 || got[0].Line != 10 || got[0].Text != "umask argument is invalid." {
		t.Errorf("%+v", got)
	}
	if got := ParseLog(second, Zone{}); len(got) != 1 || got[0].Format != FormatContinuation || got[0].Line != 10 {
		t.Errorf("%+v", got)
	}
}
