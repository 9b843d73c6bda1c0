// Package evidence is what is kept of a verdict that is not green. A Bundle is
// gathered while the target is still as it was when it was looked at; a Folder
// writes it, once the verdict is known.
package evidence

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"qmconformance/harness/process"
	"qmconformance/harness/wire"
)

// Bundle is what one look at a target left behind. It may be added to from
// several goroutines.
type Bundle struct {
	mu          sync.Mutex
	transcripts []Transcript
	processes   []Processes
	texts       []Text
	// comparisons, logs and sources keep their structure for the report; logs and
	// sources are among the texts as well.
	comparisons []Comparison
	logs        []Text
	sources     []Text
	secrets     []string
	packets     packets
}

// Transcript is the life of one connection, with a name for it.
type Transcript struct {
	Name string          `json:"name"`
	Wire wire.Transcript `json:"transcript"`
}

// Processes are those of the subject at one moment.
type Processes struct {
	Name  string           `json:"name"`
	Taken process.Snapshot `json:"snapshot"`
}

// Text is a file of the subject, a part of a log, the output of a command.
type Text struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Wire keeps a connection's transcript.
func (b *Bundle) Wire(name string, t wire.Transcript) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.transcripts = append(b.transcripts, Transcript{name, t})
}

// Snapshot keeps a look at the processes.
func (b *Bundle) Snapshot(name string, s process.Snapshot) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.processes = append(b.processes, Processes{name, s})
}

// Text keeps a text; an empty one too, since that a log is empty is a fact.
func (b *Bundle) Text(name, text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.texts = append(b.texts, Text{name, text})
}

// Log keeps what a log held of the moment that the look is about.
func (b *Bundle) Log(name, text string) {
	b.Text(name, text)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.logs = append(b.logs, Text{name, text})
}

// Source keeps a file of the subject, by its path in the target.
func (b *Bundle) Source(path, text string) {
	b.Text(strings.TrimPrefix(path, "/"), text)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sources = append(b.sources, Text{path, text})
}

// Compare keeps facts about a process beside those of the contract.
func (b *Bundle) Compare(name string, rows []Row) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.comparisons = append(b.comparisons, Comparison{name, rows})
}

// Secret is blotted out of everything that is written.
func (b *Bundle) Secret(s string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.secrets = append(b.secrets, s)
}

// Empty says that nothing was gathered, as of what was never looked at.
func (b *Bundle) Empty() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.transcripts)+len(b.processes)+len(b.texts) == 0
}

// Files are the bundle as named texts, in the order in which they were taken.
// names are unique: a second thing of one name gets a number.
func (b *Bundle) Files() []Text {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []Text
	taken := map[string]bool{}
	add := func(name, extension, text string) {
		name = strings.TrimSuffix(fileName(name), extension)
		unique := name
		for n := 2; taken[unique]; n++ {
			unique = fmt.Sprintf("%s-%d", name, n)
		}
		taken[unique] = true
		list = append(list, Text{unique + extension, blot(text, b.secrets)})
	}
	for _, t := range b.transcripts {
		head := fmt.Sprintf("%s: %s -> %s, begun %s\n\n", t.Name, t.Wire.Local, t.Wire.Remote, t.Wire.Started.UTC().Format(time.RFC3339Nano))
		add(wirePrefix+t.Name, textSuffix, head+t.Wire.Redacted(b.secrets...).Text())
	}
	for _, p := range b.processes {
		add("processes-"+p.Name, textSuffix, describe(p.Taken))
	}
	for _, t := range b.texts {
		add(t.Name, textSuffix, t.Text)
	}
	return list
}

const (
	wirePrefix = "wire-"
	textSuffix = ".txt"
)

// fileName makes a name that every file system takes and no two names share
// that differ in letters or digits.
func fileName(name string) string {
	name = strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
			return r
		}
		return '-'
	}, name), "-.")
	if name == "" {
		return "unnamed"
	}
	return name
}

// describe prints the processes as a table with, for each, what a requirement
// may be about.
func describe(s process.Snapshot) string {
	var b strings.Builder
	fmt.Fprintf(&b, "taken %s\n", s.Taken.UTC().Format(time.RFC3339Nano))
	for _, p := range s.Processes {
		// Our own: PID 1 and the agent under it.
		if strings.HasPrefix(p.Exe, "/.conformance/") && !slices.Contains(p.Args, "-n") {
			continue
		}
		fmt.Fprintf(&b, "\npid %d, parent %d, session %d, state %s: %s\n", p.PID, p.PPID, p.Session, p.State, strings.Join(p.Args, " "))
		fmt.Fprintf(&b, "  exe %s, cwd %s\n", p.Exe, p.Cwd)
		fmt.Fprintf(&b, "  uid %v gid %v groups %v umask %04o\n", p.UIDs, p.GIDs, p.Groups, p.Umask)
		fmt.Fprintf(&b, "  signals ignored %v blocked %v, capabilities %x\n", p.SigIgn, p.SigBlk, p.CapEff)
		fmt.Fprintf(&b, "  environment %s\n", strings.Join(p.Env, " "))
		for _, fd := range p.FDs {
			fmt.Fprintf(&b, "  fd %d -> %s\n", fd.Number, fd.Target)
		}
		for _, problem := range p.Problems {
			fmt.Fprintf(&b, "  could not be read: %v\n", problem)
		}
	}
	b.WriteString("\nTCP sockets\n")
	for _, socket := range s.Sockets {
		fmt.Fprintf(&b, "  %-11v %v -> %v inode %d\n", socket.State, socket.Local, socket.Remote, socket.Inode)
	}
	return b.String()
}
