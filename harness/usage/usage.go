// Package usage tells a user's mistake from every other error. A mistake ends
// the run as a usage-error with one line that says what to do.
package usage

import (
	"errors"
	"fmt"
)

// Error is a mistake of the user's: what is wrong and what to do about it.
type Error struct{ text string }

func (e *Error) Error() string { return e.text }

// Errorf makes an Error. One line, ending with what to do.
func Errorf(format string, args ...any) error {
	return &Error{fmt.Sprintf(format, args...)}
}

// Is reports whether err is, or wraps, a user's mistake.
func Is(err error) bool {
	var u *Error
	return errors.As(err, &u)
}
