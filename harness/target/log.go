package target

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"qmconformance/harness/agent"
	"qmconformance/harness/xinetd"
)

// ConfigFile is where xinetd reads its configuration unless told otherwise.
const ConfigFile = "/etc/xinetd.conf"

// Configuration reads xinetd.conf and what it includes, as xinetd's own parser
// would, with what the parser stumbles over. That a file cannot be read is such a
// remark; that the agent does not answer is an error.
func (t *Target) Configuration(ctx context.Context) (xinetd.Config, []xinetd.Remark, error) {
	config, remarks, _, err := t.read(ctx)
	return config, remarks, err
}

// read is Configuration, with the files as they were then.
func (t *Target) read(ctx context.Context) (xinetd.Config, []xinetd.Remark, fs.ReadFileFS, error) {
	files := t.whole(ctx)
	config, remarks := xinetd.Parse(files, ConfigFile)
	return config, remarks, files, *files.lost
}

// findLogs learns from the configuration which files xinetd logs to. A file
// whose directory is missing stays in the list: its absence is the finding.
func (t *Target) findLogs(ctx context.Context) error {
	config, _, err := t.Configuration(ctx)
	if err != nil {
		return err
	}
	t.logFiles = nil
	for _, b := range config.Blocks {
		a, ok := b.Attribute("log_type")
		if ok && len(a.Values) >= 2 && strings.EqualFold(a.Values[0], "FILE") && !slices.Contains(t.logFiles, a.Values[1]) {
			t.logFiles = append(t.logFiles, a.Values[1])
		}
	}
	return nil
}

// LogFiles are the files that xinetd logs to, as its configuration has it.
func (t *Target) LogFiles() []string { return slices.Clone(t.logFiles) }

// LogMark is a place in the log.
type LogMark struct {
	messages int
	files    map[string]int
}

// Log is what xinetd logged so far: through the harness's syslog socket or a syslog
// daemon's files, and to files of its own.
type Log struct {
	Text    string
	Records []xinetd.Record
}

// ReadLog reads what was logged since a mark; the zero mark is the beginning.
func (t *Target) ReadLog(ctx context.Context, since LogMark) (Log, error) {
	var l Log
	messages, err := t.Messages(ctx, since.messages)
	if err != nil {
		return l, err
	}
	var text, files, stored strings.Builder
	for _, m := range messages {
		text.WriteString(m.Raw + "\n")
		l.Records = append(l.Records, ofMessage(m.Raw)...)
	}
	for _, name := range t.logFiles {
		whole, err := t.logged(ctx, name, since.files[name])
		if err != nil {
			return l, err
		}
		files.Write(whole)
	}
	daemons, err := t.syslogFiles(ctx)
	if err != nil {
		return l, err
	}
	for _, name := range daemons {
		whole, err := t.logged(ctx, name, since.files[name])
		if err != nil {
			return l, err
		}
		stored.Write(whole)
	}
	l.Text = text.String() + files.String() + stored.String()
	l.Records = append(l.Records, xinetd.ParseLog(files.String(), xinetd.Zone{})...)
	l.Records = append(l.Records, ofDaemon(stored.String())...)
	return l, nil
}

// ofMessage is the record of one syslog message. A line feed in it begins no new
// one, whatever follows it: that is what syslog has over a file.
func ofMessage(raw string) []xinetd.Record {
	first, _, _ := strings.Cut(raw, "\n")
	if len(xinetd.ParseLog(first, xinetd.Zone{})) == 0 {
		return nil // another program's
	}
	records := xinetd.ParseLog(raw, xinetd.Zone{})[:1]
	records[0].Raw = raw
	return records
}

// MarkLog is the present end of the log. It parses nothing, and of the messages,
// which only ever become more, it asks for those since the last mark: there are a
// hundred marks in a run, and thousands of messages.
func (t *Target) MarkLog(ctx context.Context) (LogMark, error) {
	mark := LogMark{files: map[string]int{}}
	t.marking.Lock()
	defer t.marking.Unlock()
	messages, err := t.Messages(ctx, t.marked)
	if err != nil {
		return mark, err
	}
	t.marked += len(messages)
	mark.messages = t.marked
	daemons, err := t.syslogFiles(ctx)
	if err != nil {
		return mark, err
	}
	for _, name := range slices.Concat(t.logFiles, daemons) {
		// From the beginning: a file may have become shorter.
		whole, err := t.logged(ctx, name, 0)
		if err != nil {
			return mark, err
		}
		mark.files[name] = len(whole)
	}
	return mark, nil
}

// logged is what a log file holds from an offset on, up to the end of its last line.
func (t *Target) logged(ctx context.Context, name string, from int) ([]byte, error) {
	part, err := t.ReadFrom(ctx, name, int64(from))
	// What is written to a device, /dev/null for one, is as lost as without a file.
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, agent.ErrNotRegular) {
		return nil, err
	}
	return part[:bytes.LastIndexByte(part, '\n')+1], nil
}

// AwaitLog reads the log since a mark until enough says so, LogLimit at most; it
// returns what there is either way. A log line may trail the event that it is
// about, so its absence is known only after a wait.
func (t *Target) AwaitLog(ctx context.Context, since LogMark, enough func([]xinetd.Record) bool) (Log, error) {
	deadline := time.Now().Add(LogLimit)
	for {
		l, err := t.ReadLog(ctx, since)
		if err != nil || enough(l.Records) || time.Now().After(deadline) {
			return l, err
		}
		select {
		case <-ctx.Done():
			return l, ctx.Err()
		case <-time.After(poll):
		}
	}
}
