package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"qmconformance/harness/bench/caller"
	"qmconformance/harness/bench/stats"
	"qmconformance/harness/capture"
	"qmconformance/harness/requirement"
	"qmconformance/harness/target"
	"qmconformance/harness/yardstick"
)

// traceSlack is how much longer than asked a tracer may take to begin and to end.
const traceSlack = 5 * time.Second

// Trace follows connections inside the target, apart from those that are timed: to
// follow one makes it slower.
func (s *Session) Trace(ctx context.Context) error {
	return s.quiet(ctx, func() error {
		for _, service := range requirement.NetworkServices {
			plain := s.repeat(ctx, service, s.Plan.Traced/2)
			traces, calls, err := s.traced(ctx, service)
			if err != nil {
				s.Doc.Trace.Why = err.Error()
				return nil // a machine may forbid it; all else was measured
			}
			s.Doc.Trace.Services = append(s.Doc.Trace.Services, attribute(service, traces, calls, plain))
		}
		return nil
	})
}

// repeat calls a service one connection at a time for a while.
func (s *Session) repeat(ctx context.Context, service requirement.Service, d time.Duration) (calls []caller.Call) {
	t := s.B.call(service)
	caller.Together(1, func(_ int, l *caller.Line) {
		for until := caller.Now() + d.Nanoseconds(); caller.Now() < until && within(ctx); {
			calls = append(calls, l.Call(t, 0))
			sleep(gap)
		}
	})
	return calls
}

func (s *Session) traced(ctx context.Context, service requirement.Service) ([]yardstick.Trace, []caller.Call, error) {
	seconds := s.Plan.Traced.Seconds()
	argv := []string{
		target.AgentPath, yardstick.TraceMode, strconv.Itoa(s.B.Target.Startup.Xinetd.Daemon.PID),
		strconv.FormatFloat(seconds, 'f', 3, 64),
	}
	d, err := s.B.start(ctx, nil, argv...)
	if err != nil {
		return nil, nil, err
	}
	for began := time.Now(); !strings.Contains(d.Output, "tracing"); {
		if d, err = s.B.Target.HelperState(ctx, d.PID); err != nil {
			return nil, nil, err
		}
		if !d.Running || time.Since(began) > traceSlack {
			return nil, nil, fmt.Errorf("xinetd cannot be traced here: %s %s", d.Exit, strings.TrimSpace(d.Output))
		}
		time.Sleep(time.Millisecond)
	}
	calls := s.repeat(ctx, service, s.Plan.Traced-s.Plan.Traced/10)
	for began := time.Now(); d.Running; {
		if time.Since(began) > s.Plan.Traced+traceSlack {
			_, err = s.B.Target.StopHelper(ctx, d.PID)
			return nil, nil, fmt.Errorf("the tracer did not end (%w)", err)
		}
		time.Sleep(10 * time.Millisecond)
		if d, err = s.B.Target.HelperState(ctx, d.PID); err != nil {
			return nil, nil, err
		}
	}
	_, list, _ := strings.Cut(d.Output, "[")
	var traces []yardstick.Trace
	if err := json.Unmarshal([]byte("["+list), &traces); err != nil {
		return nil, nil, fmt.Errorf("the tracer said %q: %w", d.Output[:min(len(d.Output), 200)], err)
	}
	return traces, calls, nil
}

// attribute puts traces and calls together by their times: one connection was made
// at a time.
func attribute(service requirement.Service, traces []yardstick.Trace, calls, plain []caller.Call) Traced {
	var accept, fork, exec, first, exit, whole, usual []float64
	us := func(ns int64) float64 { return float64(ns) / 1e3 }
	next := 0
	for _, c := range calls {
		if c.Err != nil {
			continue
		}
		for next < len(traces) && traces[next].Forked < c.Start {
			next++
		}
		if next == len(traces) || traces[next].Forked > c.First || traces[next].Executed == 0 {
			continue
		}
		t := traces[next]
		if t.Accepted != 0 {
			accept, fork = append(accept, us(t.Accepted-c.Connected)), append(fork, us(t.Forked-t.Accepted))
		}
		exec, first = append(exec, us(t.Executed-t.Forked)), append(first, us(c.First-t.Executed))
		exit, whole = append(exit, us(t.Exited-c.Ended)), append(whole, us(c.First-c.Connected))
	}
	for _, c := range plain {
		if c.Err == nil {
			usual = append(usual, us(c.First-c.Connected))
		}
	}
	median := func(x []float64) float64 {
		if m := stats.Median(x); !math.IsNaN(m) {
			return m
		}
		return 0
	}
	return Traced{
		Service: string(service), N: len(exec), Inflation: ratio(median(whole), median(usual)),
		Accept: median(accept), Fork: median(fork), Exec: median(exec), First: median(first), Exit: median(exit),
	}
}

// Agreement of the client's clock with the kernel's: 5 %, or what it takes to wake
// a thread. What the thread then waits for a processor, while a server that has said
// its first byte goes on, is known and not counted: on a busy machine it was a quarter
// of a millisecond in half of the connections.
const (
	agreeShare = 0.05
	agreeUS    = 20
)

// Packets compares when the client saw the first byte with when the target's
// kernel sent it. Both are taken from the end of the handshake on: the SYN+ACK in
// the target, connect's return here.
func (s *Session) Packets(ctx context.Context) error {
	if err := s.B.Target.PauseRecording(ctx, false); err != nil {
		return err
	}
	for _, service := range requirement.NetworkServices {
		t := s.B.call(service)
		t.NoteLocal = true
		var calls []caller.Call
		from := time.Now()
		caller.Together(1, func(_ int, l *caller.Line) {
			for range s.Plan.Captured {
				calls = append(calls, l.Call(t, 0))
				sleep(gap)
			}
		})
		var wants []capture.Want
		own := ownTowards(s.B.Target.V4)
		for i, c := range calls {
			wants = append(wants, capture.Want{
				Name: strconv.Itoa(i), Local: netip.AddrPortFrom(own, c.Local), Remote: t.Addr, From: from, Until: time.Now(),
			})
		}
		got, err := s.B.Target.Packets(ctx, wants)
		if err != nil {
			return err
		}
		if got.Status.Absent != "" {
			s.Doc.Capture.Why = got.Status.Absent
			break
		}
		s.Doc.Capture.Lines = append(s.Doc.Capture.Lines, agreement(service, calls, got))
	}
	return s.B.Target.PauseRecording(ctx, true)
}

func agreement(service requirement.Service, calls []caller.Call, got capture.Capture) AgreementRow {
	byPort := map[uint16]capture.Times{}
	for _, c := range got.Connections {
		byPort[c.Client.Port()] = c.Times()
	}
	var client, kernel, queued, differs []float64
	for _, c := range calls {
		t, ok := byPort[c.Local]
		if c.Err != nil || !ok || t.Accepted.IsZero() || t.FirstFromServer.IsZero() {
			continue
		}
		ours, theirs, wait := float64(c.First-c.Connected)/1e3, float64(t.FirstFromServer.Sub(t.Accepted))/1e3, float64(c.Queued)/1e3
		client, kernel, queued, differs = append(client, ours), append(kernel, theirs), append(queued, wait), append(differs, ours-wait-theirs)
	}
	row := AgreementRow{Line: string(service), N: len(client)}
	if row.N == 0 {
		return row
	}
	row.Client, row.Kernel, row.Queued, row.Differs = stats.Median(client), stats.Median(kernel), stats.Median(queued), stats.Median(differs)
	off := math.Abs(row.Differs)
	row.Agrees = off <= agreeUS || off <= agreeShare*row.Kernel
	return row
}
