package qmclient

import "time"

// Every wait of this package. Where a number follows from qm, the source is named; the rest allows a busy machine
// ten times and more of what a quiet one needs.
const (
	// FirstByteLimit: xinetd's fork, exec and the loader take 2 ms, 20 ms with eight at once.
	FirstByteLimit = 5 * time.Second
	// AckPause is kept between the ACK and the first request, to see what comes unasked. A session that
	// is left sooner than 5 ms after its ACK may never end.
	AckPause = 10 * time.Millisecond
	// TextLimit is for the rest of a text whose beginning is there: qm writes an error in one piece and exits.
	TextLimit = 300 * time.Millisecond
	// ReplyLimit: a request is answered within a millisecond, but the first one has to wait for the end of the start-up.
	ReplyLimit = 10 * time.Second
	// LoginLimit: a refusal sleeps 3 s (GPL.BP/VBSRVR, sleep 3), a yescrypt hash takes 25 ms, 350 ms with eight at once.
	LoginLimit = 10 * time.Second
	// ExecuteLimit: the commands of the harness answer within milliseconds, a file creation within tens of them.
	ExecuteLimit = 30 * time.Second
	// EndLimit: the end follows the last reply within a millisecond, except when all slots are taken, where qm sleeps 2 s first (gplsrc/kernel.c:235).
	EndLimit = 5 * time.Second

	// uploadRate is a fifth of the slowest that was measured: qm reads a request byte by byte (gplsrc/op_tio.c:3690), 0.55 MB/s.
	uploadRate = 100 << 10 // bytes per second
)

// uploadLimit is ReplyLimit and the time that a request of n bytes takes to be read.
func uploadLimit(n int) time.Duration {
	return ReplyLimit + time.Duration(n)*time.Second/uploadRate
}
