// Package lifecycle judges what reloads, restarts and crashes do to sessions,
// to new connections and to the log.
package lifecycle

const area = "lifecycle"
