package qmclient

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"qmconformance/harness/wire"
	"qmconformance/harness/wire/symptom"
)

const (
	quit        = `06000000 0100`
	notLoggedIn = `17000000 0100 00000000 "Not logged in"`
	fine        = `0a000000 0000 00000000`
)

func TestSafeProbe(t *testing.T) {
	for name, drip := range map[string]bool{"whole": false, "a byte in a segment": true} {
		t.Run(name, func(t *testing.T) {
			c := play(t, ack, step{expect: quit, send: notLoggedIn, drip: drip})
			g := c.Greet(t.Context())
			if !g.OK() || g.AckAt == 0 || g.Form != FormNothing {
				t.Errorf("%+v", g)
			}
			l := c.RefusedRequest(t.Context())
			if !l.OK() {
				t.Errorf("%s: %+v", l, l)
			}
			if !strings.Contains(l.String(), `reply on-error, status 0, "Not logged in", then FIN after 24 bytes`) {
				t.Errorf("reads %q", l)
			}
			if _, err := json.Marshal([]any{g, l}); err != nil {
				t.Error(err)
			}
			transcript := c.link.Transcript()
			sent, _ := transcript.First(wire.KindSent)
			const least = 5 * time.Millisecond // what qm needs, whatever our own limit says
			if sent.At-g.AckAt < least {
				t.Errorf("asked %v after the ACK", sent.At-g.AckAt)
			}
		})
	}
}

func TestGreetings(t *testing.T) {
	cases := []struct {
		name    string
		steps   []step
		ok, ack bool
		form    Form
		symptom symptom.Symptom
		result  wire.Result
	}{
		{"not started", []step{{send: `06 "ScarletDME has not been started"0a`}}, false, true, FormText, symptom.NotStarted, wire.EndedByFIN},
		{"suspended, in two segments", []step{{send: `06 "ScarletDME is"`}, {pause: 3 * time.Millisecond, send: `" suspended"0a`}}, false, true, FormText, symptom.Suspended, wire.EndedByFIN},
		{"loader error in place of the ACK", []step{{send: `"qm: error while loading shared libraries: libcrypt.so.1"0a`}}, false, false, FormText, symptom.Loader, wire.EndedByFIN},
		{"telnet in place of the ACK", []step{{send: `fffd2d fffb01`, hold: true}}, false, false, FormBadLength, symptom.None, wire.TimedOut},
		{"unsolicited reply", []step{{send: `06 0d000000 0100 00000000 "abc"`, hold: true}}, false, true, FormReply, symptom.None, wire.Enough},
		{"EOF at once", nil, false, false, FormNothing, symptom.None, wire.EndedByFIN},
		{"RST after the ACK", []step{{send: "06", reset: true}}, false, true, FormNothing, symptom.None, wire.EndedByReset},
		{"nothing but the ACK", []step{{send: "06", hold: true}}, true, true, FormNothing, symptom.None, wire.Enough},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			c := play(t, test.steps...)
			g := c.Greet(t.Context())
			if g.OK() != test.ok || g.Ack != test.ack || g.Form != test.form || g.Symptom != test.symptom || g.Outcome.Result != test.result {
				t.Errorf("%s: %+v", g, g)
			}
		})
	}
}

func TestAnswersThatAreNoReply(t *testing.T) {
	cases := []struct {
		name   string
		answer step
		form   Form
		result wire.Result
	}{
		{"text", step{send: `"ScarletDME is suspended"0a`}, FormText, wire.EndedByFIN},
		{"a word", step{send: `"No"`}, FormText, wire.EndedByFIN},
		{"length zero", step{send: `00000000 0000`}, FormBadLength, wire.EndedByFIN},
		{"absurd length", step{send: `ffffff7f 0000 00000000`}, FormBadLength, wire.EndedByFIN},
		{"FIN in a reply", step{send: `17000000 0100 00000000 "Not"`}, FormPartial, wire.EndedByFIN},
		{"RST in a reply", step{send: `1700`, reset: true}, FormPartial, wire.EndedByReset},
		{"FIN", step{}, FormNothing, wire.EndedByFIN},
		{"RST", step{reset: true}, FormNothing, wire.EndedByReset},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			test.answer.expect = quit
			c := play(t, ack, test.answer)
			c.Greet(t.Context())
			l := c.RefusedRequest(t.Context())
			if l.OK() || l.Exact || l.Result.Form != test.form || l.Result.Outcome.Result != test.result {
				t.Errorf("%s: %+v", l, l)
			}
		})
	}
}

func TestSilence(t *testing.T) {
	c := play(t, ack, step{expect: quit, send: "1700", hold: true})
	c.Greet(t.Context())
	r := c.Exchange(t.Context(), ActionQuit, EncodeQuit(), 50*time.Millisecond)
	if r.Form != FormPartial || r.Outcome.Result != wire.TimedOut || !strings.Contains(r.String(), "2 bytes, but not the reply to quit within 50 ms") {
		t.Errorf("%s: %+v", r, r)
	}
}

func TestNearlyRightAnswersAreNotExact(t *testing.T) {
	for name, answer := range map[string]string{
		"other text":   `17000000 0100 00000000 "not logged in"`,
		"other error":  `17000000 0300 00000000 "Not logged in"`,
		"other status": `17000000 0100 01000000 "Not logged in"`,
		"surplus":      notLoggedIn + `00`,
	} {
		t.Run(name, func(t *testing.T) {
			c := play(t, ack, step{expect: quit, send: answer})
			c.Greet(t.Context())
			if l := c.RefusedRequest(t.Context()); l.OK() {
				t.Errorf("taken for right: %s", l)
			}
		})
	}
}

func TestUnsolicitedPacketIsNotTakenForTheReply(t *testing.T) {
	unasked := `0d000000 0100 00000000 "abc"`
	c := play(t, step{send: "06 " + unasked}, step{expect: quit, send: notLoggedIn})
	c.Greet(t.Context())
	l := c.RefusedRequest(t.Context())
	if l.OK() || l.Result.Form != FormUnsolicited || string(l.Result.Reply.Data) != "abc" || l.End.Result != wire.EndedByFIN {
		t.Errorf("%s: %+v", l, l)
	}
	if !bytes.Equal(l.Surplus, NotLoggedIn().Encode()) {
		t.Errorf("surplus % x", l.Surplus)
	}
}

func TestWholeSession(t *testing.T) {
	c := play(t,
		ack,
		step{expect: `18000000 1800 0500 "alice"00 0700 "alicepw"00`, send: fine},
		step{expect: `0b000000 0300 "QMSYS"`, send: `0a000000 0000 be0b0000`},
		step{expect: `09000000 1500 "WHO"`, send: `12000000 0000 00000000 "10 QMSYS"`},
		step{expect: `0c000000 0400 "SDTEST"`, send: `0c000000 0000 00000000 0100`},
		step{expect: `17000000 1000 0100 0200 "R1" "hello" fe "world"`, send: fine},
		step{expect: `0a000000 0600 0100 "R1"`, send: `15000000 0000 00000000 "hello" fe "world"`},
		step{expect: `0a000000 1200 0100 "R1"`, send: fine},
		step{expect: `0a000000 0600 0100 "R1"`, send: `0a000000 0200 be0b0000`},
		step{expect: `08000000 0500 0100`, send: fine},
		step{expect: `0b000000 1500 "RUN X"`, send: `10000000 0500 00000000 "NAME? "`},
		step{expect: `09000000 1600 "bob"`, send: `12000000 0500 00000000 "GOT bob"0a`},
		step{expect: `06000000 1700`, send: `0a000000 0000 01000000`},
		step{expect: quit, send: fine})
	ctx := t.Context()
	c.Greet(ctx)
	for _, r := range []Result{c.Login(ctx, "alice", "alicepw"), c.Account(ctx, "QMSYS")} {
		if !r.OK() {
			t.Fatalf("%s: %s", r.Action, r)
		}
	}
	if who := c.Execute(ctx, "WHO"); who.Reply.Text() != "10 QMSYS" {
		t.Errorf("%s", who)
	}
	file, opened := c.OpenFile(ctx, "SDTEST")
	if file != 1 {
		t.Errorf("file %d, %s", file, opened)
	}
	if r := c.Write(ctx, file, "R1", []byte("hello\xfeworld")); !r.OK() {
		t.Errorf("%s", r)
	}
	if r := c.Read(ctx, file, "R1"); r.Reply.Text() != "hello\nworld" {
		t.Errorf("%s", r)
	}
	if r := c.Delete(ctx, file, "R1"); !r.OK() {
		t.Errorf("%s", r)
	}
	if r := c.Read(ctx, file, "R1"); r.OK() || r.Reply.ServerError != ErrorElse || r.Reply.Status != 3006 {
		t.Errorf("%s", r)
	}
	c.CloseFile(ctx, file)
	if r := c.Execute(ctx, "RUN X"); r.OK() || r.Reply.ServerError != ErrorPrompt {
		t.Errorf("%s", r)
	}
	c.Respond(ctx, "bob")
	if r := c.EndCommand(ctx); !r.OK() {
		t.Errorf("%s", r)
	}
	if l := c.Quit(ctx); !l.OK() {
		t.Errorf("%s", l)
	}
}

func TestRefusedLogin(t *testing.T) {
	c := play(t, ack, step{
		expect: `14000000 1800 0500 "alice"00 0300 "bad"00`, pause: 30 * time.Millisecond,
		send: `26000000 0100 00000000 "Invalid username or password"`,
	})
	c.Greet(t.Context())
	r := c.Login(t.Context(), "alice", "bad")
	if r.OK() || r.Reply.ServerError != ErrorOnError || r.Symptom != symptom.BadLogin || r.Took < 30*time.Millisecond {
		t.Errorf("%+v", r)
	}
	if surplus, end := c.AwaitEnd(t.Context()); len(surplus) != 0 || end.Result != wire.EndedByFIN {
		t.Errorf("%x, %s", surplus, end)
	}
}

func TestLongRecord(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 3<<16)
	reply := Reply{Data: data}.Encode()
	hexed := hex.EncodeToString
	c := play(t, ack, step{expect: hexed(EncodeWrite(1, "L", data)), send: hexed(reply)})
	c.Greet(t.Context())
	if r := c.Write(t.Context(), 1, "L", data); !r.OK() || !bytes.Equal(r.Reply.Data, data) {
		t.Errorf("%s", r)
	}
}
