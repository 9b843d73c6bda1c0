package xinetd

import "strings"

// The attributes that xinetd knows, as parse.c of 2.3.15.3 lists them, with the
// number of values each takes: a positive number is exact; listed accepts any
// number; extended does too and is the only kind that += and -= work on.
const (
	listed   = -1
	extended = -2
)

var serviceAttributes = map[string]int{
	"socket_type": 1, "protocol": 1, "wait": 1, "user": 1, "group": 1, "server": 1, "server_args": listed,
	"instances": 1, "log_on_success": extended, "log_on_failure": extended, "log_type": listed,
	"only_from": extended, "no_access": extended, "access_times": listed, "type": listed, "rpc_version": 1,
	"rpc_number": 1, "id": 1, "env": extended, "port": 1, "passenv": extended, "flags": listed, "nice": 1,
	"redirect": 2, "banner": 1, "bind": 1, "interface": 1, "per_source": 1, "groups": 1, "banner_success": 1,
	"banner_fail": 1, "cps": 2, "disable": 1, "max_load": 1, "rlimit_as": 1, "rlimit_cpu": 1, "rlimit_data": 1,
	"rlimit_files": 1, "rlimit_rss": 1, "rlimit_stack": 1, "v6only": 1, "deny_time": 1, "umask": 1, "libwrap": 1,
}

var defaultAttributes = map[string]int{
	"log_type": extended, "log_on_success": extended, "log_on_failure": extended, "disabled": extended,
	"no_access": extended, "only_from": extended, "instances": 1, "passenv": extended, "banner": 1, "bind": 1,
	"interface": 1, "per_source": 1, "groups": 1, "banner_success": 1, "banner_fail": 1, "cps": 2,
	"enabled": extended, "max_load": 1, "v6only": 1, "umask": 1,
}

// copiedAtParse are the attributes that a service takes over from the defaults
// at the moment it is read (parse.c, get_service_entry): defaults that come
// later in the files don't reach it.
var copiedAtParse = []string{
	"log_on_success", "log_on_failure", "only_from", "no_access", "passenv", "banner", "banner_success", "banner_fail",
}

// vocabulary holds the values of attributes that take words only. The match is
// case-insensitive where nv_find_value is used, but these are the spellings.
var vocabulary = map[string][]string{
	"socket_type": {"stream", "dgram", "raw", "seqpacket"},
	"wait":        {"yes", "no"},
	"groups":      {"yes", "no"},
	"disable":     {"yes", "no"},
	"v6only":      {"yes", "no"},
	"type":        {"RPC", "INTERNAL", "UNLISTED", "SPECIAL", "TCPMUX", "TCPMUXPLUS"},
	"flags": {
		"REUSE", "INTERCEPT", "NORETRY", "IDONLY", "NAMEINARGS", "NODELAY", "KEEPALIVE", "NOLIBWRAP", "SENSOR",
		"IPv4", "IPv6", "LABELED",
	},
	"log_on_success": {"HOST", "DURATION", "EXIT", "PID", "USERID", "TRAFFIC"},
	"log_on_failure": {"HOST", "ATTEMPT", "USERID"},
}

// canonical folds a name's case, as xinetd does, and its second names.
func canonical(name string) string {
	name = strings.ToLower(strings.TrimRight(name, "\r"))
	if name == "interface" {
		return "bind"
	}
	return name
}

// meant returns the known word nearest to a misspelt one, or "" if none is
// near. Two edits for a long word and one for a short one: "unmask" is umask,
// but "id" isn't meant by every word of two letters.
func meant(word string, known []string) string {
	best, least := "", 3
	for _, candidate := range known {
		allowed := 2
		if len(candidate) < 5 {
			allowed = 1
		}
		distance := editDistance(strings.ToLower(word), strings.ToLower(candidate))
		if distance <= allowed && distance < least {
			best, least = candidate, distance
		}
	}
	return best
}

// editDistance counts insertions, deletions, replacements and swaps of two
// neighbours, the usual slips of the hand.
func editDistance(a, b string) int {
	// Lines can be long and only small distances matter.
	if len(a)-len(b) > 2 || len(b)-len(a) > 2 {
		return 3
	}
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
