package xinetd

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Zone is what a log's stamps leave out. The zero Zone is UTC and year 0.
type Zone struct {
	Location *time.Location
	Year     int
}

func (z Zone) location() *time.Location {
	if z.Location == nil {
		return time.UTC
	}
	return z.Location
}

// ParseLog reads a log of any of the formats, also mixed. Lines of other
// programs in a syslog are left out.
func ParseLog(text string, zone Zone) []Record {
	var records []Record
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if line == "" {
			continue
		}
		r := parseLine(line, zone)
		if r.Format == FormatContinuation && len(records) > 0 {
			last := &records[len(records)-1]
			last.Raw += "\n" + line
			last.File, last.Line = r.File, r.Line
			continue
		}
		if r.Format != "" {
			records = append(records, r)
		}
	}
	return records
}

var (
	// 26/11/22@08:06:00: text       service log, the time padded and the date not
	fileStamp = regexp.MustCompile(`^(\d{2})/(\d{1,2})/(\d{1,2})@(\d{2}):(\d{2}):(\d{2})(: | (\S+?)\[(\d+)\]: )`)
	// <30>Nov 22 08:06:01 xinetd[73]: text       what syslog(3) sends, and with a host name what is stored
	classicStamp = regexp.MustCompile(`^(?:<(\d{1,3})>)?([A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2}) (?:([^\s\[]*[^\s\[:]) )?([^\s\[:]+)(?:\[(\d+)\])?: ?`)
	// 2026-11-22T08:30:15.859019+00:00 host xinetd[38]: text       rsyslog in Debian 12
	isoStamp = regexp.MustCompile(`^(?:<(\d{1,3})>)?(\d{4}-\d{2}-\d{2}T\S+) (?:([^\s\[]*[^\s\[:]) )?([^\s\[:]+)(?:\[(\d+)\])?: ?`)

	filelogLevel  = regexp.MustCompile(`^(EMERGENCY|ALERT|CRITICAL|ERROR|WARNING|NOTICE|INFO|DEBUG): `)
	criticalPlace = regexp.MustCompile(`^\d+ \{(\w+)\} `)
	configPlace   = regexp.MustCompile(`\s*\[file=(.*)\] \[line=(\d+)\]$`)
	entryStart    = regexp.MustCompile(`^(START|EXIT|FAIL|USERID|NOID): (\S+)(?: (.*))?$`)
	entryFigure   = regexp.MustCompile(`(?:^| )(pid|status|signal|duration)=(\d+)(\(sec\))?$`)
	entryFrom     = regexp.MustCompile(`(?:^| )from=(<no address>|\S*)$`)
)

// programName is the tag that xinetd gives to openlog (msg.c).
const programName = "xinetd"

// parseLine reads one line; Format is empty for a line of another program.
func parseLine(line string, zone Zone) Record {
	r := Record{Raw: line, Format: FormatUnknown, Text: line}
	if m := fileStamp.FindStringSubmatch(line); m != nil {
		r.Format, r.Text = FormatFile, line[len(m[0]):]
		r.When = time.Date(2000+integer(m[1]), time.Month(integer(m[2])), integer(m[3]), integer(m[4]), integer(m[5]), integer(m[6]), 0, zone.location())
		if m[9] != "" {
			r.Format, r.Writer = FormatFilelog, integer(m[9])
		}
	} else if m := isoStamp.FindStringSubmatch(line); m != nil {
		r.When, _ = time.Parse(time.RFC3339Nano, m[2])
		r.syslog(line, m)
	} else if m := classicStamp.FindStringSubmatch(line); m != nil {
		if when, err := time.ParseInLocation("Jan _2 15:04:05", m[2], zone.location()); err == nil {
			r.When = when.AddDate(zone.Year, 0, 0)
		}
		r.syslog(line, m)
	} else if m := configPlace.FindStringSubmatchIndex(line); m != nil && m[0] == 0 {
		r.Format = FormatContinuation
	}
	if m := filelogLevel.FindStringSubmatch(r.Text); m != nil && r.Format != FormatSyslog {
		r.Severity = filelogSeverities[m[1]]
		r.Text = r.Text[len(m[0]):]
	}
	if m := criticalPlace.FindStringSubmatch(r.Text); m != nil {
		r.Function, r.Text = m[1], r.Text[len(m[0]):]
	}
	if m := configPlace.FindStringSubmatch(r.Text); m != nil {
		r.File, r.Line = m[1], integer(m[2])
		r.Text = r.Text[:len(r.Text)-len(m[0])]
	}
	if m := entryStart.FindStringSubmatch(r.Text); m != nil && r.Format != FormatUnknown {
		r.Kind, r.ID = Kind(m[1]), m[2]
		r.entry(m[3])
	}
	return r
}

// filelogSeverities are the words of msg.c for -filelog.
var filelogSeverities = map[string]Severity{
	"EMERGENCY": Emergency, "ALERT": Alert, "CRITICAL": Critical, "ERROR": Error,
	"WARNING": Warning, "NOTICE": Notice, "INFO": Info, "DEBUG": Debug,
}

func (r *Record) syslog(line string, m []string) {
	// A wrapper in its place may have moved it to another name beside its own.
	if m[4] != programName && !strings.HasPrefix(m[4], programName+".") {
		r.Format = ""
		return
	}
	r.Format, r.Text, r.Writer = FormatSyslog, line[len(m[0]):], integer(m[5])
	if m[1] != "" {
		r.Severity = severities[integer(m[1])&7]
	}
}

// entry reads what follows the service's id (log.c). All but a USERID's text
// ends in "name=value" fields, which are taken from the end: the reason of a
// FAIL may hold blanks.
func (r *Record) entry(rest string) {
	switch r.Kind {
	case UserID:
		r.User = rest
		return
	case NoID:
		address, reason, _ := strings.Cut(rest, " ")
		r.from(address)
		r.Reason = reason
		return
	}
	if m := entryFrom.FindStringSubmatch(rest); m != nil {
		r.from(m[1])
		rest = rest[:len(rest)-len(m[0])]
	}
	for {
		m := entryFigure.FindStringSubmatch(rest)
		if m == nil {
			break
		}
		rest = rest[:len(rest)-len(m[0])]
		value := integer(m[2])
		switch m[1] {
		case "pid":
			r.PID = number(value)
		case "status":
			r.Status = number(value)
		case "signal":
			r.Signal = number(value)
		case "duration":
			r.Duration = time.Duration(value) * time.Second
		}
	}
	r.Reason = rest
}

func (r *Record) from(text string) {
	r.FromText = text
	if addr, err := netip.ParseAddr(text); err == nil {
		r.From = addr.Unmap()
	}
}

// integer is for digits that a pattern has found; too many of them are 0.
func integer(digits string) int {
	value, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return value
}
