package telnet

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"qmconformance/harness/wire"
	"qmconformance/harness/wire/symptom"
)

func TestGreet(t *testing.T) {
	c := play(t, "vt100", greeting(step{send: "Username: ", expect: "\r"})...)
	g := c.Greet(t.Context())
	if !g.OK() || !g.Answered || g.Kicked || g.Symptom != symptom.None || g.FirstByteAt == 0 || g.PromptAt < g.FirstByteAt {
		t.Errorf("%+v", g)
	}
	if string(g.Opening) != negotiation {
		t.Errorf("opening %x", g.Opening)
	}
	want := []Offer{"DO SUPPRESS-LOCAL-ECHO", "WILL ECHO", "DO SUPPRESS-GO-AHEAD", "WILL SUPPRESS-GO-AHEAD", "DONT LINEMODE", "DO TERMINAL-TYPE"}
	if !reflect.DeepEqual(g.Offers, want) {
		t.Errorf("offers %v", g.Offers)
	}
	if want := "[ ScarletDME Rev 2.6-6   Copyright Ladybridge Systems, 2007 ]\n\nTelnet connection from 127.0.0.1\nUsername: "; g.Text != want {
		t.Errorf("text %q", g.Text)
	}
	if _, err := json.Marshal(g); err != nil {
		t.Error(err)
	}
	// The answer must not come sooner than the pause after the question.
	transcript := c.link.Transcript()
	sent, _ := transcript.First(wire.KindSent)
	const least = 5 * time.Millisecond // what qm needs, whatever our own limit says
	if sent.At-g.FirstByteAt < least {
		t.Errorf("answered after %v", sent.At-g.FirstByteAt)
	}
	// Each command in one send.
	var sends []string
	for _, event := range transcript.Events {
		if event.Kind == wire.KindSent {
			sends = append(sends, string(event.Data))
		}
	}
	if !reflect.DeepEqual(sends, []string{"\xff\xfb\x18", isVT100}) {
		t.Errorf("sends %q", sends)
	}
	c.Type("")
}

func TestGreetVariants(t *testing.T) {
	stopped := "ScarletDME has not been started\n"
	cases := []struct {
		name    string
		steps   []step
		reached Prompt
		symptom symptom.Symptom
		result  wire.Result
		before  string
	}{
		{"a byte in a segment", []step{
			{send: negotiation, drip: true, expect: "\xff\xfb\x18"},
			{send: sendType, drip: true, expect: isVT100},
			{send: banner + "Username: ", drip: true},
		}, PromptUsername, symptom.None, wire.Enough, ""},
		{"never asks for the terminal", []step{{send: negotiation[:15] + "Username: "}}, PromptUsername, symptom.None, wire.Enough, ""},
		{"text before the negotiation", []step{{send: "motd\r\n" + negotiation + "Username: ", expect: "\xff\xfb\x18"}}, PromptUsername, symptom.None, wire.Enough, "motd\r\n"},
		{"not started", []step{{send: negotiation + stopped}}, PromptNone, symptom.NotStarted, wire.EndedByFIN, ""},
		{"suspended", []step{{send: negotiation + "ScarletDME is suspended\n"}}, PromptNone, symptom.Suspended, wire.EndedByFIN, ""},
		{"user limit", []step{{send: negotiation + "\aUser limit reached\r\x00\n", expect: "\xff\xfb\x18", pause: 20 * time.Millisecond}}, PromptNone, symptom.UserLimit, wire.EndedByFIN, ""},
		{"loader", []step{{send: "qm: error while loading shared libraries: libcrypt.so.1: cannot open\n"}}, PromptNone, symptom.Loader, wire.EndedByFIN, "qm: error while loading shared libraries: libcrypt.so.1: cannot open\n"},
		{"console session", []step{{send: "\a\r\nCurrent directory / is not a valid account. Create account? ", expect: "N\r"}}, PromptConsole, symptom.Console, wire.Enough, "\a\r\nCurrent directory / is not a valid account. Create account? "},
		{"no login", greeting(step{send: "Account: ", expect: "Q\r"}), PromptAccount, symptom.None, wire.Enough, ""},
		{"no message file", greeting(step{send: "[5015] Message file not found(8301 0).", expect: "\r"}), PromptNone, symptom.Messages, wire.Enough, ""},
		{"EOF at once", nil, PromptNone, symptom.None, wire.EndedByFIN, ""},
		{"RST", []step{{send: negotiation, expect: "\xff\xfb\x18", reset: true}}, PromptNone, symptom.None, wire.EndedByReset, ""},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			c := play(t, "vt100", test.steps...)
			g := c.Greet(t.Context())
			if g.Reached != test.reached || g.Symptom != test.symptom || g.Outcome.Result != test.result || string(g.Before) != test.before {
				t.Errorf("reached %q, symptom %q, before %q, outcome %s", g.Reached, g.Symptom, g.Before, g.Outcome)
			}
			c.LeaveBeforeLogin(t.Context())
		})
	}
}

// A lost answer is noticed when the name is not asked for, and a NOP follows.
func TestLostTerminalTypeIsKicked(t *testing.T) {
	c := play(t, "vt100",
		step{send: negotiation, expect: "\xff\xfb\x18\xff\xf1"},
		step{send: sendType, expect: isVT100 + "\xff\xf1\xff\xf1"},
		step{send: banner + "Username: ", expect: "\r"})
	c.kickAfter = TermTypeKick
	g := c.Greet(t.Context())
	if !g.OK() || !g.Kicked || !g.Answered {
		t.Errorf("%+v", g)
	}
	c.Type("")
}

func TestSilentTerminal(t *testing.T) {
	c := play(t, "", step{send: negotiation + banner + "Username: ", expect: "\r"})
	if g := c.Greet(t.Context()); !g.OK() || g.Answered || string(g.Opening) != negotiation+banner+"Username: " {
		t.Errorf("%+v", g)
	}
	c.Type("")
}

func TestSafeProbe(t *testing.T) {
	again := step{send: "\r\x00\nUsername: ", expect: "\r"}
	c := play(t, "vt100", greeting(step{send: "Username: ", expect: "\r"}, again, again, step{send: "\r\x00\n"})...)
	c.Greet(t.Context())
	l := c.LeaveBeforeLogin(t.Context())
	if !l.OK() || l.Lines != 3 || l.Outcome.Result != wire.EndedByFIN {
		t.Errorf("%+v", l)
	}
}

func TestSafeProbeOfAPeerThatNeverEnds(t *testing.T) {
	steps := []step{{send: negotiation[:15] + "Username: ", expect: "\r"}}
	for range leaveSteps - 1 {
		steps = append(steps, step{send: "\r\x00\nUsername: ", expect: "\r"})
	}
	c := play(t, "vt100", append(steps, step{send: "\r\x00\nUsername: "})...)
	c.Greet(t.Context())
	if l := c.LeaveBeforeLogin(t.Context()); l.Lines != leaveSteps {
		t.Errorf("%+v", l)
	}
}

func TestWholeSession(t *testing.T) {
	c := play(t, "vt100", greeting(
		step{send: "Username: ", expect: "alice\r"},
		step{send: "alice\r\x00\nPassword: ", expect: "Secret1\r"},
		step{send: "*******\r\x00\n\r\x00\nAccount (DEMO): ", expect: "QMSYS\r"},
		step{send: "qmsys\r\x00\n\r\x00\x1b[K\r\x00:", expect: "who\r"},
		step{send: "WHO\r\x00\x1b[K:WHO\r\x00\n2 QMSYS\r\x00\n\r\x00\x1b[K\r\x00:", expect: "pterm case noinvert\r"},
		step{send: "PTERM\r\x00\x1b[7CCASE\r\x00\x1b[12CNOINVERT\r\x00\x1b[K:PTERM CASE NOINVERT\r\x00\n\r\x00\x1b[K\r\x00:", expect: "SH id -u\r"},
		step{send: "SH\r\x00\x1b[K:SH id -u\r\x00\n1000\r\x00\n\r\x00\x1b[K\r\x00:", expect: "OFF\r"},
		step{send: "OFF\r\x00\x1b[K:OFF\r\x00\n"},
	)...)
	c.Greet(t.Context())
	r := c.Login(t.Context(), "alice", "Secret1", "QMSYS")
	if !r.OK() || !r.AccountAsked || r.AccountOffered != "DEMO" || r.Symptom != symptom.None {
		t.Fatalf("%+v", r)
	}
	if who := c.Command(t.Context(), "WHO"); !who.OK() || who.Text != "2 QMSYS\n" {
		t.Errorf("%+v", who)
	}
	if keep := c.KeepCase(t.Context()); !keep.OK() || keep.Text != "" {
		t.Errorf("%+v", keep)
	}
	if id := c.Command(t.Context(), "SH id -u"); id.Text != "1000\n" {
		t.Errorf("%+v", id)
	}
	if l := c.Logout(t.Context()); !l.OK() || !strings.Contains(l.Text, ":OFF") {
		t.Errorf("%+v", l)
	}
}

func TestRefusedLogins(t *testing.T) {
	refused := "*\r\x00\n\r\x00\nInvalid username or password\r\x00\n"
	t.Run("password", func(t *testing.T) {
		c := play(t, "vt100", greeting(
			step{send: "Username: ", expect: "alice\r"},
			step{send: "alice\r\x00\nPassword: ", expect: "x\r"},
			step{send: refused, pause: 50 * time.Millisecond},
			step{send: "Username: ", expect: "\r"},
			step{send: "\r\x00\n"})...)
		c.Greet(t.Context())
		r := c.Login(t.Context(), "alice", "x", "QMSYS")
		if r.OK() || r.Reached != PromptUsername || r.Symptom != symptom.BadLogin || r.AccountAsked {
			t.Errorf("%+v", r)
		}
		if l := c.LeaveBeforeLogin(t.Context()); !l.OK() || l.Lines != 1 {
			t.Errorf("%+v", l)
		}
	})
	t.Run("account", func(t *testing.T) {
		c := play(t, "vt100", greeting(
			step{send: "Username: ", expect: "alice\r"},
			step{send: "alice\r\x00\nPassword: ", expect: "pw\r"},
			step{send: "**\r\x00\n\r\x00\nAccount: ", expect: "NOPE\r"},
			step{send: "nope\r\x00\nAccount NOPE not in register\r\x00\nAccount: ", expect: "Q\r"},
			step{send: "q\r\x00\nConnection terminated\r\x00\n"})...)
		c.Greet(t.Context())
		r := c.Login(t.Context(), "alice", "pw", "NOPE")
		if r.OK() || r.Reached != PromptAccount || r.Symptom != symptom.BadAccount {
			t.Errorf("%+v", r)
		}
		if l := c.LeaveBeforeLogin(t.Context()); !l.OK() || l.Lines != 1 {
			t.Errorf("%+v", l)
		}
	})
	t.Run("terminated", func(t *testing.T) {
		c := play(t, "vt100", greeting(
			step{send: "Username: ", expect: "alice\r"},
			step{send: "Error 3018 writing to $LOGINS.\r\x00\nConnection terminated\r\x00\n"})...)
		c.Greet(t.Context())
		r := c.Login(t.Context(), "alice", "pw", "QMSYS")
		if r.OK() || r.Symptom != symptom.FileAccess || r.Outcome.Result != wire.EndedByFIN {
			t.Errorf("%+v", r)
		}
	})
}
