package bench

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"qmconformance/harness/requirement"
	"qmconformance/harness/target"
)

// block is a service of an xinetd of our own, beside the package's: the
// reference's block, with what is varied.
type block struct {
	id     string
	port   uint16
	server string
	args   []string
	// more are further lines, "only_from = 10.0.0.0/8".
	more []string
}

// twin starts an xinetd of our own with some blocks. All of them run at once, so
// that they can be measured in turn.
func (s *Side) twin(ctx context.Context, name string, blocks []block) (pid int, err error) {
	var text strings.Builder
	text.WriteString("defaults\n{\n\tlog_type = SYSLOG daemon info\n\tlog_on_success = PID HOST EXIT DURATION\n\tlog_on_failure = HOST\n}\n")
	var ports []uint16
	for _, b := range blocks {
		fmt.Fprintf(&text, "service %s\n{\n\ttype = UNLISTED\n\tport = %d\n\tprotocol = tcp\n\tsocket_type = stream\n\twait = no\n"+
			"\tuser = root\n\tgroup = qmusers\n\tgroups = yes\n\tumask = 002\n\tserver = %s\n", b.id, b.port, b.server)
		if len(b.args) > 0 {
			fmt.Fprintf(&text, "\tserver_args = %s\n", strings.Join(b.args, " "))
		}
		text.WriteString("\tcps = 0 0\n\tinstances = UNLIMITED\n\tper_source = UNLIMITED\n")
		for _, line := range b.more {
			fmt.Fprintf(&text, "\t%s\n", line)
		}
		text.WriteString("\tdisable = no\n}\n")
		ports = append(ports, b.port)
	}
	file := "/.conformance/" + name + ".conf"
	if err := s.Target.WriteFile(ctx, file, []byte(text.String()), 0o644); err != nil {
		return 0, err
	}
	d, err := s.start(ctx, ports, target.XinetdArgv[0], "-dontfork", "-f", file, "-pidfile", "/run/"+name+".pid", "-stayalive")
	return d.PID, err
}

// other is another super-server that the base may have.
type other struct {
	name, program string
	// argv starts it for a program on a port, once its configuration is written.
	config func(port uint16, program string, args []string) string
	argv   func(port uint16, file, gid, program string, args []string) []string
}

var others = []other{
	{
		name: "openbsd-inetd", program: "/usr/sbin/inetd",
		config: func(port uint16, program string, args []string) string {
			return fmt.Sprintf("%d stream tcp nowait.0 root.qmusers %s qm %s\n", port, program, strings.Join(args, " "))
		},
		argv: func(_ uint16, file, _, _ string, _ []string) []string {
			return []string{"/usr/sbin/inetd", "-i", file}
		},
	},
	{
		name: "systemd-socket-activate", program: "/usr/bin/systemd-socket-activate",
		argv: func(port uint16, _, _, program string, args []string) []string {
			return append([]string{"/usr/bin/systemd-socket-activate", "--inetd", "-a", "-l", "0.0.0.0:" + strconv.Itoa(int(port)), program}, args...)
		},
	},
	{
		name: "tcpserver", program: "/usr/bin/tcpserver",
		argv: func(port uint16, _, gid, program string, args []string) []string {
			return append([]string{"/usr/bin/tcpserver", "-H", "-R", "-l0", "-c", "100", "-g", gid, "0", strconv.Itoa(int(port)), program}, args...)
		},
	},
}

// startOthers starts those that the target has, with qm for programs. What cannot
// be started is told, and left out.
func (s *Side) startOthers(ctx context.Context, gid string) (found map[string]uint16, notes []string) {
	found = map[string]uint16{}
	port := otherPort
	for _, o := range others {
		if _, err := s.Target.Client.Stat(ctx, o.program); err != nil {
			notes = append(notes, o.name+" is not in this base")
			continue
		}
		args := argsOf(requirement.QMClient)
		file := "/.conformance/" + o.name + ".conf"
		if o.config != nil {
			if err := s.Target.WriteFile(ctx, file, []byte(o.config(port, s.Target.QM(), args)), 0o644); err != nil {
				notes = append(notes, fmt.Sprintf("%s: %v", o.name, err))
				continue
			}
		}
		if _, err := s.start(ctx, []uint16{port}, o.argv(port, file, gid, s.Target.QM(), args)...); err != nil {
			notes = append(notes, fmt.Sprintf("%s is left out: %v", o.name, err))
			continue
		}
		found[o.name] = port
		port++
	}
	return found, notes
}

// The ports of what runs beside the subject, above the range that clients' own
// ports come from and below the agent's neighbours.
const (
	floorPort        = uint16(61500)
	idealTrivialPort = uint16(61501)
	trivialPort      = uint16(61502)
	idealClientPort  = uint16(61503)
	idealServerPort  = uint16(61504)
	otherPort        = uint16(61520)
	variantPort      = uint16(61540)
)

// trivial is a program that every base has and that says one thing and ends. It
// is loaded with the C library, as qm is.
var trivial = []string{"/bin/echo", "-n", "x"}
