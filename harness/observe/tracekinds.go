package observe

import (
	"context"
	"strings"

	"qmconformance/harness/xinetd"
)

// Refusals that take more than one line of configuration and one connection.

// second has a second connection of one address refused while the first is open.
func (t *tracer) second(ctx context.Context) (trail Trail, err error) {
	const rule = xinetd.ReasonPerSource
	change := t.set("per_source", "1")
	e, err := t.edit(ctx, change)
	if e != nil {
		defer func() { err = orUndo(ctx, e, err) }()
	}
	if err != nil {
		return trail, err
	}
	link, err := t.dial(ctx, t.v4)
	if err != nil {
		return trail, err
	}
	first := greetProbe(ctx, link)
	defer t.leave(ctx, first)
	return t.connect(ctx, rule, change.Line, t.v4, logsFailure(t.logging.ID))
}

// leave ends a session with the probe.
func (t *tracer) leave(ctx context.Context, p *probed) {
	p.command("exit 0")
	p.end(ctx, probeEnd)
	p.link.Close()
}

// bursting is more than the connections that "cps = 1 30" lets in within a
// second: xinetd closes the port with the one that is over the rate.
const bursting = 5

// rate connects until the port is closed for being asked for too often.
func (t *tracer) rate(ctx context.Context) (trail Trail, err error) {
	change := t.set("cps", "1 30")
	e, err := t.edit(ctx, change)
	if e != nil {
		defer func() { err = orUndo(ctx, e, err) }()
	}
	if err != nil {
		return trail, err
	}
	mark, err := t.s.MarkLog(ctx)
	if err != nil {
		return trail, err
	}
	for range bursting {
		trail, err = t.connect(ctx, xinetd.ReasonConnection, change.Line, t.v4, nil)
		if err != nil {
			return trail, err
		}
		if trail.Refused || !trail.Connected {
			break
		}
	}
	return trail, t.read(ctx, &trail, mark, func(records []xinetd.Record) bool {
		return logsFailure(t.logging.ID)(records) && len(PauseMessages(records)) > 0
	})
}

// PauseMessages are those that say that a service is closed for a while.
func PauseMessages(records []xinetd.Record) []xinetd.Record {
	var list []xinetd.Record
	for _, r := range xinetd.Messages(records) {
		if strings.Contains(r.Text, "Deactivating service") {
			list = append(list, r)
		}
	}
	return list
}

// wrappers has the client's address refused by TCP wrappers.
func (t *tracer) wrappers(ctx context.Context) (trail Trail, err error) {
	e, err := t.edit(ctx)
	if e != nil {
		defer func() { err = orUndo(ctx, e, err) }()
	}
	if err != nil {
		return trail, err
	}
	// What the package itself allows would be asked first.
	if err := e.Put(ctx, "/etc/hosts.allow", ""); err != nil {
		return trail, err
	}
	line := "ALL: " + t.v4.String()
	if err := e.Put(ctx, "/etc/hosts.deny", line+"\n"); err != nil {
		return trail, err
	}
	return t.connect(ctx, xinetd.ReasonLibwrap, "hosts.deny: "+line, t.v4, logsFailure(t.logging.ID))
}

// withoutInterpreter is a program that xinetd takes for one, and the kernel
// cannot execute.
const withoutInterpreter = "/run/conformance-without-interpreter"

// Execution is the rule of the trail of a server that cannot be executed; it is
// none of xinetd's reasons, since the client was admitted.
const Execution = "execution"

func (t *tracer) unexecutable(ctx context.Context) (trail Trail, err error) {
	if err := t.s.WriteFile(ctx, withoutInterpreter, []byte("#!/nonexistent/interpreter\n"), 0o755); err != nil {
		return trail, err
	}
	change := t.set("server", withoutInterpreter)
	e, err := t.edit(ctx, change)
	if e != nil {
		defer func() { err = orUndo(ctx, e, err) }()
	}
	if err != nil {
		return trail, err
	}
	return t.connect(ctx, Execution, change.Line, t.v4, func(records []xinetd.Record) bool {
		return len(ExecutionErrors(records)) > 0 && (t.mute || len(xinetd.Entries(records, xinetd.Exit, t.logging.ID)) > 0)
	})
}

// ExecutionErrors are the messages that say that a server could not be executed.
func ExecutionErrors(records []xinetd.Record) []xinetd.Record {
	var list []xinetd.Record
	for _, r := range xinetd.Messages(records) {
		if strings.Contains(r.Text, "execv(") && strings.Contains(r.Text, "failed") {
			list = append(list, r)
		}
	}
	return list
}

// other has a client refused while the service logs the other way.
func (t *tracer) other(ctx context.Context) (trail Trail, err error) {
	route := t.set("log_type", "FILE "+otherFile)
	if t.toFile() {
		route = t.set("log_type", "SYSLOG daemon info")
	}
	e, err := t.edit(ctx, refused, route)
	if e != nil {
		defer func() { err = orUndo(ctx, e, err) }()
	}
	if err != nil {
		return trail, err
	}
	was := t.mute
	t.mute = false // it may well be this route that works
	trail, err = t.connect(ctx, xinetd.ReasonInstances, route.Line, t.v4, logsFailure(t.logging.ID))
	t.mute = was
	return trail, err
}

// toFile says whether the service logs to a file.
func (t *tracer) toFile() bool { return LogsToFile(t.logging.Config, string(t.s.Service)) }

// LogsToFile says whether a service logs to a file of xinetd's own.
func LogsToFile(config xinetd.Config, service string) bool {
	_, _, text, ok := config.Where(service, "log_type")
	return ok && strings.Contains(strings.ToUpper(text), "FILE")
}
