package observe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"qmconformance/harness/requirement"
	"qmconformance/harness/target"
	"qmconformance/harness/xinetd"
)

// Names of the trials of WayRules. Those of one service alone end in its name.
const (
	HostsDeny    = "hosts-deny"
	HostsAllow   = "hosts-allow"
	BoundToOne   = "bound-to-the-loopback"
	Redirected   = "redirected-"
	Resources    = "limits-on-resources"
	Disabled     = "disabled-"
	RulesChanged = "rules-changed-by-a-reload"
)

// Inside is the client on the target itself.
const Inside = "inside"

// resourceRules are limits that no other source would set, with what the kernel
// calls them and has them as. They leave room for any session.
var resourceRules = []struct{ rule, name, value string }{
	{"rlimit_as = 3000M", "Max address space", "3145728000"},
	{"rlimit_cpu = 500", "Max cpu time", "500"},
	{"rlimit_data = 2000M", "Max data size", "2097152000"},
	{"rlimit_rss = 900M", "Max resident set", "943718400"},
	{"rlimit_stack = 6M", "Max stack size", "6291456"},
	{"rlimit_files = 300", "Max open files", "300"},
}

// ResourceLimits are the limits of the trial Resources by the kernel's names.
func ResourceLimits() map[string]string {
	m := map[string]string{}
	for _, r := range resourceRules {
		m[r.name] = r.value
	}
	return m
}

// ResourceNice is the nice value of the trial Resources.
const ResourceNice = 7

// WayRules tries the rules about the way to the program: wrappers, addresses to
// listen on, redirection, resources, being there at all, and a change of rules.
var WayRules = &Look[Ruled]{
	Name: "way rules", Takes: 700 * time.Millisecond, Stage: WithRules, Limit: 90 * time.Second,
	Take: func(ctx context.Context, s *Scene) (Ruled, error) {
		return trials(ctx, s, []string{"A", "B", "C", "D"}, wayRules)
	},
}

func wayRules(ctx context.Context, g *ground) error {
	g.clients[Inside] = netip.MustParseAddr("127.0.0.1")
	a, b, d := g.clients["A"].String(), g.clients["B"].String(), g.clients["D"].String()
	deny, allow := []string{"ALL: " + b, "qm: " + d}, []string{}
	for _, service := range g.services {
		if daemon := g.facts.Places[service].Daemon; !slices.Contains(deny, daemon+": "+a) {
			deny, allow = append(deny, daemon+": "+a), append(allow, daemon+": "+a)
		}
	}
	if err := g.under(ctx, rules{name: HostsDeny, files: map[string][]string{"/etc/hosts.deny": deny}}, knocking("A", "B", "C", "D")); err != nil {
		return err
	}
	files := map[string][]string{"/etc/hosts.deny": {"ALL: ALL"}, "/etc/hosts.allow": allow}
	if err := g.under(ctx, rules{name: HostsAllow, files: files}, knocking("A", "B")); err != nil {
		return err
	}
	if err := g.under(ctx, rules{name: BoundToOne, block: []string{"bind = 127.0.0.1"}}, knocking("A", Inside)); err != nil {
		return err
	}
	limits := []string{"nice = 7"}
	for _, r := range resourceRules {
		limits = append(limits, r.rule)
	}
	if err := g.under(ctx, rules{name: Resources, block: limits}, withNice); err != nil {
		return err
	}
	for _, service := range g.services {
		off := rules{name: Disabled + string(service), of: map[requirement.Service][]string{service: {"disable = yes"}}}
		if err := g.under(ctx, off, knocking("A")); err != nil {
			return err
		}
		if other := sister(service); slices.Contains(g.services, other) {
			if err := g.under(ctx, redirection(service, g.s.Ports[other]), knocking("A")); err != nil {
				return err
			}
		}
	}
	return g.under(ctx, rules{name: RulesChanged, block: []string{"only_from = " + a + " " + b}}, changeRules)
}

func knocking(who ...string) func(context.Context, *during) error {
	return func(ctx context.Context, d *during) error { return d.everybody(ctx, who...) }
}

func redirection(service requirement.Service, to uint16) rules {
	line := fmt.Sprintf("redirect = 127.0.0.1 %d", to)
	return rules{name: Redirected + string(service), of: map[requirement.Service][]string{service: {line}}}
}

// withNice asks the kernel for the nice value of each program while it runs.
func withNice(ctx context.Context, d *during) error {
	visits, err := d.atOnceAll(ctx, d.g.callers("A"))
	if err != nil {
		return err
	}
	snap, err := d.g.s.Snapshot(ctx)
	if err != nil {
		return err
	}
	for _, v := range visits {
		if p, there := snap.Process(v.PID); there && v.Served {
			v.Nice = p.Nice
		}
	}
	return nil
}

// changeRules takes one of two addresses from the list and has xinetd read it
// again.
func changeRules(ctx context.Context, d *during) (err error) {
	if err := d.everybody(ctx, "A", "B"); err != nil {
		return err
	}
	var changes []xinetd.Change
	line := "only_from = " + d.g.clients["A"].String()
	for _, service := range d.g.services {
		changes = append(changes, xinetd.Change{Service: string(service), Attribute: "only_from", Line: line})
	}
	again, err := d.g.s.Edit(ctx, changes...)
	if err != nil {
		return err
	}
	// The rules of the trial itself are taken back afterwards, from older texts.
	defer func() { err = errors.Join(err, again.Undo(ctx)) }()
	d.trial.Rules = append(d.trial.Rules, "then "+line+" and SIGHUP")
	_, err = d.g.s.Reload(ctx)
	if errors.Is(err, target.ErrNotReconfigured) {
		d.trial.Down = err.Error()
		return nil
	}
	if err != nil {
		return err
	}
	return d.everybody(ctx, "A again", "B again")
}
