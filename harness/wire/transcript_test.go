package wire

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

func sample() Transcript {
	return Transcript{
		Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Local:   netip.MustParseAddrPort("127.0.0.1:40000"),
		Remote:  netip.MustParseAddrPort("[::1]:4243"),
		Events: []Event{
			{At: 150 * time.Microsecond, Kind: KindConnected},
			{At: 1530 * time.Microsecond, Kind: KindReceived, Data: []byte{6}, Size: 1},
			{At: 2 * time.Millisecond, Kind: KindSent, Data: []byte("pass"), Size: 4},
			{At: 2 * time.Millisecond, Kind: KindSent, Data: []byte("word\r"), Size: 5},
			{At: 3 * time.Millisecond, Kind: KindReceived, Data: []byte("echo password, Password"), Size: 23},
			{At: 2 * time.Second, Kind: KindTimeout, Note: "a reply to password, waited 2 s"},
			{At: 2 * time.Second, Kind: KindFIN},
		},
	}
}

func TestTranscriptSurvivesJSON(t *testing.T) {
	encoded, err := json.Marshal(sample())
	if err != nil {
		t.Fatal(err)
	}
	var decoded Transcript
	if err = json.Unmarshal(encoded, &decoded); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(decoded, sample()) {
		t.Errorf("got %+v", decoded)
	}
	var empty Transcript
	if encoded, err = json.Marshal(empty); err != nil {
		t.Fatal(err)
	}
	if err = json.Unmarshal(encoded, &empty); err != nil {
		t.Errorf("a transcript without addresses: %v", err)
	}
}

func TestTranscriptText(t *testing.T) {
	text := sample().Text()
	for _, want := range []string{
		"127.0.0.1:40000 -> [::1]:4243\n",
		"+0.15 ms    ==  connected\n",
		"+1.53 ms    <-  06 ",
		"+2 ms       ->  70 61 73 73                                      pass\n",
		"            <-  61 73 73 77 6f 72 64                             assword\n",
		"+2 s        ..  wait ran out: a reply to password, waited 2 s\n",
		"+2 s        <-  FIN\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	long := Transcript{Events: []Event{{Kind: KindReceived, Data: noise(10000), Size: 10000}}}
	if lines := strings.Count(long.Text(), "\n"); lines != 1+headRows+1+tailRows {
		t.Errorf("%d lines for a long block:\n%s", lines, long.Text())
	}
	if text = long.Text(); !strings.Contains(text, "... 9744 bytes ...") {
		t.Errorf("the gap is not counted:\n%s", text)
	}
}

func TestRedacted(t *testing.T) {
	original := sample()
	redacted := original.Redacted("password", "")
	text := redacted.Text()
	if strings.Contains(text, "password") || bytes.Contains(redacted.Bytes(KindSent), []byte("pass")) {
		t.Errorf("the secret is still there:\n%s", text)
	}
	if got := string(redacted.Bytes(KindSent)); got != "********\r" {
		t.Errorf("sent %q", got)
	}
	if got := string(redacted.Bytes(KindReceived)); got != "\x06echo ********, Password" {
		t.Errorf("received %q", got)
	}
	if !reflect.DeepEqual(original, sample()) {
		t.Error("the original was changed")
	}
	overlapping := Transcript{Events: []Event{{Kind: KindSent, Data: []byte("xabababx")}}}
	if got := string(overlapping.Redacted("abab").Bytes(KindSent)); got != "x******x" {
		t.Errorf("overlapping: %q", got)
	}
}

func TestTrickleIsBounded(t *testing.T) {
	inbox := NewInbox(netip.AddrPort{})
	const n = 3 * eventCap
	for i := range n {
		kind := KindReceived
		if i%2 == 0 {
			kind = KindSent
		}
		inbox.Deliver(Event{Kind: kind, Data: []byte{byte(i)}})
	}
	inbox.Deliver(Event{Kind: KindReset})
	transcript := inbox.Transcript()
	if got := len(transcript.Events); got != eventCap+3 {
		t.Errorf("%d events", got)
	}
	total := 0
	for _, event := range transcript.Events {
		total += event.Size
	}
	if total != n || !transcript.Truncated {
		t.Errorf("%d of %d bytes counted", total, n)
	}
	if last := transcript.Events[len(transcript.Events)-1]; last.Kind != KindReset {
		t.Errorf("the RST is not last: %v", last)
	}
	if len(inbox.Unread()) != n/2 {
		t.Errorf("the live stream lost bytes: %d", len(inbox.Unread()))
	}
}

// Urgent bytes cost a peer nothing, and each is an event.
func TestAFloodOfUrgentBytesIsBounded(t *testing.T) {
	inbox := NewInbox(netip.AddrPort{})
	for range 3 * eventCap {
		inbox.Deliver(Event{Kind: KindUrgent, Data: []byte{1}})
	}
	inbox.Deliver(Event{Kind: KindFIN})
	transcript := inbox.Transcript()
	if got := len(transcript.Events); got != eventCap+1 || !transcript.Truncated {
		t.Errorf("%d events", got)
	}
	if last := transcript.Events[len(transcript.Events)-1]; last.Kind != KindFIN {
		t.Errorf("the FIN is not last: %v", last)
	}
}

func TestOutcomeReadsAsAClause(t *testing.T) {
	ms := time.Millisecond
	for want, outcome := range map[string]Outcome{
		"connection refused after 0.1 ms":     {Result: Refused, At: ms / 10},
		"FIN after 0 bytes, 1.2 ms":           {Result: EndedByFIN, At: 1200 * time.Microsecond},
		"RST after 1 byte, 11.2 s":            {Result: EndedByReset, At: 11200 * ms, Total: 1},
		"nothing for 2 s":                     {Result: TimedOut, Limit: 2 * time.Second},
		"3 bytes, but not a reply within 1 s": {Result: TimedOut, Limit: time.Second, Unread: 3, What: "a reply"},
		"unreachable after 0.3 ms (no route)": {Result: Unreachable, At: 3 * ms / 10, Note: "no route"},
		"23 bytes, 2.1 ms":                    {Result: Enough, Unread: 23, At: 2100 * time.Microsecond},
	} {
		if got := outcome.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
