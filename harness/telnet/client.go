package telnet

import (
	"context"
	"time"

	"qmconformance/harness/wire"
	"qmconformance/harness/wire/symptom"
)

// Client is one terminal user. It is not for concurrent use; it does not close its link.
type Client struct {
	link     wire.Link
	terminal string // name given in answer to DO TERMINAL-TYPE; empty: never answered
	parser   Parser

	seen   int    // unread bytes of the link that are parsed already
	data   []byte // all decoded data
	mark   int    // where the answer to what was typed last begins in data
	offers []Offer
	before []byte // data ahead of the first command
	raw    []byte // as received, until our first answer

	askedType bool // DO TERMINAL-TYPE, not answered yet
	askedName bool // SB TERMINAL-TYPE SEND, not answered yet
	answered  bool
	named     bool
	waiting   bool // nothing has come since our last answer: it may be lost
	kickAfter time.Duration
	kickAt    time.Time
	kicks     int
	inverted  bool
}

// New makes a client of a connected link. vt100 and xterm are terminals that qm knows; with an empty terminal the
// negotiation is left unanswered, and qm takes vt100 after 2 s.
func New(link wire.Link, terminal string) *Client {
	return &Client{link: link, terminal: terminal, kickAfter: TermTypeKick}
}

// Data returns all decoded data since the dial.
func (c *Client) Data() []byte { return c.data }

// Prompt is what the session waits for now, as far as has been read.
func (c *Client) Prompt() Prompt { return promptOf(c.tail()) }

func (c *Client) tail() []byte { return c.data[c.mark:] }

// Await reads until done says so of the decoded data since the last line typed. It answers the negotiation as it comes.
func (c *Client) Await(ctx context.Context, what string, limit time.Duration, done func(data []byte) bool) wire.Outcome {
	deadline := time.Now().Add(limit)
	for {
		until := deadline
		kick := c.waiting && c.kicks < maxKicks
		if kick && c.kickAt.Before(until) {
			until = c.kickAt
		}
		outcome := c.link.Await(ctx, what, max(0, time.Until(until)), func(received []byte, _ bool) bool {
			c.absorb(received[c.seen:])
			c.seen = len(received)
			return c.owes() || done(c.tail())
		})
		c.link.Consume(c.seen)
		c.seen = 0
		switch {
		case outcome.OK() && c.owes():
			c.answer(ctx)
		case outcome.Silent() && kick && time.Now().Before(deadline):
			c.kicks++
			c.kickAt = time.Now().Add(c.kickAfter)
			c.link.Send([]byte{IAC, NOP})
		default:
			outcome.Limit = limit
			return outcome
		}
	}
}

func (c *Client) owes() bool { return c.askedType || c.askedName }

func (c *Client) absorb(received []byte) {
	if !c.answered {
		c.raw = append(c.raw, received...)
	}
	for _, token := range c.parser.Feed(received) {
		switch token.Kind {
		case TokenData:
			if len(c.offers) == 0 {
				c.before = append(c.before, token.Data...)
			}
			c.data = append(c.data, token.Data...)
			c.waiting = false
		case TokenNegotiation:
			c.offers = append(c.offers, offerOf(token))
			if token.Command == DO && token.Option == OptionTermType && c.terminal != "" && !c.answered {
				c.askedType = true
			}
		case TokenSubnegotiation:
			if token.Option == OptionTermType && len(token.Data) > 0 && token.Data[0] == termTypeSend && c.terminal != "" {
				c.askedName = true
			}
		}
	}
}

// answer sends what is owed, each command in one Send: qm reads the bytes after IAC without waiting for them
// (gplsrc/linuxio.c:667). The other offers are left unanswered, as qm asks for no answer to them (gplsrc/telnet.c:79-121).
func (c *Client) answer(ctx context.Context) {
	if c.askedType {
		pause := c.link.Await(ctx, "the pause before the terminal type may be answered", TermTypePause, wire.TheEnd)
		if !pause.Silent() {
			c.askedType, c.askedName = false, false
			return
		}
		c.link.Send([]byte{IAC, WILL, OptionTermType})
		c.askedType, c.answered = false, true
	}
	if c.askedName {
		command := append([]byte{IAC, SB, OptionTermType, termTypeIs}, c.terminal...)
		c.link.Send(append(command, IAC, SE))
		c.askedName, c.named = false, true
	}
	c.waiting, c.kickAt = true, time.Now().Add(c.kickAfter)
}

// Type sends a line and Enter, which is CR (a line feed does not submit). After the login the case is
// turned round as long as qm does the same, so that the line arrives as it is written here.
func (c *Client) Type(line string) {
	if c.inverted {
		line = swapCase(line)
	}
	c.mark = len(c.data)
	keys := make([]byte, 0, len(line)+1)
	for i := range len(line) {
		keys = append(keys, line[i])
		if line[i] == IAC {
			keys = append(keys, IAC)
		}
	}
	c.link.Send(append(keys, '\r'))
}

// awaitPrompt waits for any prompt after the last line typed.
func (c *Client) awaitPrompt(ctx context.Context, what string, limit time.Duration) wire.Outcome {
	return c.Await(ctx, what, limit, func(data []byte) bool { return promptOf(data) != PromptNone })
}

// Greeting is what a session sent before it was sent anything but answers to its own questions.
type Greeting struct {
	// Opening is the raw stream up to our first answer, or all of it if there was none.
	Opening []byte `json:"opening"`
	// Before holds what came ahead of the first telnet command: nothing, from a qm that was started with -n.
	Before []byte `json:"before"`
	// Offers are the option negotiations in order.
	Offers []Offer `json:"offers"`
	// Text is what a reader of the terminal saw.
	Text    string          `json:"text"`
	Reached Prompt          `json:"reached"`
	Symptom symptom.Symptom `json:"symptom"`
	// Outcome is of the wait for the prompt, or for the first byte if none came.
	Outcome wire.Outcome `json:"outcome"`
	// FirstByteAt and PromptAt are times since the dial; zero if it never came.
	FirstByteAt time.Duration `json:"first_byte_at_ns"`
	PromptAt    time.Duration `json:"prompt_at_ns"`
	// Answered: the terminal type was asked for and given. Kicked: an answer was lost, and a NOP had to follow.
	Answered bool `json:"answered"`
	Kicked   bool `json:"kicked"`
}

// OK tells whether a negotiation came first and the login prompt last.
func (g Greeting) OK() bool {
	return g.Reached == PromptUsername && len(g.Before) == 0 && len(g.Offers) > 0
}

// Greet reads from the first byte to the first prompt.
func (c *Client) Greet(ctx context.Context) Greeting {
	var g Greeting
	g.Outcome = c.link.Await(ctx, "the first byte", FirstByteLimit, wire.AtLeast(1))
	if g.Outcome.OK() {
		g.FirstByteAt = firstByteAt(c.link)
		g.Outcome = c.Await(ctx, "the login prompt", PromptLimit, func(data []byte) bool {
			// Without its message file qm prompts by an error text, which is as far as it gets.
			return promptOf(data) != PromptNone || symptom.Of(string(data)) == symptom.Messages
		})
	}
	g.Text = Readable(c.data)
	g.Reached, g.Symptom = c.Prompt(), symptom.Of(g.Text)
	if g.Reached != PromptNone {
		g.PromptAt = g.Outcome.At
	}
	g.Opening, g.Before, g.Offers = c.raw, c.before, c.offers
	g.Answered, g.Kicked = c.named, c.kicks > 0
	return g
}

func firstByteAt(link wire.Link) time.Duration {
	event, _ := link.Transcript().First(wire.KindReceived)
	return event.At
}
