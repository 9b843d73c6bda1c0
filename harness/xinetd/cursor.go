package xinetd

import "bytes"

// Cursor answers "what was logged since" for a log that grows. Its user reads
// the log from Offset to its end and feeds what it has read; a last line that
// isn't complete yet stays for the next time.
type Cursor struct {
	// Offset is in bytes, from the beginning of the file.
	Offset int64
	Zone   Zone
}

// Feed takes what the log holds from Offset on and returns the records of its
// complete lines. The rest of a message that xinetd writes in two lines is
// joined to it when both are there, else it is a record of FormatContinuation.
func (c *Cursor) Feed(content []byte) []Record {
	end := bytes.LastIndexByte(content, '\n') + 1
	c.Offset += int64(end)
	return ParseLog(string(content[:end]), c.Zone)
}

// Truncated moves back to the beginning if the log has become shorter than
// what was read of it, as after a rotation by copying. It says whether it did.
func (c *Cursor) Truncated(size int64) bool {
	if size >= c.Offset {
		return false
	}
	c.Offset = 0
	return true
}
