package bench

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"

	"qmconformance/harness/bench/caller"
	"qmconformance/harness/bench/stats"
	"qmconformance/harness/requirement"
)

// variant is one size of what a cost grows with.
type variant struct {
	size   string
	value  float64
	target *caller.Target
	// enter changes the target before a few connections; it may be nil.
	enter func(context.Context) error
}

// fewTimes is how many connections are made before the next variant's turn.
const fewTimes = 5

// inTurn measures variants in turns of a few connections, so that what else the
// machine does meets all of them alike.
func (s *Session) inTurn(ctx context.Context, with string, service requirement.Service, variants []variant) error {
	times := make([][]int64, len(variants))
	failed := 0
	var first, entering error
	caller.Together(1, func(_ int, l *caller.Line) {
		for done := 0; done < s.Plan.Each && within(ctx); done += fewTimes {
			for i, v := range variants {
				if v.enter != nil {
					if entering = v.enter(ctx); entering != nil {
						return
					}
				}
				for range fewTimes {
					c := l.Call(v.target, 0)
					if ns, ok := work(c); ok {
						times[i] = append(times[i], ns)
					} else {
						failed++
						first = c.Err
					}
					sleep(gap)
				}
			}
		}
	})
	g := Growth{With: with, Service: string(service)}
	for i, v := range variants {
		g.Points = append(g.Points, Point{Size: v.size, Value: v.value, Setup: stats.Sum(times[i])})
	}
	s.Doc.Growth = append(s.Doc.Growth, g)
	return errors.Join(entering, fail(with, failed, len(variants)*s.Plan.Each, first))
}

// Configurations measures what depends on xinetd's configuration, by blocks of an
// xinetd of our own that all run at once: the entries of an access list, and how
// much is logged.
func (s *Session) Configurations(ctx context.Context) error {
	return s.quiet(ctx, func() error {
		var blocks []block
		add := func(id string, more ...string) *caller.Target {
			port := variantPort + uint16(len(blocks))
			blocks = append(blocks, block{id: "bench-" + id, port: port, server: s.B.Target.QM(), args: argsOf(requirement.QMClient), more: more})
			return &caller.Target{Addr: s.B.addr(port), Talk: caller.Client(nil)}
		}
		var lists, logs []variant
		for _, n := range s.Plan.List {
			target := add(fmt.Sprintf("list-%d", n), accessList(n, ownTowards(s.B.Target.V4))...)
			lists = append(lists, variant{size: fmt.Sprint(n), value: float64(n), target: target})
		}
		for _, l := range []struct {
			name string
			more []string
		}{
			{"nothing", []string{"log_on_success =", "log_on_failure ="}},
			{"syslog", nil},
			{"a file", []string{"log_type = FILE /var/log/bench.log"}},
			{"syslog, user asked for", []string{"log_on_success += USERID"}},
		} {
			target := add(fmt.Sprintf("log-%d", len(logs)), l.more...)
			logs = append(logs, variant{size: l.name, value: float64(len(logs)), target: target})
		}
		pid, err := s.B.twin(ctx, "bench-variants", blocks)
		if err != nil {
			return err
		}
		err = errors.Join(
			s.inTurn(ctx, "entries of only_from", requirement.QMClient, lists),
			s.inTurn(ctx, "what is logged", requirement.QMClient, logs))
		_, stopped := s.B.Target.StopHelper(context.WithoutCancel(ctx), pid)
		return errors.Join(err, stopped)
	})
}

// perLine is how many addresses a line of an access list has.
const perLine = 20

// accessList are the lines of an access list of n entries, ours the last; none for
// n = 0.
func accessList(n int, own netip.Addr) []string {
	if n == 0 {
		return nil
	}
	var addresses []string
	for i := range n - 1 {
		// Documentation addresses (RFC 5737, RFC 2544): nobody is let in by them.
		addresses = append(addresses, fmt.Sprintf("198.18.%d.%d", i/250, i%250+1))
	}
	addresses = append(addresses, own.String())
	var lines []string
	for i := 0; i < len(addresses); i += perLine {
		sign := "+="
		if i == 0 {
			sign = "="
		}
		lines = append(lines, "only_from "+sign+" "+strings.Join(addresses[i:min(i+perLine, len(addresses))], " "))
	}
	return lines
}

// GroupFile measures how the size of /etc/group counts: xinetd looks a session's
// groups up in it.
func (s *Session) GroupFile(ctx context.Context) error {
	const file = "/etc/group"
	text, err := s.B.Target.ReadFile(ctx, file)
	if err != nil {
		return err
	}
	original := strings.TrimRight(string(text), "\n") + "\n"
	var variants []variant
	for _, n := range s.Plan.Groups {
		var longer strings.Builder
		longer.WriteString(original)
		for i := range n {
			fmt.Fprintf(&longer, "benchgroup%d:x:%d:benchuser%d\n", i, 30000+i, i)
		}
		content := []byte(longer.String())
		variants = append(variants, variant{
			size: fmt.Sprint(n), value: float64(n), target: s.B.call(requirement.QMClient),
			enter: func(ctx context.Context) error { return s.B.Target.WriteFile(ctx, file, content, 0o644) },
		})
	}
	err = s.quiet(ctx, func() error {
		return s.inTurn(ctx, "groups in /etc/group beside the usual", requirement.QMClient, variants)
	})
	return errors.Join(err, s.B.Target.WriteFile(context.WithoutCancel(ctx), file, text, 0o644))
}

// Families measures IPv4 beside IPv6.
func (s *Session) Families(ctx context.Context) error {
	return s.quiet(ctx, func() error {
		var errs []error
		for _, service := range requirement.NetworkServices {
			six := s.B.call(service)
			six.Addr = netip.AddrPortFrom(s.B.Target.V6, six.Addr.Port())
			errs = append(errs, s.inTurn(ctx, "the address family", service, []variant{
				{size: "IPv4", value: 4, target: s.B.call(service)},
				{size: "IPv6", value: 6, target: six},
			}))
		}
		return errors.Join(errs...)
	})
}

// perSessionMiB is what a session may take: the stand-in, a Go program, has less
// than 8 MiB of its own, and a real qm 3.
const perSessionMiB = 8

// openers is how many sessions are opened at once: their logins cost.
const openers = 8

// OpenSessions measures a new connection beside sessions that are open already.
func (s *Session) OpenSessions(ctx context.Context) error {
	var stayers []*caller.Stayer
	growth := map[requirement.Service]*Growth{}
	for _, service := range requirement.NetworkServices {
		growth[service] = &Growth{With: "sessions that are open already", Service: string(service)}
	}
	err := s.quiet(ctx, func() error {
		for _, n := range s.Plan.Open {
			note := ""
			if int64(n)*perSessionMiB > AvailableMiB()/2 {
				note = fmt.Sprintf("%d sessions would take too much of this machine's memory", n)
			}
			if note == "" {
				opened, err := s.stay(ctx, n-len(stayers))
				stayers = append(stayers, opened...)
				if err != nil {
					return err
				}
			}
			for _, service := range requirement.NetworkServices {
				p := Point{Size: fmt.Sprint(n), Value: float64(n), Note: note}
				if note == "" {
					var err error
					if p.Setup, err = s.several(ctx, service); err != nil {
						return err
					}
				}
				growth[service].Points = append(growth[service].Points, p)
			}
		}
		return nil
	})
	for _, service := range requirement.NetworkServices {
		s.Doc.Growth = append(s.Doc.Growth, *growth[service])
	}
	errs := []error{err}
	for _, stayer := range stayers {
		errs = append(errs, stayer.Leave())
	}
	return errors.Join(errs...)
}

// several measures a service a few times.
func (s *Session) several(ctx context.Context, service requirement.Service) (stats.Summary, error) {
	var times []int64
	var first error
	target := s.B.call(service)
	n := s.Plan.Each
	caller.Together(1, func(_ int, l *caller.Line) {
		for i := 0; i < n && within(ctx); i++ {
			c := l.Call(target, 0)
			if ns, ok := work(c); ok {
				times = append(times, ns)
			} else if first == nil {
				first = c.Err
			}
			sleep(gap)
		}
	})
	return stats.Sum(times), fail(string(service), n-len(times), n, first)
}

// stay opens more sessions.
func (s *Session) stay(ctx context.Context, n int) ([]*caller.Stayer, error) {
	var mu sync.Mutex
	var list []*caller.Stayer
	var failed error
	target := s.B.call(requirement.QMClient)
	caller.Together(openers, func(i int, _ *caller.Line) {
		for k := i; k < n && within(ctx); k += openers {
			stayer, err := caller.Stay(target, loginOf())
			mu.Lock()
			if err != nil {
				failed = fmt.Errorf("session %d: %w", k, err)
				mu.Unlock()
				return
			}
			list = append(list, stayer)
			mu.Unlock()
		}
	})
	return list, failed
}
