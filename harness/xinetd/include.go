package xinetd

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// directory reads what includedir of 2.3.15.3 reads: regular files, also by
// links, in the order of strcmp, without a dot in their name or a tilde at its
// end. Names like "#qm#" or "qm-bak" are read.
func (p *parser) directory(name string, depth int, from *reader) {
	// fs.ReadDir sorts by name, byte for byte, which is strcmp's order.
	entries, err := fs.ReadDir(p.fsys, inFS(name))
	if err != nil {
		p.remark(Remark{
			Kind: Unreadable, File: from.file, Line: from.next, Text: fmt.Sprintf("directory %s can't be read: %v", name, err),
			Hint: "xinetd goes on without it",
		})
		return
	}
	for _, entry := range entries {
		file := path.Join(name, entry.Name())
		why := ""
		switch info, err := fs.Stat(p.fsys, inFS(file)); {
		case strings.Contains(entry.Name(), "."):
			why = "its name holds a dot"
		case strings.HasSuffix(entry.Name(), "~"):
			why = "its name ends in a tilde"
		case err != nil:
			why = fmt.Sprintf("it can't be examined (%v)", err)
		case !info.Mode().IsRegular():
			why = "it is not a regular file"
		}
		if why == "" {
			p.file(file, depth, from)
			continue
		}
		p.skip(file, why)
	}
}

// skip records a file that isn't read, and remarks on it if it would define a
// service: a hidden file of an editor is no matter, a qmclient.conf is.
func (p *parser) skip(file, why string) {
	skipped := SkippedFile{File: file, Why: why}
	if content, err := fs.ReadFile(p.fsys, inFS(file)); err == nil {
		for line := range strings.Lines(string(content)) {
			if fields := splitValues(strings.TrimSpace(line)); len(fields) > 1 && strings.EqualFold(fields[0], "service") {
				skipped.Services = append(skipped.Services, fields[1])
			}
		}
	}
	p.config.Skipped = append(p.config.Skipped, skipped)
	for _, service := range skipped.Services {
		p.remark(Remark{
			Kind: SkippedByName, File: file, Service: service, Text: fmt.Sprintf("xinetd passes over this file, because %s", why),
			Hint: "a service of the same name elsewhere is used instead, or none",
		})
	}
	// A link to nowhere defines nothing, but surely was to define something.
	if len(skipped.Services) == 0 && strings.HasPrefix(why, "it can't") {
		p.remark(Remark{Kind: SkippedByName, File: file, Text: "xinetd passes over this file, because " + why})
	}
}

// crossCheck remarks on what is wrong between blocks.
func (p *parser) crossCheck() {
	seen := map[string]Block{}
	for _, b := range p.config.Blocks {
		if b.IsDefaults() || b.Dropped != "" || b.Disabled {
			continue
		}
		first, twice := seen[b.ID()]
		if !twice {
			seen[b.ID()] = b
			continue
		}
		p.remark(Remark{
			Kind: TwoBlocks, File: b.File, Line: b.Line, Service: b.Service,
			Text: fmt.Sprintf("%s is defined already in %s:%d, which wins", b.ID(), first.File, first.Line),
			Hint: "xinetd doesn't say so: it tries to bind the port twice. Remove one of the two",
		})
	}
	services := 0
	for _, b := range p.config.Blocks {
		if !b.IsDefaults() {
			services++
			continue
		}
		if services == 0 || b.Dropped != "" {
			continue
		}
		for _, a := range b.Attributes {
			if a.Ignored == "" && slices.Contains(copiedAtParse, a.Name) {
				p.remark(Remark{
					Kind: LateDefaults, File: a.File, Line: a.Line, Attribute: a.Name,
					Text: fmt.Sprintf("%s in defaults comes after %d services, which don't get it", a.Name, services),
					Hint: "put the defaults before the services and before includedir",
				})
			}
		}
	}
}
