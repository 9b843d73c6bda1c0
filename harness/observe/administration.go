package observe

import (
	"context"
	"fmt"
	"strings"
	"time"

	"qmconformance/harness/agent"
	"qmconformance/harness/qmclient"
	"qmconformance/harness/requirement"
	"qmconformance/harness/telnet"
	"qmconformance/harness/wire"
	"qmconformance/harness/wire/symptom"
)

// Told is what came of one client, in whatever state the database was.
type Told struct {
	Connected bool
	// Served says that the conversation went as far as one gets without a login.
	Served bool
	// Ended says that the server ended the connection, within the limits of the waits.
	Ended bool
	// Symptom is what the client was told in words, Said what came.
	Symptom symptom.Symptom
	Said    string
}

// told talks as far as one gets without a login; where the server does not talk,
// it waits for the end.
func told(ctx context.Context, s *Scene, name string) (t Told) {
	conn := s.Dial(ctx, s.Port, prompt)
	defer conn.Close()
	defer func() { s.Evidence.Wire(name, conn.Transcript()) }()
	t.Connected = conn.Connected()
	if s.Service == requirement.QMServer {
		client := telnet.New(conn, Terminal)
		g := client.Greet(ctx)
		t.Symptom, t.Said = g.Symptom, strings.TrimSpace(g.Text)
		if g.Reached == telnet.PromptNone {
			t.end(conn.Await(ctx, "the end of the connection", telnet.EndLimit, wire.TheEnd))
			return t
		}
		left := client.LeaveBeforeLogin(ctx)
		t.Served, t.Ended = g.OK() && left.OK(), left.Outcome.Ended()
		return t
	}
	client := qmclient.New(conn)
	g := client.Greet(ctx)
	t.Symptom, t.Said = g.Symptom, strings.TrimSpace(g.Text)
	if !g.OK() {
		t.end(conn.Await(ctx, "the end of the connection", qmclient.EndLimit, wire.TheEnd))
		return t
	}
	left := client.RefusedRequest(ctx)
	t.Served = left.OK()
	if left.Result.Symptom != symptom.None {
		t.Symptom, t.Said = left.Result.Symptom, left.Result.String()
	}
	t.end(left.End)
	return t
}

func (t *Told) end(o wire.Outcome) {
	t.Ended = o.Ended()
	t.Said = strings.TrimSpace(t.Said + " (" + o.String() + ")")
}

// database administers the database by its own commands, as long as they work.
type database struct {
	scene *Scene
	// failed is the first command that did not work, err why the harness could not
	// tell.
	failed string
	err    error
	log    strings.Builder
}

// begin starts a database that an earlier look left stopped.
func (d *database) begin(ctx context.Context) {
	n, _, err := slots(ctx, d.scene)
	if d.err = err; err == nil && n < 0 {
		d.do(ctx, "-start")
	}
}

// administrationLimit is for a command that starts or stops the database: a stop
// waits 10 s for sessions that do not end (gplsrc/sysseg.c, stop_qm).
const administrationLimit = 30 * time.Second

func (d *database) do(ctx context.Context, verb string) {
	if d.failed != "" || d.err != nil {
		return
	}
	res, err := d.scene.Run(ctx, agent.RunRequest{Argv: []string{d.scene.QM(), verb}, Limit: administrationLimit})
	if d.err = err; err != nil {
		return
	}
	fmt.Fprintf(&d.log, "qm %s: exit %d\n%s\n", verb, res.Exit, res.Output)
	if !res.OK() {
		d.failed = fmt.Sprintf("qm %s ended with status %d: %s", verb, res.Exit, strings.TrimSpace(res.Output))
	}
}

// scarletConf is read by "qm -start" only.
const scarletConf = "/etc/scarlet.conf"

// restart stops the database and starts it with another configuration.
func (d *database) restart(ctx context.Context, conf string) {
	d.do(ctx, "-stop")
	if d.err == nil {
		d.err = d.scene.WriteFile(ctx, scarletConf, []byte(conf), 0o644)
	}
	d.do(ctx, "-start")
}

// numUsers is a configuration with another number of users.
func numUsers(conf string, n int) string {
	var lines []string
	for line := range strings.Lines(conf) {
		if name, _, _ := strings.Cut(line, "="); !strings.EqualFold(strings.TrimSpace(name), "NUMUSERS") {
			lines = append(lines, strings.TrimRight(line, "\r\n"))
		}
		if strings.EqualFold(strings.TrimSpace(line), "[qm]") {
			lines = append(lines, fmt.Sprintf("NUMUSERS=%d", n))
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

// met has a client come to each port; nobody comes when a command has failed.
func (d *database) met(ctx context.Context, state string) map[requirement.Service]Told {
	m := map[requirement.Service]Told{}
	for _, service := range requirement.NetworkServices {
		if d.failed == "" && d.err == nil {
			m[service] = told(ctx, d.scene.at(service), string(service)+"-"+state)
		}
	}
	return m
}
