// Package handbook writes the catalogue as pages for people, one for each area.
package handbook

import (
	"bytes"
	"embed"
	"path"
	"strings"
	"text/template"

	"qmconformance/harness/requirement"
)

// Dir is where the pages are, in the harness's directory.
const Dir = "docs/requirements"

// Anchor is the fragment of a requirement on its page: the heading is its ID.
func Anchor(id string) string { return strings.ToLower(id) }

// Link leads to a requirement from the harness's directory.
func Link(r requirement.Requirement) string { return LinkTo(r.Area, r.ID) }

// LinkTo is Link of what a verdict knows of its requirement.
func LinkTo(area, id string) string { return path.Join(Dir, area+".md") + "#" + Anchor(id) }

//go:embed area.md.tmpl index.md.tmpl
var templates embed.FS

// about says what an area is about, in a sentence.
var about = map[string]string{
	"services":  "What is installed, what is in force, and whether the ports are open to those who need them.",
	"stdio":     "What a session finds on its descriptors, and how both ends of a conversation see it.",
	"identity":  "Who a session is, what it may do with the tree, and whether two users can work on the same records.",
	"reuse":     "Whether the ports come back at once after a restart, with sessions still open.",
	"access":    "Who is let in, and in which order the rules apply.",
	"logging":   "What the trace tells of a session and of a refusal.",
	"lifecycle": "What reloads, stops and kills of the super-server do to sessions.",
	"hostile":   "What clients that misbehave leave behind.",
}

type view struct {
	Area, About  string
	Requirements []requirement.Requirement
}

// Pages are all pages, by their path below Dir.
func Pages(c *requirement.Catalogue) (map[string][]byte, error) {
	t, err := template.New("pages").Funcs(template.FuncMap{
		"line": func(s string) string { return strings.Join(strings.Fields(s), " ") },
		"link": func(id string) string {
			r, _ := c.Get(id)
			return "[" + id + "](" + r.Area + ".md#" + Anchor(id) + ")"
		},
		"join": func(s []requirement.Service) string {
			var names []string
			for _, one := range s {
				names = append(names, string(one))
			}
			return strings.Join(names, ", ")
		},
		"anchor": Anchor,
		"behind": func(id string) (ids []string) {
			for _, r := range c.All() {
				for _, other := range r.Requires {
					if other == id {
						ids = append(ids, r.ID)
					}
				}
			}
			return ids
		},
	}).ParseFS(templates, "*.tmpl")
	if err != nil {
		return nil, err
	}
	pages := map[string][]byte{}
	var areas []view
	for _, a := range requirement.Areas {
		v := view{Area: a.Name, About: about[a.Name]}
		for _, r := range c.All() {
			if r.Area == a.Name {
				v.Requirements = append(v.Requirements, r)
			}
		}
		areas = append(areas, v)
		var b bytes.Buffer
		if err := t.ExecuteTemplate(&b, "area.md.tmpl", v); err != nil {
			return nil, err
		}
		pages[a.Name+".md"] = b.Bytes()
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "index.md.tmpl", areas); err != nil {
		return nil, err
	}
	pages["README.md"] = b.Bytes()
	return pages, nil
}
