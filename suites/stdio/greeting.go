package stdio

import (
	"fmt"
	"strings"

	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/qmclient"
	"qmconformance/harness/telnet"
	"qmconformance/harness/verdict"
	"qmconformance/harness/wire/symptom"
)

var _ = judge.Section(area, "the first words", func() {
	judge.On("STDIO-01", observe.Contact, speaksFirst)
	judge.On("STDIO-02", observe.Contact, conversationGetsThrough)
})

// opening is how a telnet session of qm's begins: the negotiation that it offers,
// in its order. Source: ScarletDME gplsrc/linuxio.c:164-169.
var opening = []telnet.Offer{
	"DO SUPPRESS-LOCAL-ECHO", "WILL ECHO", "DO SUPPRESS-GO-AHEAD", "WILL SUPPRESS-GO-AHEAD", "DONT LINEMODE", "DO TERMINAL-TYPE",
}

func speaksFirst(c judge.Case, f observe.Contacted) verdict.Finding {
	v := firstBytes(f)
	if line := f.Shipped.Config.Setting(string(c.Service), "banner", "banner_success"); v.Kind == verdict.Fail && line != "" {
		v.Hint = line + ": remove it; to the client it is the server that speaks so"
	}
	return v
}

func firstBytes(f observe.Contacted) verdict.Finding {
	if f.Telnet != nil {
		return negotiatesFirst(*f.Telnet)
	}
	const expected = "06, the acknowledgement, and nothing before it"
	g := *f.API
	return verdict.That(g.Ack, expected, g.String(), g.Symptom.Hint())
}

func negotiatesFirst(g telnet.Greeting) verdict.Finding {
	expected := fmt.Sprintf("the telnet negotiation (%d offers), and nothing before it", len(opening))
	switch {
	case len(g.Opening) == 0 && g.FirstByteAt == 0:
		return verdict.Violated(expected, g.Outcome.String(), g.Symptom.Hint())
	case len(g.Before) > 0:
		return verdict.Violated(expected, fmt.Sprintf("first came %q", clip(g.Before)), g.Symptom.Hint())
	case len(g.Offers) < len(opening):
		return verdict.Violated(expected, fmt.Sprintf("%d offers, then %q", len(g.Offers), clip([]byte(g.Text))), g.Symptom.Hint())
	}
	for i, want := range opening {
		if g.Offers[i] != want {
			return verdict.Violated(expected, fmt.Sprintf("offer %d is %s instead of %s", i+1, g.Offers[i], want), "")
		}
	}
	return verdict.Kept(expected, "the negotiation came first")
}

func clip(b []byte) []byte {
	const most = 80
	return b[:min(len(b), most)]
}

func conversationGetsThrough(_ judge.Case, f observe.Contacted) verdict.Finding {
	if f.Telnet != nil {
		return reachesLoginPrompt(*f.Telnet, *f.TelnetLeft)
	}
	const expected = `a refused request is answered "Not logged in", and the connection ends in order`
	left := *f.APILeft
	hint := left.Result.Symptom.Hint()
	if left.Result.Form == qmclient.FormUnsolicited {
		hint = "a packet came unasked: qm failed at its start, often since the tree cannot be written to"
	}
	// A terminal is told that all places are taken, a program is not.
	if f.API.Ack && left.Result.Form == qmclient.FormNothing && left.Result.Outcome.Ended() {
		hint = "an end without a word after the ACK is how qm meets a user too many: " + symptom.UserLimit.Hint()
	}
	return verdict.That(left.OK(), expected, left.String(), hint)
}

func reachesLoginPrompt(g telnet.Greeting, left telnet.Leaving) verdict.Finding {
	const expected = "the prompt for the user's name, and an orderly end after three empty answers"
	switch {
	case g.Reached == telnet.PromptConsole || g.Symptom == symptom.Console:
		return verdict.Violated(expected, "a session without a login", symptom.Console.Hint())
	case g.Reached != telnet.PromptUsername:
		said := strings.TrimSpace(g.Text)
		return verdict.Violated(expected, fmt.Sprintf("%v; it said %q", g.Outcome, clip([]byte(said))), g.Symptom.Hint())
	case !left.OK():
		return verdict.Violated(expected, "the prompt came; then "+left.Outcome.String(), "")
	}
	return verdict.Kept(expected, "prompt and end came")
}
