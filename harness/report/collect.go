package report

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"qmconformance/harness/capture/pcapng"
	"qmconformance/harness/evidence"
	"qmconformance/harness/verdict"
)

// collectLimit bounds what is read of one evidence file, in bytes; the page
// shows less.
const collectLimit = 256 << 10

// Collect reads the evidence of the red verdicts back from RESULTS, for
// report.html. A file that cannot be read is there with the reason as its text:
// evidence that is missing must not look like evidence that was never taken.
func Collect(dir string, list []verdict.Verdict, strict bool) map[string][]evidence.Text {
	all := map[string][]evidence.Text{}
	for _, v := range list {
		if !v.Red(strict) || v.Evidence == "" {
			continue
		}
		folder := filepath.Join(dir, v.Evidence)
		files, err := os.ReadDir(folder)
		if err != nil {
			all[v.Evidence] = []evidence.Text{{Name: v.Evidence, Text: "cannot be read: " + cause(err).Error()}}
			continue
		}
		for _, f := range files {
			text, err := head(filepath.Join(folder, f.Name()))
			if err != nil {
				text = "cannot be read: " + cause(err).Error()
			}
			all[v.Evidence] = append(all[v.Evidence], evidence.Text{Name: f.Name(), Text: text})
		}
	}
	return all
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
