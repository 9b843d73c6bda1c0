package qmclient

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"qmconformance/harness/wire"
	"qmconformance/harness/wire/symptom"
)

// Client is one API session. It is not for concurrent use; it does not close its link.
type Client struct {
	link wire.Link
}

// New makes a client of a connected link.
func New(link wire.Link) *Client { return &Client{link: link} }

// Greeting is what came before the first request.
type Greeting struct {
	// Ack: the first byte was 06, and nothing before it.
	Ack   bool          `json:"ack"`
	AckAt time.Duration `json:"ack_at_ns"` // since the dial
	// Early holds the bytes that came after the ACK, or in its place. There are none from a qm that serves.
	Early []byte `json:"early"`
	// Form tells what Early is: FormNothing, or what is wrong.
	Form    Form            `json:"form"`
	Text    string          `json:"text"` // Early, if it is text
	Symptom symptom.Symptom `json:"symptom"`
	// Outcome is of the wait for the ACK, or of the pause after it if the connection ended in it.
	Outcome wire.Outcome `json:"outcome"`
}

// OK tells whether the ACK came, alone, and the connection stays open.
func (g Greeting) OK() bool { return g.Ack && len(g.Early) == 0 && g.Outcome.OK() }

// String is one clause for a report.
func (g Greeting) String() string {
	switch {
	case g.Text != "":
		return fmt.Sprintf("text %q", shorten([]byte(g.Text)))
	case g.Ack && len(g.Early) > 0:
		return fmt.Sprintf("%d bytes unasked after the ACK (%s): % x", len(g.Early), g.Form, shorten(g.Early))
	case g.Ack && g.Outcome.OK():
		return "ACK after " + wire.Duration(g.AckAt)
	case !g.Ack && len(g.Early) > 0:
		return fmt.Sprintf("% x in place of the ACK", shorten(g.Early))
	}
	return g.Outcome.String()
}

// Greet waits for the ACK and looks whether anything follows it unasked. Early bytes stay in the stream, so that
// a request that is made all the same is off by one as any other client's.
func (c *Client) Greet(ctx context.Context) Greeting {
	var g Greeting
	g.Outcome = c.link.Await(ctx, "the ACK byte", FirstByteLimit, wire.AtLeast(1))
	if first := c.link.Unread(); len(first) > 0 && first[0] == Ack {
		g.Ack, g.AckAt = true, g.Outcome.At
		c.link.Consume(1)
		pause := c.link.Await(ctx, "bytes that nobody asked for", AckPause, wire.AtLeast(1))
		if !pause.OK() && !pause.Silent() {
			g.Outcome = pause
		}
	}
	if len(c.link.Unread()) > 0 {
		g.Form, _, _ = Decode(c.link.Unread())
		if g.Form != FormReply {
			g.Outcome = c.link.Await(ctx, "the rest of what came unasked", TextLimit, wire.TheEnd)
		}
	}
	g.Early = bytes.Clone(c.link.Unread())
	g.Form, _, _ = Decode(g.Early)
	if readable(g.Early) {
		g.Form, g.Text = FormText, string(g.Early)
		g.Symptom = symptom.Of(g.Text)
	}
	return g
}

// Result is the answer to one request.
type Result struct {
	Action Action `json:"action"`
	Form   Form   `json:"form"`
	Reply  Reply  `json:"reply"` // of FormReply, and of FormUnsolicited where that is a reply
	// Raw holds the bytes as they came where they are no reply.
	Raw     []byte          `json:"raw,omitempty"`
	Symptom symptom.Symptom `json:"symptom"`
	Outcome wire.Outcome    `json:"outcome"`
	Took    time.Duration   `json:"took_ns"` // from the request to the reply
}

// OK tells whether there is a reply without a server error. The status is not looked at: a successful change of
// account leaves 3006 in it, and an unknown command has no server error but status -1.
func (r Result) OK() bool { return r.Form == FormReply && r.Reply.ServerError == ErrorNone }

// String is one clause for a report.
func (r Result) String() string {
	switch r.Form {
	case FormReply:
		return r.Reply.String()
	case FormNothing:
		return r.Outcome.String()
	case FormText:
		return fmt.Sprintf("text %q", shorten(r.Raw))
	case FormUnsolicited:
		return fmt.Sprintf("%d bytes before the %s request: % x", len(r.Raw), r.Action, shorten(r.Raw))
	}
	return fmt.Sprintf("%s: % x, %s", r.Form, shorten(r.Raw), r.Outcome)
}

// Exchange sends one request, made by Encode, and reads its reply. If bytes are there already, nothing is sent:
// the reply could not be told from them. They are taken from the stream and reported.
func (c *Client) Exchange(ctx context.Context, action Action, request []byte, limit time.Duration) Result {
	r := Result{Action: action}
	if early := c.link.Unread(); len(early) > 0 {
		return c.unsolicited(ctx, r, early)
	}
	begin := time.Now()
	c.link.Send(request)
	r.Outcome = c.link.Await(ctx, "the reply to "+action.String(), limit, func(received []byte, _ bool) bool {
		form, _, _ := Decode(received)
		return form != FormNothing && form != FormPartial
	})
	r.Took = time.Since(begin)
	received := c.link.Unread()
	var size int
	if r.Form, r.Reply, size = Decode(received); r.Form == FormReply {
		c.link.Consume(size)
		if r.Reply.ServerError == ErrorOnError {
			r.Symptom = symptom.Of(string(r.Reply.Data))
		}
		return r
	}
	return c.notAReply(ctx, r)
}

func (c *Client) unsolicited(ctx context.Context, r Result, early []byte) Result {
	form, reply, size := Decode(early)
	if form == FormText {
		r.Form = FormText
		return c.notAReply(ctx, r)
	}
	if form != FormReply {
		size = len(early)
	}
	r.Form, r.Reply = FormUnsolicited, reply
	r.Raw = bytes.Clone(c.link.Consume(size))
	r.Symptom = symptom.Of(string(r.Raw))
	r.Outcome = wire.Outcome{Result: wire.Enough, What: "no bytes before the request", Unread: len(early)}
	return r
}

// notAReply takes all that is there and what still belongs to it.
func (c *Client) notAReply(ctx context.Context, r Result) Result {
	if r.Form == FormText || r.Form == FormBadLength {
		r.Outcome = c.link.Await(ctx, "the rest of what is no reply", TextLimit, wire.TheEnd)
	}
	r.Raw = bytes.Clone(c.link.Consume(len(c.link.Unread())))
	if r.Form == FormPartial && readable(r.Raw) {
		r.Form = FormText
	}
	if r.Form == FormText {
		r.Symptom = symptom.Of(string(r.Raw))
	}
	return r
}

// AwaitEnd waits for the peer's end and returns what came before it.
func (c *Client) AwaitEnd(ctx context.Context) (surplus []byte, outcome wire.Outcome) {
	outcome = c.link.Await(ctx, "the end of the connection", EndLimit, wire.TheEnd)
	return bytes.Clone(c.link.Consume(len(c.link.Unread()))), outcome
}
