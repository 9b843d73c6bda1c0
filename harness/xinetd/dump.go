package xinetd

import (
	"errors"
	"net/netip"
	"strings"
)

// Dump is the state that xinetd appends to its dump file on SIGUSR1
// (internals.c, dump_internal_state): what is in force, whatever the files say.
//
// It doesn't show max_load, the rlimits, v6only, banners, deny_time of a service
// that isn't a sensor, "disable" and "enabled": these need other evidence.
type Dump struct {
	Version string
	// Time is the text of ctime(3), in the time zone of xinetd.
	Time     string
	Defaults Settings
	// Services that failed to bind are not among them; one that is suspended is,
	// with another State.
	Services []Settings
	Servers  []Server
	// Retries are the connections that wait for another attempt to fork.
	Retries []Server

	ActiveServices    Optional
	AvailableServices Optional
	DescriptorsFree   Optional
	RunningServers    Optional
	MaxDescriptors    Optional
	ProcessLimit      Optional
	SocketMask        []int
	OtherDescriptors  []int
	// LoggingService: the service for ident lookups exists.
	LoggingService bool
	ConfigFile     string
	// Unknown are the lines outside services that were not understood.
	Unknown []string
}

// Optional is a number that may be absent. A pointer would lose its zero on
// the way through encoding/gob, and user 0 is what this is about.
type Optional struct {
	Set   bool
	Value int
}

func number(value int) Optional { return Optional{Set: true, Value: value} }

// Unlimited is the value of a limit that is lifted explicitly.
const Unlimited = -1

// Settings is what holds for one service, or for the defaults (where Service,
// ID, State and all that a service alone has are empty).
type Settings struct {
	Service string
	ID      string
	// State is "Active", "Disabled", "Suspended" or "Not started" (service.c).
	State string
	// Flags are in the dump's order. IPv4 or IPv6 is always among those of an
	// Internet service, whether the configuration names it or not.
	Flags          []string
	Types          []string
	SocketType     string
	Protocol       string
	ProtocolNumber Optional
	Port           Optional
	// Wait is "yes", "no", or empty where not shown.
	Wait string
	// User is not set for a service without the attribute, and Group neither: then
	// the session keeps xinetd's own group.
	User  Optional
	Group Optional
	// Groups is "yes" or "no"; for a service it is always shown.
	Groups string
	// Umask that isn't set means that the session gets xinetd's own with 022
	// added (init.c).
	Umask     Optional
	Nice      Optional
	Instances Optional
	PerSource Optional
	// ConnectionsPerSecond and its Wait in seconds are not set for the built-in
	// 50 10; 0 0 lifts the limit.
	ConnectionsPerSecond     Optional
	ConnectionsPerSecondWait Optional
	// Bind is "" for all addresses. xinetd prints the name of the address where
	// it finds one ("localhost" for 127.0.0.1).
	Bind   string
	Server string
	// Argv is split at blanks, which the dump doesn't tell from blanks within.
	Argv        []string
	Libwrap     string
	Redirect    string
	AccessTimes []string
	// OnlyFrom and NoAccess are empty where the dump says "All sites" and "No
	// blocked sites". CAUTION: "only_from =" and a list of which nothing could be
	// parsed are shown as "All sites" too, and yet refuse everybody.
	OnlyFrom []Rule
	NoAccess []Rule
	DenyTime Optional
	Log      LogTarget
	// OnSuccess and OnFailure are empty if Log.Kind is LogNone: then nothing is
	// logged, whatever the configuration asks for.
	OnSuccess []string
	OnFailure []string
	// PassEnv is meaningful if PassEnvSet; Env is what the service adds, and
	// Environment what its servers get, if that isn't xinetd's own.
	PassEnv     []string
	PassEnvSet  bool
	Env         []string
	Environment []string

	Running   Optional
	Retrying  Optional
	Attempts  Optional
	ServiceFD Optional
	// Unknown are the lines of the service that were not understood.
	Unknown []string
}

// Rule is one entry of an access list.
type Rule struct {
	// Address is an address or name; Mask is set for a NET rule only.
	Address string
	Mask    string
	// Kind is "NUMERIC", "NET", "HOST" or "BAD" (addr.c, addrlist_dump).
	Kind string
}

// LogTarget says where START, EXIT and FAIL lines go.
type LogTarget struct {
	Kind     string
	File     string
	Soft     Optional
	Hard     Optional
	Facility string
	Level    string
}

// Kinds of log target. LogCommon is the file of the defaults.
const (
	LogNone   = "none"
	LogCommon = "common"
	LogFile   = "file"
	LogSyslog = "syslog"
)

// Server is a running server, or one to be retried.
type Server struct {
	// ID is that of the service that runs it: an ident lookup runs in xinetd's
	// own "logging" service, and For is then the service it is done for.
	ID            string
	For           string
	PID           int
	StartTime     string
	Remote        netip.AddrPort
	RemoteText    string
	Descriptor    Optional
	ForkFailures  Optional
	LogRemoteUser bool
	WritesToLog   bool
	Unknown       []string
}

// ErrNoDump: there is no complete dump in the text.
var ErrNoDump = errors.New("no complete state dump")

const (
	dumpStart = "INTERNAL STATE DUMP: "
	dumpEnd   = "END OF DUMP"
)

// CountDumps counts the complete dumps in a dump file: whoever asks for another
// waits until there is one more.
func CountDumps(text string) int {
	count := 0
	for line := range strings.Lines(text) {
		if strings.TrimRight(line, "\n") == dumpEnd && strings.HasSuffix(line, "\n") {
			count++
		}
	}
	return count
}

// ParseDump reads the last complete dump of a dump file, ErrNoDump if none is.
func ParseDump(text string) (Dump, error) {
	var current, complete []string
	open := false
	for line := range strings.Lines(text) {
		whole := strings.HasSuffix(line, "\n")
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, dumpStart):
			current, open = []string{line}, true
		case line == dumpEnd && whole && open:
			complete, current, open = current, nil, false
		case open:
			current = append(current, line)
		}
	}
	if complete == nil {
		return Dump{}, ErrNoDump
	}
	p := dumpParser{}
	for _, line := range complete {
		p.line(line)
	}
	return p.dump, nil
}

// Service returns the services of that id or, failing that, of that name.
func (d Dump) Service(name string) []Settings {
	var byID, byName []Settings
	for _, s := range d.Services {
		switch name {
		case s.ID:
			byID = append(byID, s)
		case s.Service:
			byName = append(byName, s)
		}
	}
	if len(byID) > 0 {
		return byID
	}
	return byName
}

// OnPort returns the services of that port.
func (d Dump) OnPort(port int) []Settings {
	var list []Settings
	for _, s := range d.Services {
		if s.Port == number(port) {
			list = append(list, s)
		}
	}
	return list
}

// LogFileOf is the file that a service logs to, "" if it isn't a file.
func (d Dump) LogFileOf(s Settings) string {
	if s.Log.Kind == LogCommon {
		return d.Defaults.Log.File
	}
	return s.Log.File
}
