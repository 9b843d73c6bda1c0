package run

import (
	"os"

	"golang.org/x/sys/unix"
)

// watched says whether a person reads a stream: only then is colour of use, or a
// line that changes in place.
func watched(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// usualColumns is the width of a terminal that does not tell its own.
const usualColumns = 80

// terminalWidth asks a terminal how wide it is, each time since a window may be
// drawn wider; nil where the stream is none, or where its terminal cannot erase.
func terminalWidth(f *os.File) func() int {
	if !watched(f) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return func() int {
		size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
		if err != nil || size.Col == 0 {
			return usualColumns
		}
		return int(size.Col)
	}
}

// colored says whether a stream gets colour.
func colored(f *os.File) bool { return watched(f) && os.Getenv("NO_COLOR") == "" }
