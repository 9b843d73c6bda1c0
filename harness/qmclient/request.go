// Package qmclient is a client of the API port: it encodes requests, decodes replies with every way in
// which they can be wrong as a typed result, and leaves in the one way that does no harm.
//
// The formats are those of ScarletDME's own client library and server (gplsrc/qmclilib.c, gplsrc/op_tio.c, GPL.BP/VBSRVR).
package qmclient

import "encoding/binary"

// Action is the number of a request (GPL.BP/VBSRVR, the list of actions).
type Action int16

// The actions that the harness needs.
const (
	ActionQuit       Action = 1
	ActionGetError   Action = 2
	ActionAccount    Action = 3
	ActionOpen       Action = 4
	ActionClose      Action = 5
	ActionRead       Action = 6
	ActionReadU      Action = 9
	ActionRelease    Action = 15
	ActionWrite      Action = 16
	ActionDelete     Action = 18
	ActionExecute    Action = 21
	ActionRespond    Action = 22
	ActionEndCommand Action = 23
	ActionLogin      Action = 24
)

var actionNames = map[Action]string{
	ActionQuit: "quit", ActionGetError: "geterror", ActionAccount: "account", ActionOpen: "open", ActionClose: "close",
	ActionRead: "read", ActionReadU: "readu", ActionRelease: "release", ActionWrite: "write", ActionDelete: "delete",
	ActionExecute: "execute", ActionRespond: "respond", ActionEndCommand: "endcommand", ActionLogin: "login",
}

// String names the action.
func (a Action) String() string {
	if name, ok := actionNames[a]; ok {
		return name
	}
	return "unknown"
}

// MaxID is the longest record id that qm takes; a longer one is answered with status 3000.
const MaxID = 63

// requestHeader is the length of a request without payload: int32 length (which counts itself), int16 action.
const requestHeader = 6

// Encode makes a request. It is whole: a qm that is given less than the length says waits for the rest
// for ever, so that no request may leave in parts.
func Encode(action Action, payload []byte) []byte {
	packet := make([]byte, 0, requestHeader+len(payload))
	packet = binary.LittleEndian.AppendUint32(packet, uint32(requestHeader+len(payload)))
	packet = binary.LittleEndian.AppendUint16(packet, uint16(action))
	return append(packet, payload...)
}

// EncodeLogin asks for a login. A string with a length of its own is padded to an even number of bytes.
func EncodeLogin(user, password string) []byte {
	return Encode(ActionLogin, appendCounted(appendCounted(nil, user), password))
}

func appendCounted(packet []byte, text string) []byte {
	packet = append(appendInt16(packet, int16(len(text))), text...)
	if len(text)%2 == 1 {
		packet = append(packet, 0)
	}
	return packet
}

func appendInt16(packet []byte, n int16) []byte {
	return binary.LittleEndian.AppendUint16(packet, uint16(n))
}

// EncodeAccount asks to work in an account of the register. Names only: qm turns the text into capitals.
func EncodeAccount(name string) []byte { return Encode(ActionAccount, []byte(name)) }

// EncodeOpen asks for a file; the reply's data is its number.
func EncodeOpen(name string) []byte { return Encode(ActionOpen, []byte(name)) }

// EncodeClose gives a file number back.
func EncodeClose(file int16) []byte { return Encode(ActionClose, appendInt16(nil, file)) }

// EncodeRead asks for a record.
func EncodeRead(file int16, id string) []byte { return record(ActionRead, file, id) }

// EncodeReadU asks for a record and its update lock, without waiting for the lock.
func EncodeReadU(file int16, id string) []byte { return record(ActionReadU, file, id) }

// EncodeRelease gives a lock back; an empty id means all of the file's.
func EncodeRelease(file int16, id string) []byte { return record(ActionRelease, file, id) }

// EncodeDelete removes a record.
func EncodeDelete(file int16, id string) []byte { return record(ActionDelete, file, id) }

func record(action Action, file int16, id string) []byte {
	return Encode(action, append(appendInt16(nil, file), id...))
}

// EncodeWrite stores a record.
func EncodeWrite(file int16, id string, data []byte) []byte {
	payload := appendInt16(appendInt16(nil, file), int16(len(id)))
	return Encode(ActionWrite, append(append(payload, id...), data...))
}

// EncodeExecute runs a command line.
func EncodeExecute(command string) []byte { return Encode(ActionExecute, []byte(command)) }

// EncodeRespond answers a command that asks for input.
func EncodeRespond(text string) []byte { return Encode(ActionRespond, []byte(text)) }

// EncodeEndCommand ends a command that asks for input.
func EncodeEndCommand() []byte { return Encode(ActionEndCommand, nil) }

// EncodeGetError asks for the text of the last error.
func EncodeGetError() []byte { return Encode(ActionGetError, nil) }

// EncodeQuit asks for the end of the session.
func EncodeQuit() []byte { return Encode(ActionQuit, nil) }
