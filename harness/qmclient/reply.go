package qmclient

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
)

const (
	// replyHeader: int32 length (which counts itself), int16 server error, int32 status.
	replyHeader = 10
	// MaxReply is the longest reply that is believed. Text read as a length is above 150 million, so that the two
	// cannot be confused, and no record of the harness comes near it.
	MaxReply = 64 << 20
	// Ack is the byte by which qm says that it is there (gplsrc/qm.c, start_connection).
	Ack = 0x06
	// FieldMark separates the lines of a command's output and the fields of a record.
	FieldMark = 0xfe
)

// ServerError is the first number of a reply.
type ServerError int16

// The server errors (gplsrc/qmclilib.c, SV_...).
const (
	ErrorNone    ServerError = 0
	ErrorOnError ServerError = 1 // a text is in the data
	ErrorElse    ServerError = 2 // not found; see the status
	ErrorText    ServerError = 3 // the text has to be asked for by geterror
	ErrorLocked  ServerError = 4
	ErrorPrompt  ServerError = 5 // not an error: the command asks for input
)

// String names the error for a reader.
func (e ServerError) String() string {
	names := []string{"none", "on-error", "else", "error", "locked", "prompt"}
	if e >= 0 && int(e) < len(names) {
		return names[e]
	}
	return fmt.Sprintf("server error %d", int16(e))
}

// Reply is one whole reply.
type Reply struct {
	ServerError ServerError `json:"server_error"`
	Status      int32       `json:"status"`
	Data        []byte      `json:"data"`
}

// Text returns the data with lines in place of field marks.
func (r Reply) Text() string {
	return strings.ReplaceAll(string(r.Data), string([]byte{FieldMark}), "\n")
}

// Encode is the reply as it is on the wire.
func (r Reply) Encode() []byte {
	packet := binary.LittleEndian.AppendUint32(nil, uint32(replyHeader+len(r.Data)))
	packet = binary.LittleEndian.AppendUint16(packet, uint16(r.ServerError))
	packet = binary.LittleEndian.AppendUint32(packet, uint32(r.Status))
	return append(packet, r.Data...)
}

// String is one clause for a report.
func (r Reply) String() string {
	text := fmt.Sprintf("reply %s, status %d", r.ServerError, r.Status)
	if len(r.Data) > 0 {
		text += fmt.Sprintf(", %q", shorten(r.Data))
	}
	return text
}

func shorten(data []byte) []byte {
	const most = 80
	if len(data) > most {
		return append(bytes.Clone(data[:most]), "..."...)
	}
	return data
}

// NotLoggedIn is the reply to any request before the login, quit included (GPL.BP/VBSRVR).
func NotLoggedIn() Reply {
	return Reply{ServerError: ErrorOnError, Data: []byte("Not logged in")}
}

// Form tells what the bytes are that came where a reply is due.
type Form string

// The forms. Only FormReply is a reply.
const (
	FormReply       Form = "reply"
	FormNothing     Form = "nothing"     // not one byte
	FormPartial     Form = "partial"     // the beginning of a reply, and then the end or silence
	FormText        Form = "text"        // readable text: qm's standard error is on the socket too
	FormBadLength   Form = "bad-length"  // a length that no reply can have
	FormUnsolicited Form = "unsolicited" // bytes that were there before the request
)

// Decode looks at the start of data. For FormReply it returns the reply and its size on the wire; FormPartial and
// FormNothing mean that more may follow. The reply's data is not copied.
func Decode(data []byte) (form Form, reply Reply, size int) {
	if len(data) == 0 {
		return FormNothing, Reply{}, 0
	}
	if len(data) < 4 {
		return FormPartial, Reply{}, 0
	}
	length := int32(binary.LittleEndian.Uint32(data))
	if length < replyHeader || length > MaxReply {
		if readable(data[:4]) {
			return FormText, Reply{}, 0
		}
		return FormBadLength, Reply{}, 0
	}
	if len(data) < int(length) {
		return FormPartial, Reply{}, 0
	}
	return FormReply, Reply{
		ServerError: ServerError(binary.LittleEndian.Uint16(data[4:])),
		Status:      int32(binary.LittleEndian.Uint32(data[6:])),
		Data:        data[replyHeader:length:length],
	}, int(length)
}

// readable tells whether all bytes are ASCII text.
func readable(data []byte) bool {
	for _, c := range data {
		if (c < 0x20 || c > 0x7e) && c != '\n' && c != '\r' && c != '\t' && c != '\a' {
			return false
		}
	}
	return len(data) > 0
}
