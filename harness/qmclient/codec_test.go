package qmclient

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

// unhex takes hex digits and quoted text: `0600 "hello" fe`.
func unhex(t testing.TB, text string) []byte {
	t.Helper()
	var out []byte
	for i, part := range strings.Split(text, `"`) {
		if i%2 == 1 {
			out = append(out, part...)
			continue
		}
		data, err := hex.DecodeString(strings.ReplaceAll(part, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, data...)
	}
	return out
}

// The requests as they were seen on the wire.
func TestRequests(t *testing.T) {
	for want, got := range map[string][]byte{
		`06000000 0100`: EncodeQuit(),
		`18000000 1800 0500 "alice"00 0700 "alicepw"00`: EncodeLogin("alice", "alicepw"),
		`0e000000 1800 0200 "al" 0200 "pw"`:             EncodeLogin("al", "pw"),
		`0b000000 0300 "QMSYS"`:                         EncodeAccount("QMSYS"),
		`09000000 1500 "WHO"`:                           EncodeExecute("WHO"),
		`0c000000 0400 "SDTEST"`:                        EncodeOpen("SDTEST"),
		`08000000 0500 0100`:                            EncodeClose(1),
		`0a000000 0600 0100 "R1"`:                       EncodeRead(1, "R1"),
		`0a000000 0900 0100 "R1"`:                       EncodeReadU(1, "R1"),
		`0a000000 0f00 0100 "R1"`:                       EncodeRelease(1, "R1"),
		`0a000000 1200 0100 "R1"`:                       EncodeDelete(1, "R1"),
		`17000000 1000 0100 0200 "R1" "hello"fe"world"`: EncodeWrite(1, "R1", []byte("hello\xfeworld")),
		`09000000 1600 "bob"`:                           EncodeRespond("bob"),
		`06000000 1700`:                                 EncodeEndCommand(),
		`06000000 0200`:                                 EncodeGetError(),
	} {
		if !bytes.Equal(got, unhex(t, want)) {
			t.Errorf("got % x, want %s", got, want)
		}
	}
}

func TestDecode(t *testing.T) {
	cases := []struct {
		name string
		in   string
		form Form
		size int
		want Reply
	}{
		{"nothing", ``, FormNothing, 0, Reply{}},
		{"half a length", `1700`, FormPartial, 0, Reply{}},
		{"half a reply", `17000000 0100 00000000 "Not lo"`, FormPartial, 0, Reply{}},
		{"not logged in", `17000000 0100 00000000 "Not logged in"`, FormReply, 23, NotLoggedIn()},
		{"two replies", `0a000000 0000 be0b0000 0a000000 0000 00000000`, FormReply, 10, Reply{Status: 3006}},
		{"negative status", `26000000 0000 ffffffff "NOSUCHCMD is not in your VOC"`, FormReply, 38, Reply{Status: -1, Data: []byte("NOSUCHCMD is not in your VOC")}},
		{"too short", `09000000 0000 000000`, FormBadLength, 0, Reply{}},
		{"zero", `00000000 0000 00000000`, FormBadLength, 0, Reply{}},
		{"negative", `ffffffff`, FormBadLength, 0, Reply{}},
		{"just above the cap", `01000004`, FormBadLength, 0, Reply{}},
		{"at the cap", `00000004`, FormPartial, 0, Reply{}},
		{"text", `"ScarletDME has not been started"0a`, FormText, 0, Reply{}},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			form, reply, size := Decode(unhex(t, test.in))
			if form != test.form || size != test.size || reply.String() != test.want.String() {
				t.Errorf("%s, %d bytes, %v", form, size, reply)
			}
		})
	}
}
