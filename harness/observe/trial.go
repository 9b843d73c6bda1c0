package observe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"strings"

	"qmconformance/harness/requirement"
	"qmconformance/harness/target"
	"qmconformance/harness/xinetd"
)

// WithRules has the probe in qm's place; the looks at refusals and what they leave in
// the log, and those at access rules, change its configuration, each after the other.
var WithRules = Probed("with-rules")

// Trial is what came of one configuration: the package's own, with what an
// administrator wrote into it.
type Trial struct {
	Name string
	// Rules are what was written, one line each, and Where the place: "block",
	// "defaults" or a file.
	Rules []string
	// Knocks are the connections, in their order.
	Knocks []Knock
	// Executed is how often the program in qm's place was executed with a connection
	// during the trial, by its own account.
	Executed int
	// Each is how often one session of a service executes it: a program in between may
	// ask it for its version first. None where that is not known, which is once.
	Each map[requirement.Service]int
	// Down says why xinetd did not run with the rules.
	Down string
	// Complaints are xinetd's when it read them.
	Complaints []string
}

// Of are the knocks at a service.
func (t Trial) Of(s requirement.Service) []Knock {
	return slices.DeleteFunc(slices.Clone(t.Knocks), func(k Knock) bool { return k.Service != s })
}

// Surplus is how many more programs were executed than those that were served do.
func (t Trial) Surplus() int {
	n := t.Executed
	for _, k := range t.Knocks {
		if k.Served {
			n -= max(1, t.Each[k.Service])
		}
	}
	return n
}

// Ruled is what came of several configurations.
type Ruled struct {
	Trials map[string]Trial
	// Places are what each service has for the rules: only those in force were
	// tried.
	Places map[requirement.Service]Place
	// Own are the rules that the package brings itself.
	Own Shipped
	// Load is the machine's, as /proc/loadavg has it; of looks that try it.
	Load string
}

// Place is a service as rules find it.
type Place struct {
	// ID is its name in the log, Daemon the one that TCP wrappers know it by.
	ID, Daemon string
	IPv4Only   bool
}

// ground is what the looks at access rules have in common.
type ground struct {
	s        *Scene
	host     *target.ClientHost
	clients  map[string]netip.Addr
	services []requirement.Service
	ids      map[requirement.Service]string
	ipv4Only map[requirement.Service]bool
	// each is how often a session of a service executes the program.
	each map[requirement.Service]int
	// config is the package's own.
	config xinetd.Config
	// mute says that an awaited line did not come: the next one isn't waited for.
	mute  bool
	facts Ruled
}

// trials makes a look at configurations. It leaves the target as it was.
func trials(ctx context.Context, s *Scene, who []string, run func(context.Context, *ground) error) (Ruled, error) {
	g := &ground{
		s: s, clients: map[string]netip.Addr{}, ids: map[requirement.Service]string{}, ipv4Only: map[requirement.Service]bool{}, each: map[requirement.Service]int{},
		facts: Ruled{Trials: map[string]Trial{}, Places: map[requirement.Service]Place{}},
	}
	if err := g.prepare(ctx, who); err != nil {
		return g.facts, err
	}
	err := run(ctx, g)
	_, undone := s.Respawn(context.WithoutCancel(ctx))
	return g.facts, errors.Join(err, undone)
}

func (g *ground) prepare(ctx context.Context, who []string) (err error) {
	if g.host, err = g.s.Clients(ctx); err != nil {
		return err
	}
	for _, w := range who {
		v6 := strings.HasSuffix(w, "6")
		if v6 && !g.s.V6.IsValid() {
			continue
		}
		if g.clients[w], err = g.host.TakeAddress(ctx, v6); err != nil {
			return err
		}
	}
	if err := g.s.CountStarts(ctx); err != nil {
		return err
	}
	text, err := g.s.Dump(ctx)
	if err != nil {
		return err
	}
	dump, err := xinetd.ParseDump(text)
	if err != nil {
		return err
	}
	if g.facts.Own, err = shipped(ctx, g.s); err != nil {
		return err
	}
	g.config = g.facts.Own.Config
	for _, service := range requirement.NetworkServices {
		entries := dump.Service(string(service))
		if len(entries) == 0 {
			continue
		}
		e := entries[0]
		g.services = append(g.services, service)
		g.ids[service] = e.ID
		g.ipv4Only[service] = slices.Contains(e.Flags, "IPv4")
		daemon := e.Libwrap
		if daemon == "" {
			daemon = e.Server[strings.LastIndexByte(e.Server, '/')+1:]
		}
		g.facts.Places[service] = Place{e.ID, daemon, g.ipv4Only[service]}
		if err := g.count(ctx, service); err != nil {
			return err
		}
	}
	return nil
}

// count has a session of a service, to its end, and counts what it executes.
func (g *ground) count(ctx context.Context, service requirement.Service) error {
	before, err := g.s.Starts(ctx)
	if err != nil {
		return err
	}
	v, err := g.knock(ctx, service, "A", g.clients["A"])
	if err != nil {
		return err
	}
	leave(ctx, v)
	after, err := g.s.Starts(ctx)
	if v.Served {
		g.each[service] = after - before
	}
	return err
}

// client is the address behind a name; "A again" is A.
func (g *ground) client(who string) netip.Addr {
	name, _, _ := strings.Cut(who, " ")
	return g.clients[name]
}

// rules are what an administrator writes for a trial.
type rules struct {
	name string
	// block is for the block of each service, defaults for the defaults block,
	// "attribute = value" each.
	block, defaults []string
	// of is for the block of one service.
	of map[requirement.Service][]string
	// files are lines that are added to other files.
	files map[string][]string
}

func (r rules) changes(services []requirement.Service) (list []xinetd.Change, said []string) {
	add := func(service, line, where string) {
		name, _, _ := strings.Cut(line, " ")
		list = append(list, xinetd.Change{Service: service, Attribute: name, Line: line})
		if text := line + " (" + where + ")"; !slices.Contains(said, text) {
			said = append(said, text)
		}
	}
	for _, line := range r.defaults {
		add("", line, "defaults")
	}
	for _, service := range services {
		for _, line := range append(slices.Clone(r.block), r.of[service]...) {
			add(string(service), line, "service block")
		}
	}
	return list, said
}

// during is a trial under way.
type during struct {
	g       *ground
	edition *target.Edition
	visits  []*visit
	since   target.LogMark
	trial   *Trial
}

// under respawns xinetd with the rules written into the package's own files, does
// what is to be done, and takes the rules back. xinetd itself is left as it is:
// the next trial, or the end of the look, respawns it.
func (g *ground) under(ctx context.Context, r rules, do func(ctx context.Context, d *during) error) (err error) {
	changes, said := r.changes(g.services)
	d := &during{g: g, trial: &Trial{Name: r.name, Rules: said, Each: g.each}}
	if d.edition, err = g.s.Edit(ctx, changes...); err != nil {
		return fmt.Errorf("trial %s: %w", r.name, err)
	}
	defer func() { err = errors.Join(err, d.edition.Undo(ctx)) }()
	for name, lines := range r.files {
		if err := d.append(ctx, name, lines); err != nil {
			return err
		}
	}
	if d.since, err = g.s.MarkLog(ctx); err != nil {
		return err
	}
	before, err := g.s.Starts(ctx)
	if err != nil {
		return err
	}
	ready, err := g.s.Respawn(ctx)
	if err != nil {
		return err
	}
	if !ready.Ready {
		d.trial.Down = "xinetd did not run with the rules: " + ready.Daemon.Exit
	} else if err := do(ctx, d); err != nil {
		return fmt.Errorf("trial %s: %w", r.name, err)
	}
	return d.end(ctx, before)
}

// append adds lines to a file that belongs to nobody in particular, hosts.deny
// say, behind what a package has put there.
func (d *during) append(ctx context.Context, name string, lines []string) error {
	old, err := d.g.s.ReadFile(ctx, name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text := string(old)
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	for _, l := range lines {
		d.trial.Rules = append(d.trial.Rules, l+" ("+name+")")
	}
	return d.edition.Put(ctx, name, text+strings.Join(lines, "\n")+"\n")
}

// end reads the log, counts, closes what is open, and keeps the facts.
func (d *during) end(ctx context.Context, before int) error {
	log, err := d.log(ctx)
	if err != nil {
		return err
	}
	after, err := d.g.s.Starts(ctx)
	if err != nil {
		return err
	}
	d.trial.Executed = after - before
	config, _, err := d.g.s.Configuration(ctx)
	if err != nil {
		return err
	}
	for _, c := range xinetd.ReadStartup(log.Records, &config).Complaints {
		d.trial.Complaints = append(d.trial.Complaints, c.Text)
	}
	leave(ctx, d.visits...)
	for _, v := range d.visits {
		d.g.s.Evidence.Connection(fmt.Sprintf("%s: %s at %s", d.trial.Name, v.Who, v.Service), v.p.link.Transcript())
		d.trial.Knocks = append(d.trial.Knocks, *v.Knock)
	}
	d.g.facts.Trials[d.trial.Name] = *d.trial
	d.g.s.Evidence.Text(d.trial.Name, d.trial.text(log.Text))
	return nil
}

// log waits for the lines about the refused connections.
func (d *during) log(ctx context.Context) (target.Log, error) {
	complete := func(records []xinetd.Record) bool { return assign(d.visits, records, d.g.ids) }
	if d.g.mute {
		log, err := d.g.s.ReadLog(ctx, d.since)
		complete(log.Records)
		return log, err
	}
	log, err := d.g.s.AwaitLog(ctx, d.since, complete)
	d.g.mute = !complete(log.Records)
	return log, err
}

// text is the trial as its evidence shows it.
func (t *Trial) text(log string) string {
	var b strings.Builder
	for _, r := range t.Rules {
		fmt.Fprintln(&b, r)
	}
	for _, k := range t.Knocks {
		fmt.Fprintf(&b, "%s: %v\n", k.Service, k)
	}
	fmt.Fprintf(&b, "executed: %d (by each session: %v)\n%s\n%s", t.Executed, t.Each, t.Down, log)
	return b.String()
}
