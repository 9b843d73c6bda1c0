package image

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/moby/moby/client"
)

// UsageError is a mistake that only the person who started the run can
// correct. Its text is one line that says what to do.
type UsageError struct {
	Problem string
	Cause   error // may be nil
}

func (e *UsageError) Error() string { return oneLine(e.Problem, e.Cause) }
func (e *UsageError) Unwrap() error { return e.Cause }

// EnvironmentError says that the machine does not provide what a run needs: no
// Docker daemon, no room on its disk, no answer in time. One line, as above.
type EnvironmentError struct {
	Problem string
	Cause   error // may be nil
	// Late says that the time was over.
	Late bool
}

func (e *EnvironmentError) Error() string { return oneLine(e.Problem, e.Cause) }
func (e *EnvironmentError) Unwrap() error { return e.Cause }

func usage(cause error, format string, args ...any) error {
	return &UsageError{Problem: fmt.Sprintf(format, args...), Cause: cause}
}

// maxCause bounds how much of a foreign message is shown. A build's error can
// quote its whole command.
const maxCause = 300

func oneLine(problem string, cause error) string {
	if cause == nil {
		return problem
	}
	text := strings.Join(strings.Fields(cause.Error()), " ")
	if len(text) > maxCause {
		text = strings.ToValidUTF8(text[:maxCause], "") + "..."
	}
	return problem + ": " + text
}

// Explain is an error of the Docker client in the words for a person; doing is what
// was tried, and limit the time that it had.
func Explain(err error, doing string, limit time.Duration) error { return classify(err, doing, limit) }

// classify turns an error of the Docker client into one that a person can act
// on. doing is what was tried, in the form "build the target image"; limit is
// the time it had. An interrupt passes unchanged, and so does what is classified already.
func classify(err error, doing string, limit time.Duration) error {
	var u *UsageError
	var e *EnvironmentError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &u), errors.As(err, &e), errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, os.ErrPermission), strings.Contains(err.Error(), "permission denied while trying to connect"):
		return &EnvironmentError{Problem: "no permission to use Docker: add this user to the group docker, or run as root", Cause: err}
	case errors.Is(err, context.DeadlineExceeded):
		return &EnvironmentError{Problem: fmt.Sprintf("Docker did not %s within %s: see whether its daemon is well (docker info)", doing, limit), Late: true}
	case client.IsErrConnectionFailed(err):
		return &EnvironmentError{Problem: "no Docker daemon answers: start it, or set DOCKER_HOST", Cause: err}
	case strings.Contains(err.Error(), "no space left on device"):
		return &EnvironmentError{Problem: "Docker has no disk space left: free some, for example with \"make clean\" or \"docker system prune\"", Cause: err}
	}
	return &EnvironmentError{Problem: "Docker could not " + doing, Cause: err}
}

// Unpackaged says that a build failed in a command of its own, or ran out of time: a
// package manager that has no packages, or whose mirror is not reached. It did not fail
// for what Docker lacks.
func Unpackaged(err error) bool {
	var e *EnvironmentError
	return errors.As(err, &e) && (e.Late || e.Cause != nil && strings.Contains(e.Cause.Error(), "non-zero code"))
}
