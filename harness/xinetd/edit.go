package xinetd

import (
	"fmt"
	"slices"
	"strings"
)

// Change sets or removes one attribute in a block, as an administrator would
// with an editor.
type Change struct {
	// Service is the block's; "" is the defaults block.
	Service   string
	Attribute string
	// Line is the whole new line, "only_from = 10.1.2.3"; empty removes the
	// attribute.
	Line string
}

// Set is a change to "attribute = value".
func Set(service, attribute, value string) Change {
	return Change{service, attribute, strings.TrimRight(attribute+" = "+value, " ")}
}

// Add is a change to "attribute += value", beside what is there.
func Add(service, attribute, value string) Change {
	return Change{service, attribute, attribute + " += " + value}
}

// Remove is a change that takes the attribute away.
func Remove(service, attribute string) Change { return Change{service, attribute, ""} }

// Edit applies changes to the configuration files in place and returns the new
// texts of those that changed. All else stays as it is, so that what a package
// does about an administrator's rule (a flag, a misplaced defaults block) keeps
// its effect. texts are the files that Parse read, by name.
//
// An attribute that is there is replaced where it stands first; one that isn't is
// put in front of the closing brace. += always adds a line.
func Edit(config Config, texts map[string]string, changes ...Change) (map[string]string, error) {
	lines := map[string][]string{}
	for name, text := range texts {
		lines[name] = strings.Split(text, "\n")
	}
	changed := map[string]bool{}
	for _, c := range changes {
		blocks := config.Defaults()
		if c.Service != "" {
			blocks = config.Service(c.Service)
		}
		blocks = slices.DeleteFunc(slices.Clone(blocks), func(b Block) bool { return b.Dropped != "" })
		if len(blocks) == 0 && c.Service == "" && len(config.Files) > 0 {
			// Where there are none yet, an administrator puts them first: what is included
			// before them does not inherit their lists.
			first := config.Files[0]
			lines[first][0] = "defaults\n{\n\t" + c.Line + "\n}\n" + lines[first][0]
			changed[first] = true
			continue
		}
		if len(blocks) == 0 {
			return nil, fmt.Errorf("edit %s: there is no block of %q in force", c.Attribute, c.Service)
		}
		b := blocks[0]
		if _, ok := lines[b.File]; !ok {
			return nil, fmt.Errorf("edit %s: %s was not read", c.Attribute, b.File)
		}
		edit(lines[b.File], b, c)
		changed[b.File] = true
	}
	out := map[string]string{}
	for name := range changed {
		out[name] = strings.Join(lines[name], "\n")
	}
	return out, nil
}

// edit changes lines of one block without changing their number, so that the
// line numbers of the configuration stay true for the next change.
func edit(lines []string, b Block, c Change) {
	adds := strings.Contains(c.Line, "+=")
	placed := adds || c.Line == ""
	for _, a := range b.Attributes {
		if a.Name != canonical(c.Attribute) || adds {
			continue
		}
		lines[a.Line-1] = ""
		if !placed {
			lines[a.Line-1] = "\t" + c.Line
			placed = true
		}
	}
	if c.Line != "" && (adds || !placed) {
		// Behind what was put there before: of two lines the first one may win.
		end := b.End - 1
		brace := strings.LastIndexByte(lines[end], '\n') + 1
		lines[end] = lines[end][:brace] + "\t" + c.Line + "\n" + lines[end][brace:]
	}
}
