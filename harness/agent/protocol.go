// Package agent is the harness's hand in a container: a small static program
// that runs as PID 1, changes files, starts and stops xinetd, snapshots /proc
// and dials from addresses of its own. It observes and obeys; it judges nothing.
//
// The control channel is net/rpc over TCP at the container's own address, in
// front of which the caller shows a token. A call costs about 0.1 ms, where a
// `docker exec` costs 60 ms, and a suite makes thousands.
package agent

import (
	"io/fs"
	"net/netip"
	"time"

	"qmconformance/harness/process"
)

// Port is where the agent listens. It lies above the ephemeral range of Linux
// (32768 to 60999), so no connection of the subject's can occupy it, and is
// registered for no service, so no package has reason to.
const Port = 61442

// Environment variables that PID 1 is started with.
const (
	// TokenEnv holds the secret that a caller must show.
	TokenEnv = "CONFORMANCE_AGENT_TOKEN"
)

// RunRequest runs a command to its end, as root, with /dev/null as its input.
type RunRequest struct {
	Argv  []string
	Dir   string
	Env   []string // added to the agent's plain environment
	Limit time.Duration
	// UID and GID drop the command to a user, when UID is not 0.
	UID, GID uint32
}

// RunResult is how a command ended.
type RunResult struct {
	// Exit is the exit status; -1 when it was ended by a signal or never started.
	Exit int
	// Signal names the signal that ended it, if one did.
	Signal string
	// StartError says why it could not be started at all.
	StartError string
	// TimedOut says that the limit ended it, and its whole process group with it.
	TimedOut bool
	// Output is what it wrote on both channels, in order, cut at OutputCap bytes.
	Output   string
	Duration time.Duration
}

// OutputCap is how much of a command's output is kept: enough for any message,
// too little for a flood to hurt.
const OutputCap = 256 << 10

// OK reports whether the command ended by itself with status 0.
func (r RunResult) OK() bool { return r.Exit == 0 && !r.TimedOut && r.StartError == "" }

// Entry is one file of a tree, as lstat sees it.
type Entry struct {
	Path     string
	Mode     fs.FileMode
	UID, GID uint32
	Size     int64
	Link     string // target of a symbolic link
}

// File is an entry of a directory, with its content where that was read along.
type File struct {
	Entry
	Read bool
	Text []byte
}

// User is an account of the harness's own that is added to a target.
type User struct {
	Name string
	// Group is the primary group's name; an own group named as the user is made
	// when it is empty.
	Group string
	Hash  string // crypt(5) form
	Home  string
}

// Daemon is the state of a program that the agent started and watches.
type Daemon struct {
	PID     int
	Running bool
	// Exit says how it ended: "exit status 1", "signal: killed".
	Exit    string
	Started time.Time
	// Output is what it wrote on stdout and stderr.
	Output string
}

// SyslogMessage is one datagram that arrived at the /dev/log of the harness.
type SyslogMessage struct {
	At time.Time
	// Raw is the datagram: "<30>Nov 22 08:06:01 xinetd[73]: text".
	Raw string
}

// Address is one of a container's own.
type Address struct {
	Interface string
	Prefix    netip.Prefix
	// Tentative says that duplicate address detection (RFC 4862) is under way: the
	// kernel does not yet answer for the address.
	Tentative bool
}

// Snapshot is a look at /proc.
type Snapshot = process.Snapshot
