// Package pcapng writes what was captured as a file that Wireshark and tshark
// open.
package pcapng

import (
	"bytes"
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"qmconformance/harness/capture"
)

// Extension is that of such files.
const Extension = ".pcapng"

// blotted is the comment on a packet that a secret was in.
const blotted = "The harness overwrote a password here by asterisks; the checksum is changed by the same difference."

// File is the packets of all connections in the order of their times, without the
// secrets. What is missing is said in the file's own comment.
func File(c capture.Capture, secrets ...string) ([]byte, error) {
	type row struct {
		capture.Packet
		comments []string
	}
	var rows []row
	hidden := 0
	for _, connection := range c.Connections {
		clean, changed := connection.Blotted(secrets...)
		hidden += len(changed)
		for i, p := range clean.Packets {
			r := row{Packet: p}
			if i == 0 && connection.Name != "" && !connection.Identity {
				r.comments = append(r.comments, "Connection "+connection.Name+".")
			}
			if i == 0 && connection.Dropped > 0 {
				r.comments = append(r.comments, fmt.Sprintf("The oldest %d packets of this connection were dropped.", connection.Dropped))
			}
			if i == 0 && connection.Identity {
				r.comments = append(r.comments, fmt.Sprintf("The question for the user behind %s (RFC 1413).", cmp.Or(connection.Name, "a connection")))
			}
			if changed[i] {
				r.comments = append(r.comments, blotted)
			}
			rows = append(rows, r)
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return a.At.Compare(b.At) })

	var file bytes.Buffer
	w, ids, err := begin(&file, c, len(rows), hidden)
	if err != nil {
		return nil, fmt.Errorf("write packets: %w", err)
	}
	for _, r := range rows {
		info := gopacket.CaptureInfo{
			Timestamp: r.At, CaptureLength: len(r.Data), Length: max(r.Length, len(r.Data)), InterfaceIndex: ids[r.Interface],
		}
		if err := w.WritePacketWithOptions(info, r.Data, pcapgo.NgPacketOptions{Comments: r.comments}); err != nil {
			return nil, fmt.Errorf("write packets: %w", err)
		}
	}
	if err := w.Flush(); err != nil {
		return nil, fmt.Errorf("write packets: %w", err)
	}
	return file.Bytes(), nil
}

// begin writes what stands before the packets: the section, and the interfaces
// that they passed.
func begin(file *bytes.Buffer, c capture.Capture, packets, hidden int) (w *pcapgo.NgWriter, ids map[int]int, err error) {
	comment := fmt.Sprintf("%d packets of %d connections as the target's kernel saw them; recorded since %s.",
		packets, len(c.Connections), c.Status.Since.UTC().Format(time.RFC3339Nano))
	if hidden > 0 {
		comment += fmt.Sprintf(" In %d packets a password of the harness's own test users is overwritten by asterisks.", hidden)
	}
	if missing := c.Missing(); missing != "" {
		comment += "\n" + missing
	}
	options := pcapgo.NgWriterOptions{SectionInfo: pcapgo.NgSectionInfo{
		Hardware: runtime.GOARCH, OS: runtime.GOOS, Application: "qmconformance", Comment: comment,
	}}
	ids = map[int]int{}
	for _, n := range used(c) {
		link := pcapgo.NgInterface{Name: c.Interfaces[n], OS: runtime.GOOS, LinkType: layers.LinkTypeEthernet, TimestampResolution: 9}
		if link.Name == "" {
			link.Name = fmt.Sprintf("interface %d", n)
		}
		ids[n] = len(ids)
		if w == nil {
			w, err = pcapgo.NewNgWriterInterface(file, link, options)
		} else {
			_, err = w.AddInterface(link)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	if w == nil {
		w, err = pcapgo.NewNgWriterInterface(file, pcapgo.NgInterface{Name: "none", LinkType: layers.LinkTypeEthernet}, options)
	}
	return w, ids, err
}

// used are the interfaces that a packet passed, by number.
func used(c capture.Capture) []int {
	var list []int
	for _, connection := range c.Connections {
		for _, p := range connection.Packets {
			if !slices.Contains(list, p.Interface) {
				list = append(list, p.Interface)
			}
		}
	}
	slices.SortFunc(list, cmp.Compare)
	return list
}
