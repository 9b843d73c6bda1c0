package evidence

import (
	"context"
	"slices"
	"sync"
	"time"

	"qmconformance/harness/capture"
	"qmconformance/harness/capture/pcapng"
	"qmconformance/harness/wire"
)

// The files about packets.
const (
	// PacketsFile holds those of all connections of the look.
	PacketsFile = "connections" + pcapng.Extension
	// missingFile says which are not in it, and why.
	missingFile = "connections-missing.txt"
)

// packetsLimit is for asking the target: it waits a tenth of a second for the
// kernel to hand over the youngest packets, and sends some MiB at most.
const packetsLimit = 10 * time.Second

// Source is where the packets of connections are to be had.
type Source func(ctx context.Context, wants []capture.Want) (capture.Capture, error)

// packets are asked for once, and only when a verdict needs them: all verdicts of
// a look share them, and a green run pays nothing.
type packets struct {
	source Source
	// wants are the connections that no transcript is kept of.
	wants []capture.Want
	once  sync.Once
	found capture.Capture
}

// Packets says where the packets of the bundle's connections are to be had.
func (b *Bundle) Packets(source Source) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.packets.source = source
}

// Connection says that a connection belongs to the bundle of which no transcript is
// kept, as of one among many that were judged by their outcome.
func (b *Bundle) Connection(name string, t wire.Transcript) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.packets.wants = append(b.packets.wants, want(name, t))
}

// packetFiles are the packets of the bundle's connections and what is to be said
// of those that are missing; nothing where nobody was connected to.
func (b *Bundle) packetFiles() ([]Text, error) {
	b.mu.Lock()
	source, wants, secrets := b.packets.source, wanted(b.transcripts, b.packets.wants), slices.Clone(b.secrets)
	b.mu.Unlock()
	if len(wants) == 0 {
		return nil, nil
	}
	b.packets.once.Do(func() {
		if source == nil {
			b.packets.found.Status.Absent = "nobody recorded any"
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), packetsLimit)
		defer cancel()
		found, err := source(ctx, wants)
		if err != nil {
			// The verdict stands without them, and so does the rest of its evidence.
			found.Status.Absent = "the target could not be asked: " + err.Error()
		}
		b.packets.found = found
	})
	found := b.packets.found
	var files []Text
	if found.Packets() > 0 {
		file, err := pcapng.File(found, secrets...)
		if err != nil {
			return nil, err
		}
		files = append(files, Text{PacketsFile, string(file)})
	}
	if missing := found.Missing(); missing != "" {
		files = append(files, Text{missingFile, missing + "\n"})
	}
	return files, nil
}

// wanted are the connections of a bundle, each once: one may have been noted more
// than once as it went on.
func wanted(transcripts []Transcript, others []capture.Want) []capture.Want {
	var list []capture.Want
	for _, t := range transcripts {
		list = append(list, want(t.Name, t.Wire))
	}
	for _, w := range others {
		if !slices.ContainsFunc(list, func(have capture.Want) bool { return have.Local == w.Local && have.From.Equal(w.From) }) {
			list = append(list, w)
		}
	}
	return list
}

// want names a connection by its transcript: its ends, and from when to when.
func want(name string, t wire.Transcript) capture.Want {
	w := capture.Want{Name: name, Local: t.Local, Remote: t.Remote, From: t.Started, Until: t.Started}
	for _, e := range t.Events {
		if at := t.Started.Add(e.At); at.After(w.Until) {
			w.Until = at
		}
	}
	return w
}
