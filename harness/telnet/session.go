package telnet

import (
	"context"
	"strings"
	"time"

	"qmconformance/harness/wire"
	"qmconformance/harness/wire/symptom"
)

// LoginResult tells how far a login came.
type LoginResult struct {
	Reached Prompt          `json:"reached"` // PromptCommand if it succeeded
	Symptom symptom.Symptom `json:"symptom"`
	Text    string          `json:"text"` // from the first prompt on; the password is echoed as stars
	// AccountAsked: the Account prompt came, with the offered account if it named one.
	AccountAsked   bool          `json:"account_asked"`
	AccountOffered string        `json:"account_offered"`
	Outcome        wire.Outcome  `json:"outcome"` // of the last wait
	Took           time.Duration `json:"took_ns"`
}

// OK tells whether the session is at its command prompt.
func (r LoginResult) OK() bool { return r.Reached == PromptCommand }

// Login answers the prompts from Username on. One that repeats is a refusal and ends it: the session is then still open, at
// that prompt. An empty account takes the one that is offered.
func (c *Client) Login(ctx context.Context, user, password, account string) LoginResult {
	var r LoginResult
	begin, from := time.Now(), len(c.data)
	c.inverted = false
	answers := []struct {
		prompt Prompt
		line   string
		what   string
	}{
		{PromptUsername, user, "the password prompt"},
		{PromptPassword, password, "the end of the login"},
		{PromptAccount, account, "the command prompt"},
	}
	for _, answer := range answers {
		if c.Prompt() != answer.prompt {
			// qm leaves prompts out: no login with SECURITY OFF, no account where $LOGINS forces one.
			continue
		}
		if answer.prompt == PromptAccount {
			r.AccountAsked, r.AccountOffered = true, offeredAccount(c.tail())
		}
		c.Type(answer.line)
		r.Outcome = c.awaitPrompt(ctx, answer.what, StepLimit)
		if !r.Outcome.OK() {
			break
		}
	}
	r.Text = Readable(c.data[from:])
	r.Reached, r.Symptom = c.Prompt(), symptom.Of(r.Text)
	c.inverted = r.OK()
	r.Took = time.Since(begin)
	return r
}

// CommandResult is the answer to one command line.
type CommandResult struct {
	Line string `json:"line"`
	// Text is the output without the echo and without the prompt that followed.
	Text    string       `json:"text"`
	Raw     []byte       `json:"raw"` // all decoded data since Enter
	Outcome wire.Outcome `json:"outcome"`
}

// OK tells whether the command prompt came back.
func (r CommandResult) OK() bool { return r.Outcome.OK() }

// Command types a line at the command prompt and reads up to the next one. Output of more than a screen (24 lines) stops for
// a key: such a command runs into its limit.
func (c *Client) Command(ctx context.Context, line string) CommandResult {
	c.Type(line)
	outcome := c.Await(ctx, "the command prompt", CommandLimit, func(data []byte) bool {
		return promptOf(data) == PromptCommand
	})
	raw := c.tail()
	_, text, _ := strings.Cut(Readable(raw), "\n")
	if outcome.OK() {
		text = strings.TrimSuffix(text, ":")
	}
	return CommandResult{Line: line, Text: text, Raw: raw, Outcome: outcome}
}

// KeepCase makes qm take letters as they are typed. Only needed where the bytes on the wire
// matter; Type does the inversion otherwise.
func (c *Client) KeepCase(ctx context.Context) CommandResult {
	result := c.Command(ctx, "PTERM CASE NOINVERT")
	c.inverted = c.inverted && !result.OK()
	return result
}

// Leaving tells how a session ended.
type Leaving struct {
	Lines   int          `json:"lines"` // lines that were typed
	Text    string       `json:"text"`
	Outcome wire.Outcome `json:"outcome"` // EndedByFIN in good order
}

// OK tells whether qm ended the connection in good order. Its user slot is free then.
func (l Leaving) OK() bool { return l.Outcome.Result == wire.EndedByFIN }

// Logout leaves from the command prompt.
func (c *Client) Logout(ctx context.Context) Leaving {
	c.Type("OFF")
	outcome := c.Await(ctx, "the end of the session", EndLimit, func([]byte) bool { return false })
	return Leaving{Lines: 1, Text: Readable(c.tail()), Outcome: outcome}
}

// leaveSteps: a password prompt, three blank user names (GPL.BP/LOGIN), and one to spare.
const leaveSteps = 5

// LeaveBeforeLogin ends a dialogue that has not come to the command prompt, in the only way that neither leaves
// a process spinning nor a user slot taken: by blank user names, each after its prompt, up to the peer's FIN.
func (c *Client) LeaveBeforeLogin(ctx context.Context) Leaving {
	l := Leaving{Outcome: c.link.Await(ctx, "the end", 0, func(_ []byte, ended bool) bool { return !ended })}
	from := len(c.data)
	c.inverted = false
	for l.Lines < leaveSteps && l.Outcome.OK() {
		line := ""
		switch c.Prompt() {
		case PromptAccount:
			line = "Q" // an empty line would take the offered account
		case PromptConsole:
			line = "N"
		case PromptCommand:
			line, c.inverted = "OFF", true // let in unasked; qm inverts from there on
		}
		c.Type(line)
		l.Lines++
		limit, what := StepLimit, "the next prompt or the end"
		if line != "" {
			limit, what = EndLimit, "the end of the session"
		}
		l.Outcome = c.Await(ctx, what, limit, func(data []byte) bool {
			return promptOf(data) != PromptNone || symptom.Of(string(data)) == symptom.Messages
		})
	}
	l.Text = Readable(c.data[from:])
	return l
}
