package telnet

import (
	"bytes"
	"reflect"
	"testing"
)

func TestParser(t *testing.T) {
	cases := []struct {
		name string
		in   string
		want []Token
	}{
		{"data", "abc", []Token{{Kind: TokenData, Data: []byte("abc")}}},
		{"IAC IAC is a byte of data", "a\xff\xffb", []Token{{Kind: TokenData, Data: []byte("a\xffb")}}},
		{"NOP", "a\xff\xf1b", []Token{{Kind: TokenData, Data: []byte("a")}, {Kind: TokenCommand, Command: NOP}, {Kind: TokenData, Data: []byte("b")}}},
		{"negotiation", "\xff\xfd\x18", []Token{{Kind: TokenNegotiation, Command: DO, Option: OptionTermType}}},
		{"subnegotiation", "\xff\xfa\x18\x01\xff\xf0x", []Token{{Kind: TokenSubnegotiation, Command: SE, Option: OptionTermType, Data: []byte{1}}, {Kind: TokenData, Data: []byte("x")}}},
		{"IAC IAC in a subnegotiation", "\xff\xfa\x18\xff\xff\xff\xf0", []Token{{Kind: TokenSubnegotiation, Command: SE, Option: OptionTermType, Data: []byte{255}}}},
		{"CR NUL is left to the reader", "\r\x00\n", []Token{{Kind: TokenData, Data: []byte("\r\x00\n")}}},
		{"incomplete", "a\xff\xfd", []Token{{Kind: TokenData, Data: []byte("a")}}},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			var whole Parser
			if got := whole.Feed([]byte(test.in)); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestOverlongSubnegotiationIsBounded(t *testing.T) {
	var p Parser
	p.Feed([]byte{IAC, SB, 1})
	p.Feed(bytes.Repeat([]byte{'x'}, 1<<20))
	tokens := p.Feed([]byte{IAC, SE})
	if len(tokens) != 1 || !tokens[0].Overlong || len(tokens[0].Data) != subnegotiationCap {
		t.Errorf("got %d tokens", len(tokens))
	}
}

func TestReadable(t *testing.T) {
	for in, want := range map[string]string{
		"a\r\x00\nb":                          "a\nb",
		"\x1b[H\x1b[2Jtop":                    "top",
		"OFF\r\x00\x1b[K:OFF\r\x00\n":         ":OFF\n",
		"\aUser limit\r\n":                    "User limit\n",
		"A\r\x00\x1b[7CB\r\x00\x1b[K:A B\r\n": ":A B\n",
		"abc\b\bX":                            "aXc",
		"x\x1b[":                              "x",
		"x\x1b":                               "x",
	} {
		if got := Readable([]byte(in)); got != want {
			t.Errorf("%q reads %q, want %q", in, got, want)
		}
	}
}
