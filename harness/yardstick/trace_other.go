//go:build !amd64

package yardstick

// isAccept cannot tell on this machine; a trace then begins at the fork.
func (t *tracer) isAccept(int) bool { return false }
