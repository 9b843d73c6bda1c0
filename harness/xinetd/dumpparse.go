package xinetd

import (
	"net/netip"
	"strconv"
	"strings"
)

// dumpParser goes through the lines of one dump. Sections are told by their
// heading at the beginning of a line; what belongs to a service is indented.
type dumpParser struct {
	dump    Dump
	section section
	// list is where the lines of a heading within a service go, such as
	// "Environment strings:".
	list      *[]string
	listDepth int
}

type section int

const (
	sectionTop section = iota
	sectionDefaults
	sectionService
	sectionServers
	sectionRetries
	sectionEnd
)

func (p *dumpParser) line(line string) {
	text := strings.TrimLeft(line, "\t")
	depth := len(line) - len(text)
	if text == "" {
		p.list = nil
		return
	}
	if p.list != nil && depth >= p.listDepth {
		*p.list = append(*p.list, text)
		return
	}
	p.list = nil
	if depth == 0 && p.heading(text) {
		return
	}
	switch p.section {
	case sectionDefaults:
		p.setting(&p.dump.Defaults, text, depth)
	case sectionService:
		p.setting(&p.dump.Services[len(p.dump.Services)-1], text, depth)
	case sectionServers:
		p.dump.Servers = server(p.dump.Servers, text, &p.dump.Unknown)
	case sectionRetries:
		p.dump.Retries = server(p.dump.Retries, text, &p.dump.Unknown)
	default:
		p.top(text)
	}
}

// heading begins a section; false if the line is none.
func (p *dumpParser) heading(text string) bool {
	switch key, value, _ := cut(text); {
	case strings.HasPrefix(text, dumpStart):
		p.dump.Version = strings.TrimPrefix(text, dumpStart)
	case strings.HasPrefix(text, "Current time: "):
		p.dump.Time = strings.TrimPrefix(text, "Current time: ")
	case text == "Services + defaults:":
	case text == "Service defaults":
		p.section = sectionDefaults
	case key == "Service" && p.section <= sectionService:
		p.section = sectionService
		p.dump.Services = append(p.dump.Services, Settings{Service: value})
	case text == "Server table dump:":
		p.section = sectionServers
	case text == "Retry table dump:":
		p.section = sectionRetries
	case strings.HasPrefix(text, "Socket mask:"):
		p.section = sectionEnd
		p.dump.SocketMask = integers(strings.TrimPrefix(text, "Socket mask:"))
	default:
		return false
	}
	return true
}

// top reads the figures at the end.
func (p *dumpParser) top(text string) {
	if rest, ok := strings.CutPrefix(text, "Open descriptors (not in socket mask):"); ok {
		p.dump.OtherDescriptors = integers(rest)
		return
	}
	key, value, ok := cut(text)
	figures := map[string]*Optional{
		"active_services": &p.dump.ActiveServices, "available_services": &p.dump.AvailableServices,
		"descriptors_free": &p.dump.DescriptorsFree, "running_servers": &p.dump.RunningServers,
		"max_descriptors": &p.dump.MaxDescriptors, "process_limit": &p.dump.ProcessLimit,
	}
	switch {
	case ok && figures[key] != nil && decimal(value, figures[key]):
	case ok && key == "Logging service":
		p.dump.LoggingService = value == "enabled"
	case ok && key == "config_file":
		p.dump.ConfigFile = value
	case ok && (key == "pfds_last" || key == "mask_max" || key == "debug_fd"):
		// xinetd's own bookkeeping
	default:
		p.dump.Unknown = append(p.dump.Unknown, text)
	}
}

// setting reads one line of a service or of the defaults.
func (p *dumpParser) setting(s *Settings, text string, depth int) {
	if !p.plain(s, text) && !p.odd(s, text, depth) {
		s.Unknown = append(s.Unknown, text)
	}
}

// plain reads the lines of the shape "name = value".
func (p *dumpParser) plain(s *Settings, text string) bool {
	key, value, ok := cut(text)
	if !ok {
		return false
	}
	words := map[string]*string{
		"State": &s.State, "id": &s.ID, "socket_type": &s.SocketType, "wait": &s.Wait, "Groups": &s.Groups,
		"Server": &s.Server, "Libwrap": &s.Libwrap, "Redirect": &s.Redirect,
	}
	lists := map[string]*[]string{
		"flags": &s.Flags, "type": &s.Types, "Access times": &s.AccessTimes, "Log_on_success flags": &s.OnSuccess,
		"Log_on_failure flags": &s.OnFailure, "Passenv": &s.PassEnv,
	}
	numbers := map[string]*Optional{
		"port": &s.Port, "user": &s.User, "group": &s.Group, "Nice": &s.Nice, "PER_SOURCE": &s.PerSource,
		"running servers": &s.Running, "retry servers": &s.Retrying, "attempts": &s.Attempts, "service fd": &s.ServiceFD,
	}
	switch {
	case words[key] != nil:
		*words[key] = value
	case lists[key] != nil:
		*lists[key] = strings.Fields(value)
		s.PassEnvSet = s.PassEnvSet || key == "Passenv"
	case numbers[key] != nil:
		return decimal(value, numbers[key])
	case key == "Instances" && value == "UNLIMITED":
		s.Instances = number(Unlimited)
	case key == "Instances":
		return decimal(value, &s.Instances)
	case key == "umask":
		mask, err := strconv.ParseUint(value, 8, 16)
		s.Umask = number(int(mask))
		return err == nil
	case key == "Server argv":
		if value != "(NULL)" {
			s.Argv = strings.Fields(value)
		}
	case key == "Bind":
		if s.Bind = value; value == "All addresses." {
			s.Bind = ""
		}
	case key == "Protocol (name,number)":
		name, protocol, _ := strings.Cut(strings.Trim(value, "()"), ",")
		s.Protocol = name
		return decimal(protocol, &s.ProtocolNumber)
	case key == "CPS":
		most, wait, _ := strings.Cut(strings.TrimPrefix(value, "max conn:"), " wait:")
		return decimal(most, &s.ConnectionsPerSecond) && decimal(wait, &s.ConnectionsPerSecondWait)
	default:
		return false
	}
	return true
}

// odd reads the lines of other shapes.
func (p *dumpParser) odd(s *Settings, text string, depth int) bool {
	key, value, _ := strings.Cut(text, ":")
	value = strings.TrimSpace(value)
	switch {
	case key == "Service configuration":
		// the name once more
	case key == "Only from":
		s.OnlyFrom = rules(value, "All sites")
	case key == "No access":
		s.NoAccess = rules(value, "No blocked sites")
	case key == "Deny Time":
		return decimal(value, &s.DenyTime)
	case text == "No logging":
		s.Log.Kind = LogNone
	case text == "Logging to common log file":
		s.Log.Kind = LogCommon
	case key == "Logging to file":
		return logFile(&s.Log, value)
	case strings.HasPrefix(text, "Logging to syslog. Facility = "):
		s.Log.Kind = LogSyslog
		s.Log.Facility, s.Log.Level, _ = strings.Cut(strings.TrimPrefix(text, "Logging to syslog. Facility = "), ", level = ")
	case text == "Environment additions:":
		p.list, p.listDepth = &s.Env, depth+1
	case text == "Environment strings:":
		p.list, p.listDepth = &s.Environment, depth+1
	default:
		return false
	}
	return true
}

// logFile reads "NAME (no limits)" or "NAME (soft=N hard=N)".
func logFile(log *LogTarget, value string) bool {
	at := strings.LastIndex(value, " (")
	if at < 0 {
		return false
	}
	log.Kind, log.File = LogFile, value[:at]
	limits := strings.TrimSuffix(value[at+2:], ")")
	if limits == "no limits" {
		return true
	}
	soft, hard, _ := strings.Cut(strings.TrimPrefix(limits, "soft="), " hard=")
	return decimal(soft, &log.Soft) && decimal(hard, &log.Hard)
}

// rules reads "192.0.2.0(NUMERIC) 10.0.0.0/255.0.0.0(NET)"; none is the text
// for an empty list.
func rules(value, none string) []Rule {
	if value == none {
		return nil
	}
	var list []Rule
	for _, word := range strings.Fields(value) {
		rule := Rule{Address: word}
		if at := strings.LastIndexByte(word, '('); at >= 0 && strings.HasSuffix(word, ")") {
			rule.Address, rule.Kind = word[:at], word[at+1:len(word)-1]
		}
		if rule.Kind == "NET" {
			rule.Address, rule.Mask, _ = strings.Cut(rule.Address, "/")
		}
		list = append(list, rule)
	}
	return list
}

// server reads one line of a server table; "ID server" begins an entry.
func server(list []Server, text string, unknown *[]string) []Server {
	if id, ok := strings.CutSuffix(text, " server"); ok && !strings.Contains(id, " ") {
		return append(list, Server{ID: id})
	}
	if len(list) == 0 {
		*unknown = append(*unknown, text)
		return list
	}
	s := &list[len(list)-1]
	key, value, _ := cut(text)
	var pid Optional
	switch {
	case text == "Connection info:" || key == "flags":
	case key == "pid" && decimal(value, &pid):
		s.PID = pid.Value
	case key == "start_time":
		s.StartTime = value
	case key == "service":
		s.For = value
	case key == "descriptor" && decimal(value, &s.Descriptor):
	case key == "fork_failures" && decimal(value, &s.ForkFailures):
	case key == "log_remote_user":
		s.LogRemoteUser = value == "YES"
	case key == "writes_to_log":
		s.WritesToLog = value == "YES"
	case key == "remote_address":
		s.RemoteText = value
		s.Remote = remote(value)
	default:
		s.Unknown = append(s.Unknown, text)
	}
	return list
}

// remote reads "::ffff:127.0.0.1,42474"; a mapped address becomes IPv4.
func remote(text string) netip.AddrPort {
	at := strings.LastIndexByte(text, ',')
	if at < 0 {
		return netip.AddrPort{}
	}
	port, err := strconv.ParseUint(text[at+1:], 10, 16)
	addr, bad := netip.ParseAddr(text[:at])
	if err != nil || bad != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(port))
}

// cut splits "key = value"; the value may be empty ("Passenv =").
func cut(text string) (key, value string, ok bool) {
	key, value, ok = strings.Cut(text, " =")
	return key, strings.TrimPrefix(value, " "), ok
}

func decimal(text string, into *Optional) bool {
	value, err := strconv.Atoi(text)
	if err != nil {
		return false
	}
	*into = number(value)
	return true
}

func integers(text string) []int {
	var list []int
	for _, word := range strings.Fields(text) {
		if value, err := strconv.Atoi(word); err == nil {
			list = append(list, value)
		}
	}
	return list
}
