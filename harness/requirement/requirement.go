// Package requirement holds what a conformant set-up keeps: one sentence each,
// with a stable ID. The catalogue is data (catalogue/*.yaml); this package reads
// it, checks its integrity and answers questions about it. It knows nothing of
// how a requirement is judged.
package requirement

import "slices"

// Level says what a failing requirement does to the outcome of a run.
type Level string

// A failing Must is a violation; a failing Should is a warning.
const (
	Must   Level = "MUST"
	Should Level = "SHOULD"
)

// Service is what a requirement is judged for: one of the two network services,
// or the host that carries both.
type Service string

// The names are those of /etc/services and of xinetd's service blocks.
const (
	QMServer Service = "qmserver"
	QMClient Service = "qmclient"
	Host     Service = "host"
)

// NetworkServices are the two services in the order of their usual ports.
var NetworkServices = []Service{QMServer, QMClient}

// UsualPort is the port that the service has everywhere unless a package moves
// it; 0 for Host. Source: ScarletDME etc/xinetd.d/services.
func (s Service) UsualPort() uint16 {
	switch s {
	case QMServer:
		return 4242
	case QMClient:
		return 4243
	}
	return 0
}

// ServerArgs are the arguments that make qm speak the service's protocol.
// Source: ScarletDME etc/xinetd.d/qmserver and qmclient.
func (s Service) ServerArgs() []string {
	switch s {
	case QMServer:
		return []string{"-n"}
	case QMClient:
		return []string{"-n", "-q"}
	}
	return nil
}

// Capability is something that a target may or may not be able to do.
// A requirement names those without which it cannot be judged.
type Capability string

// What targets differ in. A target in a container of ours has all of them but perhaps
// the last.
const (
	Boot             Capability = "boot"
	Reconfigure      Capability = "reconfigure"
	ObserveProcesses Capability = "observe-processes"
	ReadLogs         Capability = "read-logs"
	ReadFiles        Capability = "read-files"
	Login            Capability = "login"
	IPv6             Capability = "ipv6"
	ClientHosts      Capability = "client-hosts"
	// BootSystemd needs Debian's packages and a daemon that lets systemd have a part
	// of the control groups; whether a target has it is found by trying.
	BootSystemd Capability = "boot-systemd"
)

// Capabilities lists every known capability.
var Capabilities = []Capability{Boot, Reconfigure, ObserveProcesses, ReadLogs, ReadFiles, Login, IPv6, ClientHosts, BootSystemd}

// Requirement is one sentence of the contract.
type Requirement struct {
	ID       string    `yaml:"id"`
	Area     string    `yaml:"-"` // from the file that it stands in
	Level    Level     `yaml:"level"`
	Services []Service `yaml:"services"`
	Sentence string    `yaml:"sentence"`
	// Why says what users see when it is not kept.
	Why string `yaml:"why"`
	// Source is the section of a manual page, of ScarletDME's documentation, or a
	// source file and line; paraphrased, never quoted.
	Source string `yaml:"source"`
	// Hint is where to look first; a rule that knows better replaces it.
	Hint string `yaml:"hint"`
	// Needs are the capabilities without which the verdict is not-applicable.
	Needs []Capability `yaml:"needs"`
	// Requires are the IDs that must be kept before this one can be judged at
	// all; when one is red the verdict is not-testable because of it.
	Requires []string `yaml:"requires"`
	// Follows are the IDs whose violation explains a violation of this one: the
	// verdict stays fail, and names the cause.
	Follows []string `yaml:"follows"`
	// Slow marks a requirement that takes a long wait by nature; the quick
	// profile leaves it out.
	Slow bool `yaml:"slow"`
}

// For reports whether the requirement is judged for the service.
func (r Requirement) For(s Service) bool { return slices.Contains(r.Services, s) }

// Counterparts are the services for which this requirement answers a question
// about s: the same one where it is judged for s, else the host; and for the
// host, which carries both, every service that it is judged for.
func (r Requirement) Counterparts(s Service) []Service {
	switch {
	case r.For(s):
		return []Service{s}
	case r.For(Host):
		return []Service{Host}
	case s == Host:
		return r.Services
	}
	return nil
}

// SlowLabel marks the specs that the quick profile leaves out.
const SlowLabel = "slow"
