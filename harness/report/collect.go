package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"qmconformance/harness/capture/pcapng"
	"qmconformance/harness/evidence"
	"qmconformance/harness/verdict"
)

// collectLimit bounds what is read of one evidence file, in bytes; the page
// shows less.
const collectLimit = 256 << 10

// Evidence is what a folder holds, as report.html shows it.
type Evidence struct {
	Record evidence.Record
	// Files are its texts, but for those that the record has in a better form.
	Files []evidence.Text
	// Links are the files that are only linked: captures, scripts, data for programs.
	Links []string
}

// linked are files that a person opens with a program of their own, or runs.
func linked(name string) bool {
	return name == "observation.json" || name == "reproduce.sh" || slices.Contains([]string{".pcap", ".pcapng"}, filepath.Ext(name))
}

// Collect reads the evidence of all verdicts that have some back from RESULTS,
// for report.html. A file that cannot be read is there with the reason as its
// text: evidence that is missing must not look like evidence that was never taken.
func Collect(dir string, list []verdict.Verdict) map[string]Evidence {
	all := map[string]Evidence{}
	for _, v := range list {
		if v.Evidence != "" {
			all[v.Evidence] = collect(dir, v.Evidence)
		}
	}
	return all
}

func collect(dir, name string) Evidence {
	var e Evidence
	unreadable := func(file string, err error) {
		e.Files = append(e.Files, evidence.Text{Name: file, Text: "cannot be read: " + cause(err).Error()})
	}
	files, err := os.ReadDir(filepath.Join(dir, name))
	if err != nil {
		unreadable(name, err)
		return e
	}
	if e.Record, err = evidence.ReadRecord(dir, name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		unreadable(evidence.RecordFile, err)
	}
	for _, f := range files {
		switch {
		case f.Name() == evidence.RecordFile || f.IsDir():
		case linked(f.Name()):
			e.Links = append(e.Links, f.Name())
		case e.Record.Shows(f.Name()):
		default:
			text, err := head(filepath.Join(dir, name, f.Name()))
			if err != nil {
				unreadable(f.Name(), err)
				continue
			}
			if bytes.IndexByte([]byte(text), 0) >= 0 {
				e.Links = append(e.Links, f.Name()) // no text
				continue
			}
			e.Files = append(e.Files, evidence.Text{Name: f.Name(), Text: text})
		}
	}
	return e
}

// head is the beginning of a file.
func head(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && filepath.Ext(path) == pcapng.Extension {
		return fmt.Sprintf("%d bytes of packets: open the file with Wireshark, or read it with tshark -r.\n", info.Size()), nil
	}
	text, err := io.ReadAll(io.LimitReader(f, collectLimit))
	if info, failed := f.Stat(); err == nil && failed == nil && info.Size() > collectLimit {
		return fmt.Sprintf("%s\n%s (%d bytes in the file)\n", text, ellipsis, info.Size()), nil
	}
	return string(text), err
}

// Attachment is a page of another command's, shown beside a run's own.
type Attachment struct {
	Title, File, Page string
}

// attachmentLimit is the most that is taken into the page of one: what is larger
// is linked.
const attachmentLimit = 400 << 10

// Attachments are the pages that other commands left in RESULTS: the benchmark's
// plots and the fault matrix.
func Attachments(dir string) []Attachment {
	var list []Attachment
	for _, a := range []Attachment{
		{Title: "Benchmark: how fast a connection is set up", File: "bench.html"},
		{Title: "Fault matrix: which packaging mistakes are found", File: "faults.html"},
	} {
		text, err := os.ReadFile(filepath.Join(dir, a.File))
		if err != nil {
			continue // it was not run
		}
		if len(text) <= attachmentLimit {
			a.Page = strings.ToValidUTF8(string(text), "\ufffd")
		}
		list = append(list, a)
	}
	return list
}
