package xinetd

import "regexp"

// rule explains one message of xinetd. The named parts "service" and
// "attribute" of the pattern go into the complaint. A rule without a code is
// for a message that is no complaint.
type rule struct {
	pattern   *regexp.Regexp
	code      string
	effect    Effect
	attribute string
	meaning   string
	hint      string
}

// Codes that the order of complaints depends on.
const (
	codeBind             = "bind-failed"
	codeNotStarted       = "not-started"
	codeDisabling        = "disabling"
	codeRemoved          = "removed"
	codeMissingAttribute = "missing-attribute"
	codeIncomplete       = "incomplete-block"
	codeUnclosed         = "unclosed-block"
	codeUnknownAttribute = "unknown-attribute"
	codeFatal            = "fatal"
)

var (
	startedWith    = regexp.MustCompile(`^(?:xinetd Version )?(\S+) started with `)
	startedWorking = regexp.MustCompile(`^Started working: (\d+) available service`)
)

func re(pattern string) *regexp.Regexp { return regexp.MustCompile(pattern) }

// explanations are tried in their order. The texts are those of 2.3.15.3 (parse.c,
// parsesup.c, parsers.c, confparse.c, service.c, includedir.c, conf.c, init.c).
var explanations = []rule{
	// said by every healthy xinetd
	{pattern: re(`^Reading included configuration file: `)},
	{pattern: startedWith},
	{pattern: startedWorking},
	{pattern: re(`^(Starting reconfiguration|Swapping defaults|readjusting service |Reconfigured: |generated state dump |Consistency check passed|Activating service |bind retry attempt |Exiting\.\.\.$)`)},
	{pattern: re(`^removing (?P<service>\S+)$`), code: codeRemoved},

	// the file's shape
	{re(`^missing service keyword`), "missing-keyword", Closed, "", "everything up to the next closing brace is ignored, and the service in it with it", "look for a byte order mark, or a line before the word service"},
	{re(`^service name missing`), "missing-name", Closed, "", "the block is ignored", "write the service's name after the word service"},
	{re(`^Service (?P<service>\S+): missing '\{'`), "missing-brace", Closed, "", "the whole block is ignored", "put { on a line of its own"},
	{re(`^incomplete entry`), codeIncomplete, Closed, "", "the block is ignored, because its closing brace is missing", "put } on a line of its own"},
	{re(`^missing \} in last service entry`), codeUnclosed, Closed, "", "the block is ignored to the end of the file", "put } on a line of its own"},
	{re(`^Attribute (?P<attribute>\S+) needs a space before operator`), "no-blank", Closed, "", "the whole service is dropped for this line", "put a blank before the ="},
	{re(`^(Bad operator for attribute|Nothing after attribute): (?P<attribute>\S+)`), "bad-operator", Closed, "", "the whole block is dropped for this line", "write ATTRIBUTE = VALUE"},
	{re(`^only 1 defaults entry is allowed`), "second-defaults", Weakened, "", "this defaults block is ignored", "merge it into the first one"},

	// lines that are passed over
	{re(`^bad service attribute: (?P<attribute>\S+)`), codeUnknownAttribute, Weakened, "", "the line is ignored, and the service runs with the default for what was meant", "correct the spelling"},
	{re(`^attribute: (?P<attribute>\S+) should not be in default section`), "wrong-section", Weakened, "", "the line is ignored", "move it into the service's block"},
	{re(`^Service (?P<service>\S+): attribute already set: (?P<attribute>\S+)`), "already-set", Weakened, "", "only the first of the two lines counts", "remove one of them"},
	{re(`^Service (?P<service>\S+): operator '.*' cannot be used for attribute '(?P<attribute>[^']+)'`), "wrong-operator", Weakened, "", "the line is ignored, and the attribute is not set", "write ="},
	{re(`^attribute (?P<attribute>\S+) expects \d+ values and \d+ values were specified`), "wrong-count", Weakened, "", "the line is ignored, and the attribute is not set", "comments stand on lines of their own; everything after the = is a value"},

	// values
	{re(`^Unknown group: `), "unknown-group", Weakened, "group", "without its group the session would run with xinetd's own, usually root's", "create the group before xinetd starts"},
	{re(`^Unknown user: `), "unknown-user", Closed, "user", "the service can't start without a user", "create the user before xinetd starts"},
	{re(`^umask argument is invalid`), "bad-umask", Weakened, "umask", "the session gets the default umask 022", "write an octal number up to 777"},
	{re(`^Server .* is not executable`), "server-not-executable", Closed, "server", "there is no program to start, and SIGHUP at such a moment also kills running sessions", "install the program before xinetd starts, with its execute bit"},
	{re(`^Must specify a server in (?P<service>\S+)`), codeMissingAttribute, Closed, "server", "the service is dropped, because it has no program", "set server to the program's path"},
	{re(`^Service (?P<service>\S+) missing attribute (?P<attribute>\S+) - DISABLING`), codeMissingAttribute, Closed, "", "the service is dropped without this attribute", "set it"},
	{re(`^Bad service flag: `), "bad-flag", Weakened, "flags", "the line is in error, and none of its flags is set", "correct the flag"},
	{re(`^Bad log_on_failure flag: `), "bad-log-flag", Weakened, "log_on_failure", "refusals are not logged as asked", "correct the flag"},
	{re(`^Bad log_on_success flag: `), "bad-log-flag", Weakened, "log_on_success", "sessions are not logged as asked", "correct the flag"},
	{re(`^Bad value for (?P<attribute>groups|wait|v6only): `), "bad-value", Weakened, "", "the attribute is not set", "write yes or no"},
	{re(`^Bad value: `), "bad-value", Closed, "disable", "the service stays disabled", "write yes or no"},
	{re(`^Bad socket type: `), "bad-value", Weakened, "socket_type", "the attribute is not set", "write stream"},
	{re(`^Protocol .* not in /etc/protocols`), "unknown-protocol", Weakened, "protocol", "the protocol is not set", "correct it, or install the file /etc/protocols (package netbase)"},
	{re(`^invalid time interval`), "bad-time", Weakened, "access_times", "the times are in error", "write hh:mm-hh:mm with hours from 0 to 23 and the end after the beginning"},
	{re(`^Number of (per source )?instances is invalid: `), "bad-value", Weakened, "", "the limit is in error", "write a number or UNLIMITED"},
	{re(`^failed to parse `), "unparsed-address", Weakened, "", "the address is left out; a list that stays empty matches nobody, so that only_from then refuses everybody", "write an address, network or resolvable name"},
	{re(`^Address: .* has a comma in it`), "bad-address", Weakened, "", "the list is in error", "separate addresses by blanks"},
	{re(`^Bad address: `), "bad-address", Weakened, "", "the list is in error", "write an address, network or name"},
	{re(`^undefined environment variable: `), "undefined-variable", Weakened, "passenv", "the variable is not passed on, because xinetd itself doesn't have it", "set it for xinetd, or leave it out"},
	{re(`^Error parsing attribute (?P<attribute>\S+) - DISABLING SERVICE`), codeDisabling, Weakened, "", "the service is marked as disabled, but a later \"disable = no\" clears the mark, and it runs without this attribute", "correct the attribute"},
	{re(`^Service (?P<service>\S+) should not have TRAFFIC flag`), "traffic-flag", Closed, "log_on_success", "the service is dropped, because TRAFFIC is for redirected services only", "remove TRAFFIC"},

	// names and ports
	{re(`^Port not specified and can't find service: (?P<service>\S+) with getservbyname`), "no-port", Closed, "port", "the service has no port and is dropped", "add its line to /etc/services, or set port and type = UNLISTED"},
	{re(`^service/protocol combination not in /etc/services: (?P<service>[^/\s]+)/`), "not-in-services", Closed, "port", "the service is dropped, because its name is not in /etc/services", "add the line, or set type = UNLISTED"},
	{re(`^Service (?P<service>\S+) expects port \d+, not \d+`), "port-mismatch", Closed, "port", "the service is dropped, because /etc/services has another port for it", "change one of the two, or set type = UNLISTED"},
	{re(`^No such internal service: (?P<service>[^/\s]+)/`), "no-internal-service", Closed, "type", "the service is dropped: xinetd has no such service built in", "remove type = INTERNAL"},
	{re(`^Unlisted service: (?P<service>\S+) must have a port entry`), "no-port", Closed, "port", "the service has no port and is dropped", "set port"},
	{re(`^A protocol or a socket_type must be specified for service: (?P<service>[^.\s]+)`), codeMissingAttribute, Closed, "protocol", "the service is dropped", "set protocol and socket_type"},

	// start
	{re(`^bind failed \(.*\)\. service = (?P<service>\S+)`), codeBind, Closed, "port", "the port can't be had, and xinetd does not try again until it is reloaded", "look for a second block of this service, another program on the port, or an address that this machine doesn't have"},
	{re(`^[Ss]ervice (?P<service>\S+) failed to start and is deactivated`), codeNotStarted, Closed, "", "the service isn't available until xinetd is reloaded", "see the message before it"},
	{re(`^Deactivating service (?P<service>\S+) due to excessive incoming connections`), "cps-tripped", Closed, "cps", "the port is closed for a while: too many connections came in a second", "raise cps"},
	{re(`^Deactivating service (?P<service>\S+) due to `), "deactivated", Closed, "", "the port is closed for a while", "see the reason in the message"},
	{re(`^Error activating service (?P<service>\S+)`), codeNotStarted, Closed, "", "the port stays closed until xinetd is restarted", "restart xinetd"},
	{re(`^Service (?P<service>\S+) disabled because of lack of file descriptors|^Maximum number of services reached`), "no-descriptors", Closed, "", "there are not enough file descriptors for all services", "raise the limit of open files for xinetd"},
	{re(`^creation of \S+ log failed|^failed to create a log for service `), "no-log", Closed, "log_type", "the log file can't be written, and the services are deactivated", "create its directory"},
	{re(`^execv\( .* \) failed: `), "exec-failed", Weakened, "server", "a connection was accepted, but the program could not be started: its client sees an end without a byte", "look at the program's file, its mode and its interpreter"},

	// includes
	{re(`is not a regular file\. It is being skipped`), "not-regular", Weakened, "", "the file is not read", "remove it from the directory"},
	{re(`^Unable to stat includedir file `), "unreadable-include", Weakened, "", "the file is not read; it may be a link to nowhere", "repair the link"},
	{re(`^Unable to (read included directory|open included configuration file): `), "unreadable-include", Closed, "", "nothing from there is read", "create it, or correct the name"},

	// the end of everything
	{re(`^open\( .* \) failed: `), "no-configuration", Fatal, "", "the configuration file can't be read", "install it"},
	{re(`^Cannot set more than one log_type`), "already-set", Fatal, "log_type", "a second log_type is an error, and in defaults it ends xinetd", "remove one of them"},
	{re(`^A fatal error was encountered while parsing the default section|^couldn't get configuration|^no services\. Exiting|^No available services\. Exiting`), codeFatal, Fatal, "", "xinetd ends, and with it every service, on a reload too", "correct the error before this message"},
}
