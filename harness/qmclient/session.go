package qmclient

import (
	"bytes"
	"context"
	"encoding/binary"

	"qmconformance/harness/wire"
)

// Leaving is a last request and the end that follows it.
type Leaving struct {
	Result Result `json:"result"`
	// Surplus holds bytes between the reply and the end; there are none from a qm.
	Surplus []byte       `json:"surplus,omitempty"`
	End     wire.Outcome `json:"end"`
	// Exact: the reply is, byte for byte, the one that is due.
	Exact bool `json:"exact"`
}

// OK tells whether the reply was the one that is due and the connection then ended by FIN. The session's user slot is free then.
func (l Leaving) OK() bool {
	return l.Exact && len(l.Surplus) == 0 && l.End.Result == wire.EndedByFIN
}

// String is one clause for a report.
func (l Leaving) String() string {
	text := l.Result.String()
	if l.Result.Form == FormReply {
		text += ", then " + l.End.String()
	}
	return text
}

// RefusedRequest is the safe probe of a session that has not logged in: it asks to quit, is
// told "Not logged in", and reads up to the peer's FIN. Greet comes first.
func (c *Client) RefusedRequest(ctx context.Context) Leaving {
	return c.leave(ctx, NotLoggedIn())
}

// Quit ends a session that has logged in, in order.
func (c *Client) Quit(ctx context.Context) Leaving {
	return c.leave(ctx, Reply{})
}

func (c *Client) leave(ctx context.Context, due Reply) Leaving {
	l := Leaving{Result: c.Exchange(ctx, ActionQuit, EncodeQuit(), ReplyLimit)}
	l.Exact = l.Result.Form == FormReply && bytes.Equal(l.Result.Reply.Encode(), due.Encode())
	if l.Result.Form == FormUnsolicited {
		// The request was not sent, and a session that is merely dropped may never end.
		c.link.Send(EncodeQuit())
	}
	l.Surplus, l.End = c.AwaitEnd(ctx)
	return l
}

// Login logs in. After a refusal qm ends the connection: AwaitEnd.
func (c *Client) Login(ctx context.Context, user, password string) Result {
	return c.Exchange(ctx, ActionLogin, EncodeLogin(user, password), LoginLimit)
}

// Account changes to an account of the register. A session starts in QMSYS; a second refusal in one session ends it without a reply.
func (c *Client) Account(ctx context.Context, name string) Result {
	return c.Exchange(ctx, ActionAccount, EncodeAccount(name), ReplyLimit)
}

// Execute runs a command line; Reply.Text is its output. With ErrorPrompt it asks for input: Respond or EndCommand is due.
func (c *Client) Execute(ctx context.Context, command string) Result {
	return c.Exchange(ctx, ActionExecute, EncodeExecute(command), ExecuteLimit)
}

// Respond answers a command that asks for input.
func (c *Client) Respond(ctx context.Context, text string) Result {
	return c.Exchange(ctx, ActionRespond, EncodeRespond(text), ExecuteLimit)
}

// EndCommand ends a command that asks for input.
func (c *Client) EndCommand(ctx context.Context) Result {
	return c.Exchange(ctx, ActionEndCommand, EncodeEndCommand(), ExecuteLimit)
}

// GetError asks for the text behind ErrorText.
func (c *Client) GetError(ctx context.Context) Result {
	return c.Exchange(ctx, ActionGetError, EncodeGetError(), ReplyLimit)
}

// OpenFile opens a file and returns its number, 0 if it was not opened.
func (c *Client) OpenFile(ctx context.Context, name string) (file int16, result Result) {
	result = c.Exchange(ctx, ActionOpen, EncodeOpen(name), ReplyLimit)
	if result.OK() && len(result.Reply.Data) == 2 {
		file = int16(binary.LittleEndian.Uint16(result.Reply.Data))
	}
	return file, result
}

// CloseFile gives a file number back.
func (c *Client) CloseFile(ctx context.Context, file int16) Result {
	return c.Exchange(ctx, ActionClose, EncodeClose(file), ReplyLimit)
}

// Read reads a record; Reply.Data is the record, its fields separated by FieldMark.
func (c *Client) Read(ctx context.Context, file int16, id string) Result {
	return c.Exchange(ctx, ActionRead, EncodeRead(file, id), ReplyLimit)
}

// ReadLocked reads a record and takes its update lock, or is answered ErrorLocked.
func (c *Client) ReadLocked(ctx context.Context, file int16, id string) Result {
	return c.Exchange(ctx, ActionReadU, EncodeReadU(file, id), ReplyLimit)
}

// Release gives a lock back.
func (c *Client) Release(ctx context.Context, file int16, id string) Result {
	return c.Exchange(ctx, ActionRelease, EncodeRelease(file, id), ReplyLimit)
}

// Write stores a record.
func (c *Client) Write(ctx context.Context, file int16, id string, data []byte) Result {
	request := EncodeWrite(file, id, data)
	return c.Exchange(ctx, ActionWrite, request, uploadLimit(len(request)))
}

// Delete removes a record.
func (c *Client) Delete(ctx context.Context, file int16, id string) Result {
	return c.Exchange(ctx, ActionDelete, EncodeDelete(file, id), ReplyLimit)
}
