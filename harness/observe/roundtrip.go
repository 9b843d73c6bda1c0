package observe

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"qmconformance/harness/qmclient"
	"qmconformance/harness/target"
)

// Returned is one record that was written and read back.
type Returned struct {
	Name  string
	Size  int
	Same  bool
	Where string // what differed, or what the server said instead
}

// RoundTripped is what came of records of many shapes.
type RoundTripped struct {
	LoggedIn bool
	Said     string
	Created  string
	Records  []Returned
}

// roundTripSize is the longest record: over the size of any single buffer on the
// way (a socket's is 212992 bytes), and short enough at the 0.6 MB/s with which
// qm takes a request.
const roundTripSize = 256 << 10

// RoundTrip writes records of all byte values and of many sizes through the API
// into a hashed file, and reads them back in another session. A directory file
// would not do: there qm turns field marks into line feeds by design.
var RoundTrip = &Look[RoundTripped]{
	Name: "round-trip", Stage: AsShipped, Each: true,
	Limit: 60 * time.Second,
	Take: func(ctx context.Context, s *Scene) (RoundTripped, error) {
		var f RoundTripped
		const name = "HARNESS.H"
		contents := map[string][]byte{"EMPTY": {}, "ONE": {0}, "ALL": allBytes(256), "LONG": allBytes(roundTripSize)}
		order := []string{"ONE", "ALL", "LONG", "EMPTY"}

		writer := OpenSession(ctx, s, target.Carol)
		f.LoggedIn, f.Said = writer.LoggedIn, writer.Said
		if !f.LoggedIn {
			writer.Close(ctx, s, "writer")
			return f, nil
		}
		f.Created = writer.Execute(ctx, "CREATE.FILE "+name+" DYNAMIC")
		file, opened := writer.program.OpenFile(ctx, name)
		if !opened.OK() {
			f.Said = "open: " + opened.String()
		}
		wrote := map[string]qmclient.Result{}
		for _, id := range order {
			if opened.OK() {
				wrote[id] = writer.program.Write(ctx, file, id, contents[id])
			}
		}
		writer.Close(ctx, s, "writer")

		reader := OpenSession(ctx, s, target.Dave)
		defer reader.Close(ctx, s, "reader")
		if !reader.LoggedIn {
			f.LoggedIn, f.Said = false, reader.Said
			return f, nil
		}
		file, opened = reader.program.OpenFile(ctx, name)
		for _, id := range order {
			r := Returned{Name: id, Size: len(contents[id])}
			switch {
			case !opened.OK():
				r.Where = "open: " + opened.String()
			case !wrote[id].OK():
				r.Where = "write: " + wrote[id].String()
			default:
				back := reader.program.Read(ctx, file, id)
				r.Same = back.OK() && bytes.Equal(back.Reply.Data, contents[id])
				if !r.Same {
					r.Where = difference(contents[id], back)
				}
			}
			f.Records = append(f.Records, r)
		}
		return f, nil
	},
}

func difference(want []byte, got qmclient.Result) string {
	if !got.OK() {
		return "read: " + got.String()
	}
	return firstDifference(want, got.Reply.Data)
}

// firstDifference says where two byte strings part.
func firstDifference(want, got []byte) string {
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			return fmt.Sprintf("byte %d is %02x instead of %02x", i, got[i], want[i])
		}
	}
	if len(want) == len(got) {
		return ""
	}
	return fmt.Sprintf("%d bytes instead of %d, the same as far as they go", len(got), len(want))
}

// allBytes are n bytes in which every value comes, in an order that no shift or
// repetition of a block leaves unchanged.
func allBytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i + i>>8*7)
	}
	return b
}
