package xinetd

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Record is one line of xinetd's log: a service's entry (Kind not empty) or a
// message of the program itself.
//
// A service's entries hold text from outside: the answer of an identity server
// is written as it came, line feeds included. So a line of a log file can be
// forged; only syslog keeps each message apart.
type Record struct {
	Raw    string
	Format Format
	// When has the resolution of the format, one second for files. A classic
	// syslog stamp has no year: it is that of Zone.Year.
	When time.Time
	// Writer is the PID of the xinetd process that wrote it, 0 where not told
	// (service entries in a file). It is a child for some refusals.
	Writer int
	// Severity is not set for service entries in a file.
	Severity Severity
	// Function is told for critical messages only.
	Function string
	// Text is what follows the stamp, tag and severity, without [file=] [line=],
	// which are in File and Line.
	Text string
	File string
	Line int

	Kind Kind
	// ID is the service's.
	ID string
	// Reason is that of a FAIL or NOID ("time", "connections per second").
	Reason string
	// User is what a USERID line holds after the service, as the identity server
	// wrote it: system, charset and user ("UNIX : alice").
	User     string
	PID      Optional
	Status   Optional
	Signal   Optional
	Duration time.Duration
	// From is IPv4 for a mapped address, and the zero Addr if there is none;
	// FromText is as logged.
	From     netip.Addr
	FromText string
}

// Format is where a line comes from.
type Format string

// Formats. Continuation is the rest of a message with a line feed in it, when
// its beginning isn't in the same text.
const (
	FormatFile         Format = "file"
	FormatFilelog      Format = "filelog"
	FormatSyslog       Format = "syslog"
	FormatContinuation Format = "continuation"
	FormatUnknown      Format = "unknown"
)

// Kind is the kind of a service's entry (log.h).
type Kind string

// Kinds of entry.
const (
	Start  Kind = "START"
	Exit   Kind = "EXIT"
	Fail   Kind = "FAIL"
	UserID Kind = "USERID"
	NoID   Kind = "NOID"
)

// Reasons of a FAIL entry (access.c). Child reasons come with a START and an
// EXIT of the child that refused; the others without.
const (
	ReasonAddress    = "address"
	ReasonLibwrap    = "libwrap"
	ReasonTime       = "time"
	ReasonFork       = "fork"
	ReasonInstances  = "service_limit"
	ReasonPerSource  = "per_source_limit"
	ReasonProcesses  = "process_limit"
	ReasonLoad       = "load"
	ReasonConnection = "connections per second"
)

// ByChild says whether the refusal is one that a forked child decides, which
// happens after START was logged: a START doesn't mean that the server ran.
func (r Record) ByChild() bool {
	return r.Kind == Fail && (r.Reason == ReasonAddress || r.Reason == ReasonLibwrap)
}

// Severity is a syslog level.
type Severity string

// Severities, most severe first, in the words of syslog(3).
const (
	Emergency Severity = "emerg"
	Alert     Severity = "alert"
	Critical  Severity = "crit"
	Error     Severity = "err"
	Warning   Severity = "warning"
	Notice    Severity = "notice"
	Info      Severity = "info"
	Debug     Severity = "debug"
)

var severities = []Severity{Emergency, Alert, Critical, Error, Warning, Notice, Info, Debug}

// AtLeast says whether s is as severe as other or more; an unset one isn't.
func (s Severity) AtLeast(other Severity) bool {
	at := slices.Index(severities, s)
	return at >= 0 && at <= slices.Index(severities, other)
}

// Entries returns the entries of one kind for one service id, in their order.
func Entries(records []Record, kind Kind, id string) []Record {
	var list []Record
	for _, r := range records {
		if r.Kind == kind && r.ID == id {
			list = append(list, r)
		}
	}
	return list
}

// Messages returns the program's own messages.
func Messages(records []Record) []Record {
	var list []Record
	for _, r := range records {
		if r.Kind == "" {
			list = append(list, r)
		}
	}
	return list
}

// BindFailures are the messages that say that a service's port could not be bound.
// Source: xinetd service.c (svc_activate).
func BindFailures(records []Record, service string) []Record {
	var list []Record
	for _, r := range Messages(records) {
		if strings.HasPrefix(r.Text, "bind failed") && strings.Contains(r.Text, service) {
			list = append(list, r)
		}
	}
	return list
}
