package telnet

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

// rebuild is the stream that a parser gives these tokens for.
func rebuild(tokens []Token) []byte {
	double := func(data []byte) []byte { return bytes.ReplaceAll(data, []byte{IAC}, []byte{IAC, IAC}) }
	var stream []byte
	for _, t := range tokens {
		switch t.Kind {
		case TokenData:
			stream = append(stream, double(t.Data)...)
		case TokenCommand:
			stream = append(stream, IAC, t.Command)
		case TokenNegotiation:
			stream = append(stream, IAC, t.Command, t.Option)
		case TokenSubnegotiation:
			stream = append(stream, IAC, SB, t.Option)
			stream = append(stream, double(t.Data)...)
			stream = append(stream, IAC, t.Command)
		}
	}
	return stream
}

// joined puts data that came in several pieces together.
func joined(tokens []Token) (list []Token) {
	for _, t := range tokens {
		if n := len(list); n > 0 && t.Kind == TokenData && list[n-1].Kind == TokenData {
			list[n-1].Data = append(bytes.Clone(list[n-1].Data), t.Data...)
			continue
		}
		list = append(list, t)
	}
	return list
}

// What a peer sends is in the tokens to the last byte, however it is cut.
func FuzzParser(f *testing.F) {
	f.Add([]byte{IAC, DO, OptionTermType, IAC, WILL, OptionEcho, 'U', 's', 'e', 'r'}, uint8(1))
	f.Add([]byte("\xff\xfd-\xff\xfb\x01\xff\xfd\x03\xff\xfb\x03\xff\xfe\"\xff\xfd\x18"), uint8(2))
	f.Add([]byte("a\xff\xffb\xff\xfa\x18\x00vt\xff\xff100\xff\xf0c\r\x00\n"), uint8(0))
	f.Add([]byte{IAC, SB, OptionTermType, termTypeSend, IAC, SE, 'x', IAC, IAC, 'y'}, uint8(3))
	f.Add([]byte{IAC, SB, OptionTermType, IAC, IAC, IAC, NOP, IAC}, uint8(2))
	f.Add(append([]byte{IAC, SB, 1}, bytes.Repeat([]byte{'a'}, subnegotiationCap+5)...), uint8(7))
	f.Fuzz(func(t *testing.T, data []byte, size uint8) {
		var whole, cut Parser
		tokens := joined(whole.Feed(data))
		var pieces []Token
		for rest := data; len(rest) > 0; {
			n := min(1+int(size), len(rest))
			pieces = append(pieces, cut.Feed(rest[:n])...)
			rest = rest[n:]
		}
		if got := joined(pieces); !reflect.DeepEqual(got, tokens) {
			t.Fatalf("in pieces of %d: %+v, as a whole: %+v", 1+int(size), got, tokens)
		}
		if whole.Pending() != cut.Pending() {
			t.Fatal("where the stream stopped depends on how it was cut")
		}
		overlong := false
		for _, token := range tokens {
			if token.Kind == TokenSubnegotiation && len(token.Data) > subnegotiationCap {
				t.Fatalf("%d bytes of a subnegotiation are kept", len(token.Data))
			}
			overlong = overlong || token.Overlong
		}
		stream := rebuild(tokens)
		switch {
		case overlong:
		case !bytes.HasPrefix(data, stream):
			t.Fatalf("the tokens are % x of the stream % x", stream, data)
		case len(stream) < len(data) && !whole.Pending():
			t.Fatalf("% x of % x is in no token", data[len(stream):], data)
		}
	})
}

// The text that a reader sees has no control characters but the line feed, and is
// no longer than what was sent by more than one very wide screen.
func FuzzReadable(f *testing.F) {
	f.Add([]byte("\x1b[2J\x1b[HWelcome\r\n\rUser\b\bername: \x00"))
	f.Add([]byte("abc\r\x1b[Kx\x1b[10Cy\x1b"))
	f.Add([]byte("\x1b[65535Cx\n\x1b[65535Cx\n\x1b[99999999Cx"))
	f.Fuzz(func(t *testing.T, data []byte) {
		text := Readable(data)
		if len(text) > 2*len(data)+padCap {
			t.Fatalf("%d bytes of text of %d bytes", len(text), len(data))
		}
		if strings.ContainsAny(text, "\x00\a\b\r\x1b") {
			t.Fatalf("%q moves the cursor", text)
		}
		_, _, _ = promptOf(data), offeredAccount(data), swapCase(text)
		if swapCase(swapCase(text)) != string([]rune(text)) {
			t.Fatal("the case is not the same again after it was turned round twice")
		}
	})
}
