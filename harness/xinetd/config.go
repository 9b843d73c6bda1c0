// Package xinetd reads what xinetd is told and what it says: configuration
// files, state dump and log. All of it is pure text work.
//
// What is in force comes from the state dump. The configuration is read to name
// the file and the line to change, and the slips that xinetd passes over; so it
// is read as xinetd's own parser does (parse.c, parsesup.c and includedir.c of
// 2.3.15.3), and what that parser drops is kept and marked.
package xinetd

import (
	"fmt"
	"slices"
	"strings"
)

// Config is all configuration files in the order in which xinetd reads them.
type Config struct {
	// Files were read, Skipped lay in an included directory and were not.
	Files   []string
	Skipped []SkippedFile
	Blocks  []Block
}

// SkippedFile is a file of an included directory that xinetd passes over.
type SkippedFile struct {
	File string
	Why  string
	// Services are those that the file would define.
	Services []string
}

// Block is one "defaults" or "service" entry.
type Block struct {
	// Service is the name after the keyword; "" is the defaults block.
	Service string
	File    string
	// Line and End are the lines of the keyword and of the closing brace (or of
	// the last line that was read).
	Line int
	End  int
	// Attributes are in the order of the file.
	Attributes []Attribute
	// Dropped is the reason why xinetd ignores the whole block, "" if it doesn't.
	Dropped string
	// Disabled: "disable = yes" ended the reading of the block.
	Disabled bool
}

// Attribute is one line of a block.
type Attribute struct {
	// Name is in lower case, with "interface" as its other name "bind"; Spelled is as it stands.
	Name     string
	Spelled  string
	Operator string
	Values   []string
	File     string
	Line     int
	// Text is the whole line for a person to read: none of the white space around
	// it, and one blank for each run of blanks and tabs in it.
	Text string
	// Ignored is the reason why this line has no effect, "" if it has.
	Ignored string
	// Meant is the known attribute that a misspelt name is nearest to.
	Meant string
}

// ID is the block's identifier: attribute id, else the service's name.
func (b Block) ID() string {
	if id, ok := b.Attribute("id"); ok && len(id.Values) > 0 {
		return strings.TrimRight(id.Values[0], "\r")
	}
	return b.Service
}

// IsDefaults tells the defaults block from a service.
func (b Block) IsDefaults() bool { return b.Service == "" }

// Attribute returns the line that decides an attribute, the last that counts:
// where a second line has no effect it is marked as ignored.
func (b Block) Attribute(name string) (Attribute, bool) {
	var found Attribute
	ok := false
	for _, a := range b.Attributes {
		if a.Name == canonical(name) && a.Ignored == "" {
			found, ok = a, true
		}
	}
	return found, ok
}

// Intended returns the line that looks as if it were to set an attribute but
// doesn't: misspelt, ignored, or without the blank before the operator.
func (b Block) Intended(name string) (Attribute, bool) {
	for _, a := range b.Attributes {
		if a.Ignored != "" && (a.Name == canonical(name) || a.Meant == canonical(name)) {
			return a, true
		}
	}
	return Attribute{}, false
}

// EnabledAfter says whether "disable = no" follows the line: it clears the mark
// that xinetd has set on the service for an error above it, so that the service
// runs without the attribute (parsers.c, svcdisable_parser).
func (b Block) EnabledAfter(line int) bool {
	disable, ok := b.Attribute("disable")
	return ok && disable.Line > line && len(disable.Values) == 1 && strings.EqualFold(disable.Values[0], "no")
}

// Service returns the blocks of that service name or id, the dropped ones too:
// more than one is a conflict that xinetd doesn't report as such.
func (c Config) Service(name string) []Block {
	return c.where(func(b Block) bool { return !b.IsDefaults() && (b.Service == name || b.ID() == name) })
}

// Defaults returns the defaults blocks.
func (c Config) Defaults() []Block { return c.where(Block.IsDefaults) }

// BlockAt returns the block that a line belongs to.
func (c Config) BlockAt(file string, line int) (Block, bool) {
	for _, b := range c.Blocks {
		if b.File == file && b.Line <= line && line <= b.End {
			return b, true
		}
	}
	return Block{}, false
}

// Where names the line to look at or to change for an attribute of a service:
// the line that sets it, else the one that fails to, else the one in the
// defaults. With none of these it is the service's first line and ok is false;
// if even the service isn't there, file is empty.
func (c Config) Where(service, attribute string) (file string, line int, text string, ok bool) {
	blocks := c.Service(service)
	if len(blocks) == 0 {
		return "", 0, "", false
	}
	// A block in force comes before one that xinetd dropped.
	slices.SortStableFunc(blocks, func(a, b Block) int { return rank(a) - rank(b) })
	for _, find := range []func(Block, string) (Attribute, bool){Block.Attribute, Block.Intended} {
		for _, b := range blocks {
			if a, found := find(b, attribute); found {
				return a.File, a.Line, a.Text, true
			}
		}
	}
	if _, inherited := defaultAttributes[canonical(attribute)]; inherited {
		for _, find := range []func(Block, string) (Attribute, bool){Block.Attribute, Block.Intended} {
			for _, b := range c.Defaults() {
				if a, found := find(b, attribute); found {
					return a.File, a.Line, a.Text, true
				}
			}
		}
	}
	return blocks[0].File, blocks[0].Line, "", false
}

// Setting says which line sets one of some attributes for a service, in its block or
// in the defaults; nothing where none does.
func (c Config) Setting(service string, attributes ...string) string {
	for _, name := range attributes {
		if file, line, text, ok := c.Where(service, name); ok {
			return fmt.Sprintf("%s:%d says %q", file, line, strings.TrimSpace(text))
		}
	}
	return ""
}

func rank(b Block) int {
	if b.Dropped != "" || b.Disabled {
		return 1
	}
	return 0
}

func (c Config) where(match func(Block) bool) []Block {
	var list []Block
	for _, b := range c.Blocks {
		if match(b) {
			list = append(list, b)
		}
	}
	return list
}
