// Package telnet is the client of the user port: it takes part in the option negotiation of
// qm's telnet side, reads its prompts, and leaves in the one way that does no harm.
package telnet

import "fmt"

// Bytes of the protocol (RFC 854, RFC 1091).
const (
	IAC  = 255
	DONT = 254
	DO   = 253
	WONT = 252
	WILL = 251
	SB   = 250
	NOP  = 241
	SE   = 240

	OptionBinary   = 0
	OptionEcho     = 1
	OptionSGA      = 3
	OptionTermType = 24

	termTypeIs   = 0
	termTypeSend = 1
)

// subnegotiationCap bounds the payload that is kept of one subnegotiation. The longest that qm
// sends has one byte; a terminal name has at most 40 (RFC 1091).
const subnegotiationCap = 1024

// TokenKind tells what a stretch of the stream is.
type TokenKind string

// A token is a stretch of data, a command, one option negotiation or one subnegotiation.
const (
	TokenData           TokenKind = "data"
	TokenCommand        TokenKind = "command"
	TokenNegotiation    TokenKind = "negotiation"
	TokenSubnegotiation TokenKind = "subnegotiation"
)

// Token is one parsed stretch of the stream.
type Token struct {
	Kind TokenKind
	// Data holds the data bytes with IAC IAC undone, or the payload of a subnegotiation.
	Data []byte
	// Command is the byte after IAC; Option is set for negotiations and subnegotiations.
	Command byte
	Option  byte
	// Overlong: a subnegotiation longer than is kept.
	Overlong bool
}

// Parser cuts a stream into tokens. It may be fed in any pieces; the zero value is ready.
type Parser struct {
	state    parserState
	verb     byte
	option   byte
	payload  []byte
	overlong bool
}

type parserState int

const (
	inData parserState = iota
	afterIAC
	afterVerb
	afterSB
	inSub
	inSubAfterIAC
)

// Feed takes the next bytes and returns the tokens that they complete. Data is never held back; of a command
// that is not complete nothing is returned yet.
func (p *Parser) Feed(data []byte) []Token {
	var tokens []Token
	var run []byte
	flush := func() {
		if len(run) > 0 {
			tokens = append(tokens, Token{Kind: TokenData, Data: run})
			run = nil
		}
	}
	for _, c := range data {
		if p.state == inData && c != IAC {
			run = append(run, c)
			continue
		}
		if p.state == afterIAC && c == IAC {
			run = append(run, c)
			p.state = inData
			continue
		}
		if token, complete := p.step(c); complete {
			flush()
			tokens = append(tokens, token)
		}
	}
	flush()
	return tokens
}

// Pending tells whether the stream stopped within a command.
func (p *Parser) Pending() bool { return p.state != inData }

func (p *Parser) step(c byte) (Token, bool) {
	switch p.state {
	case inData:
		p.state = afterIAC
	case afterIAC:
		switch c {
		case WILL, WONT, DO, DONT:
			p.verb, p.state = c, afterVerb
		case SB:
			p.state = afterSB
		default:
			p.state = inData
			return Token{Kind: TokenCommand, Command: c}, true
		}
	case afterVerb:
		p.state = inData
		return Token{Kind: TokenNegotiation, Command: p.verb, Option: c}, true
	case afterSB:
		p.option, p.payload, p.overlong, p.state = c, nil, false, inSub
	case inSub:
		if c == IAC {
			p.state = inSubAfterIAC
			break
		}
		p.keep(c)
	case inSubAfterIAC:
		if c == IAC {
			p.keep(c)
			p.state = inSub
			break
		}
		// RFC 855 ends a subnegotiation by SE only. Any other command in it means that the end was lost: it is taken as the end, so that
		// the rest of the conversation is not swallowed.
		p.state = inData
		return Token{Kind: TokenSubnegotiation, Command: c, Option: p.option, Data: p.payload, Overlong: p.overlong}, true
	}
	return Token{}, false
}

func (p *Parser) keep(c byte) {
	if len(p.payload) >= subnegotiationCap {
		p.overlong = true
		return
	}
	p.payload = append(p.payload, c)
}

var verbNames = map[byte]string{WILL: "WILL", WONT: "WONT", DO: "DO", DONT: "DONT"}

var optionNames = map[byte]string{
	OptionBinary: "BINARY", OptionEcho: "ECHO", OptionSGA: "SUPPRESS-GO-AHEAD", OptionTermType: "TERMINAL-TYPE",
	31: "NAWS", 34: "LINEMODE", 45: "SUPPRESS-LOCAL-ECHO",
}

// Offer is one option negotiation of the peer, in words: "DO TERMINAL-TYPE".
type Offer string

func offerOf(token Token) Offer {
	name, ok := optionNames[token.Option]
	if !ok {
		name = fmt.Sprintf("option %d", token.Option)
	}
	return Offer(verbNames[token.Command] + " " + name)
}
