package evidence

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"qmconformance/harness/verdict"
	"qmconformance/harness/wire"
)

// RecordFile is the part of a folder that keeps its structure: what the report
// shows as a time line or a table, and not as a text.
const RecordFile = "record.json"

// Record is what is shown of one verdict's evidence.
type Record struct {
	// Where is the line that decides, of a verdict whose rule knows it.
	Where       verdict.Place `json:"where"`
	Transcripts []Transcript  `json:"transcripts"`
	Comparisons []Comparison  `json:"comparisons"`
	// Logs are what was written at that moment, Sources files of the subject.
	Logs    []Text `json:"logs"`
	Sources []Text `json:"sources"`
}

// Comparison sets the facts about one process beside those of the contract.
type Comparison struct {
	Name string `json:"name"`
	Rows []Row  `json:"rows"`
}

// Row is one fact about a process.
type Row struct {
	Fact     string `json:"fact"`
	Contract string `json:"contract"`
	Seen     string `json:"seen"`
	// Differs is for the eye only; the verdict is a rule's.
	Differs bool `json:"differs"`
}

// Limits of what a record holds of one connection: more than a person looks at,
// and little beside the limit of the report. The whole is in the wire-*.txt.
const (
	recordedBytes  = 2 << 10 // of one event
	recordedEvents = 400
)

// Record is the part of the bundle that keeps its structure, without its secrets.
func (b *Bundle) Record(where verdict.Place) Record {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := Record{Where: where, Transcripts: []Transcript{}, Comparisons: []Comparison{}, Logs: b.clean(b.logs), Sources: b.clean(b.sources)}
	for _, t := range b.transcripts {
		r.Transcripts = append(r.Transcripts, Transcript{t.Name, shorten(t.Wire.Redacted(b.secrets...))})
	}
	for _, c := range b.comparisons {
		kept := Comparison{Name: c.Name}
		for _, row := range c.Rows {
			row.Contract, row.Seen = blot(row.Contract, b.secrets), blot(row.Seen, b.secrets)
			kept.Rows = append(kept.Rows, row)
		}
		r.Comparisons = append(r.Comparisons, kept)
	}
	return r
}

func (b *Bundle) clean(list []Text) []Text {
	out := []Text{}
	for _, t := range list {
		out = append(out, Text{t.Name, blot(t.Text, b.secrets)})
	}
	return out
}

// shorten leaves out what nobody looks at in a time line, and counts it.
func shorten(t wire.Transcript) wire.Transcript {
	if n := len(t.Events); n > recordedEvents {
		// The end tells most: how the connection was left.
		half := recordedEvents / 2
		gap := wire.Event{At: t.Events[half].At, Kind: wire.KindElided, Size: n - 2*half, Note: fmt.Sprintf("%d events are left out here", n-2*half)}
		events := append([]wire.Event{}, t.Events[:half]...)
		t.Events = append(append(events, gap), t.Events[n-half:]...)
	}
	for i, e := range t.Events {
		if len(e.Data) > recordedBytes {
			t.Events[i].Data = e.Data[:recordedBytes]
			t.Truncated = true
		}
	}
	return t
}

// WriteRecord writes the record of a verdict into its folder.
func WriteRecord(results, folder string, b *Bundle, where verdict.Place) error {
	text, err := json.Marshal(b.Record(where))
	if err == nil {
		err = os.MkdirAll(filepath.Join(results, folder), 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(results, folder, RecordFile), text, 0o644)
	}
	if err != nil {
		return fmt.Errorf("write evidence: %w", err)
	}
	return nil
}

// ReadRecord reads the record of a folder.
func ReadRecord(results, folder string) (Record, error) {
	text, err := os.ReadFile(filepath.Join(results, folder, RecordFile))
	if err != nil {
		return Record{}, err
	}
	var r Record
	if err := json.Unmarshal(text, &r); err != nil {
		return Record{}, fmt.Errorf("%s: %w", RecordFile, err)
	}
	return r, nil
}

// Span is how long the transcript goes on after the dial.
func (t Transcript) Span() time.Duration {
	var last time.Duration
	for _, e := range t.Wire.Events {
		last = max(last, e.At)
	}
	return last
}

// Shows says whether the record has what a file of its folder holds.
func (r Record) Shows(file string) bool {
	if strings.HasPrefix(file, wirePrefix) {
		return len(r.Transcripts) > 0
	}
	for _, t := range slices.Concat(r.Logs, r.Sources) {
		if file == strings.TrimSuffix(fileName(strings.TrimPrefix(t.Name, "/")), textSuffix)+textSuffix {
			return true
		}
	}
	return false
}
