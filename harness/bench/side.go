package bench

import (
	"context"
	"fmt"
	"net/netip"
	"path"
	"strconv"
	"strings"
	"time"

	"qmconformance/harness/agent"
	"qmconformance/harness/bench/caller"
	"qmconformance/harness/requirement"
	"qmconformance/harness/target"
	"qmconformance/harness/xinetd"
	"qmconformance/harness/yardstick"
)

// Side is one target that is measured.
type Side struct {
	Name   string
	Target *target.Target
	Ports  map[requirement.Service]uint16
}

// The limits that a benchmark lifts, so that it measures the cost of a connection
// and not a refusal.
const (
	// places is NUMUSERS: the most sessions that are open at once, those of the load
	// beside them, and some to spare.
	places = 700
	// account is where test users log in to; every installation has it.
	account = "QMSYS"
)

// Room is what a target of a benchmark may use.
func Room(availableMiB int64) target.Room {
	return target.Room{Memory: min(6<<10, max(512, availableMiB/2)) << 20, PIDs: 16 << 10}
}

// Lift changes an installed target, before its start, so that nothing refuses a
// connection. It returns what it did, for the report.
func Lift(ctx context.Context, t *target.Target) ([]string, error) {
	var changes []xinetd.Change
	for _, service := range requirement.NetworkServices {
		changes = append(changes,
			xinetd.Set(string(service), "cps", "0 0"),
			xinetd.Set(string(service), "instances", "UNLIMITED"),
			xinetd.Set(string(service), "per_source", "UNLIMITED"))
	}
	if _, err := t.Edit(ctx, changes...); err != nil {
		return nil, fmt.Errorf("lift the limits of the services (make conformance tells what is wrong with them): %w", err)
	}
	const conf = "/etc/scarlet.conf"
	text, err := t.ReadFile(ctx, conf)
	if err != nil {
		return nil, err
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(strings.TrimSpace(line), "NUMUSERS") {
			lines = append(lines, strings.TrimRight(line, "\n"))
		}
	}
	lines = append(lines, "NUMUSERS="+strconv.Itoa(places), "")
	if err := t.WriteFile(ctx, conf, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
		return nil, err
	}
	return []string{
		"the services' cps = 0 0 and instances, per_source = UNLIMITED, since xinetd else switches a service off at more than 50 connections a second",
		fmt.Sprintf("NUMUSERS=%d in scarlet.conf", places),
		"users have SHA-512 hashes ($6$), which take qm 2 ms; Debian's usual yescrypt takes 20 ms and more",
		fmt.Sprintf("at most %d connections are made at once: xinetd's queue has 64 places, and what finds it full is dropped", caller.MostAtOnce),
		fmt.Sprintf("on port 4242 the client waits %v before it answers the terminal type, since an earlier answer may be lost and cost 2 s", caller.TermTypePause),
	}, nil
}

// addr is where a port of the side is.
func (s *Side) addr(port uint16) netip.AddrPort { return netip.AddrPortFrom(s.Target.V4, port) }

// talkOf is the conversation of a service without a login.
func talkOf(service requirement.Service, login *caller.Login) caller.Talk {
	if service == requirement.QMServer {
		return caller.Server(login)
	}
	return caller.Client(login)
}

// target is whom to call for a service of the side; on qmserver's port with
// quick acknowledgements, since what an ordinary client's delay adds is the same
// for everybody.
func (s *Side) call(service requirement.Service) *caller.Target {
	return &caller.Target{Addr: s.addr(s.Ports[service]), Talk: talkOf(service, nil), QuickAck: service == requirement.QMServer}
}

// loginOf is a test user.
func loginOf() *caller.Login {
	return &caller.Login{User: target.Carol.Name, Password: target.Password, Account: account}
}

// argsOf are the arguments that the reference gives qm.
func argsOf(service requirement.Service) []string {
	if service == requirement.QMServer {
		return []string{"-n"}
	}
	return []string{"-n", "-q"}
}

// helperReady is how long a helper may take until it listens.
const helperReady = 10 * time.Second

func (s *Side) start(ctx context.Context, ports []uint16, argv ...string) (agent.Daemon, error) {
	d, err := s.Target.StartHelper(ctx, agent.HelperRequest{Argv: argv, Ports: ports, Ready: helperReady})
	if err != nil {
		return d, fmt.Errorf("start %s: %w", path.Base(argv[0]), err)
	}
	return d, nil
}

// mode starts a yardstick of the agent's own program.
func (s *Side) mode(ctx context.Context, mode string, port uint16, args ...string) error {
	_, err := s.start(ctx, []uint16{port}, append([]string{target.AgentPath, mode, strconv.Itoa(int(port))}, args...)...)
	return err
}

// group is the number of the group that sessions begin with.
func (s *Side) group(ctx context.Context) (gid string, err error) {
	res, err := s.Target.Command(ctx, "getent", "group", "qmusers")
	if err != nil {
		return "", err
	}
	fields := strings.Split(strings.TrimSpace(res.Output), ":")
	if !res.OK() || len(fields) < 3 {
		return "", fmt.Errorf("there is no group qmusers: %s", res.Output)
	}
	return fields[2], nil
}

// ideal starts the ideal server with a program.
func (s *Side) ideal(ctx context.Context, port uint16, gid string, program ...string) error {
	return s.mode(ctx, yardstick.IdealMode, port, append([]string{gid, "0," + gid, "2"}, program...)...)
}
