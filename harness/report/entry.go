package report

import (
	"slices"
	"strings"

	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

// entry is a finding as a reader meets it: what is found alike for several
// services is one entry, and what follows from a cause stands under it.
type entry struct {
	verdict.Verdict // the first of those it stands for
	services        []requirement.Service
	evidence        []string
	follows         []verdict.Verdict
}

// title names the entry on a terminal.
func (e entry) title() string {
	return e.ID + " " + series(e.services) + ": " + flatten(e.Sentence)
}

// merge makes entries of verdicts, in their order. Verdicts of one ID that
// found the same for different services become one.
func merge(list []verdict.Verdict) []entry {
	type key struct {
		id, expected, actual, hint, because string
		kind                                verdict.Kind
	}
	var entries []entry
	at := map[key]int{}
	for _, v := range list {
		k := key{v.ID, v.Expected, v.Actual, v.Hint, v.BecauseOf, v.Kind}
		i, there := at[k]
		if !there {
			i = len(entries)
			at[k] = i
			entries = append(entries, entry{Verdict: v})
		}
		entries[i].services = append(entries[i].services, v.Service)
		if v.Evidence != "" {
			entries[i].evidence = append(entries[i].evidence, v.Evidence)
		}
	}
	return entries
}

// causes are the red verdicts that follow from no other red one, each with what
// follows from it. Every red verdict is in exactly one of them.
func causes(list []verdict.Verdict, strict bool) []entry {
	red := map[string]string{} // ID to what it in turn follows from
	for _, v := range list {
		if v.Red(strict) && (red[v.ID] == "" || v.BecauseOf == "") {
			red[v.ID] = v.BecauseOf
		}
	}
	// root is the first of the chain of causes; empty for a verdict that has none
	// among the red ones. A chain that bites its tail has no first.
	root := func(v verdict.Verdict) string {
		seen := map[string]bool{v.ID: true}
		top, next := "", v.BecauseOf
		for next != "" && !seen[next] {
			further, isRed := red[next]
			if !isRed {
				break
			}
			seen[next] = true
			top, next = next, further
		}
		if next != "" && seen[next] {
			return ""
		}
		return top
	}
	var roots, rest []verdict.Verdict
	for _, v := range list {
		switch {
		case !v.Red(strict):
		case root(v) == "":
			roots = append(roots, v)
		default:
			rest = append(rest, v)
		}
	}
	entries := merge(roots)
	for _, v := range rest {
		e := place(entries, root(v), v.Service)
		e.follows = append(e.follows, v)
	}
	return entries
}

// place finds the entry of an ID, the one for the service before any other.
func place(entries []entry, id string, s requirement.Service) *entry {
	var found *entry
	for i := range entries {
		e := &entries[i]
		if e.ID != id {
			continue
		}
		if slices.Contains(e.services, s) {
			return e
		}
		if found == nil {
			found = e
		}
	}
	return found
}

// names lists verdicts shortly: each ID once, with its services.
func names(list []verdict.Verdict) []string {
	var out []string
	at := map[string]int{}
	for _, v := range list {
		if i, there := at[v.ID]; there {
			out[i] += "/" + string(v.Service)
			continue
		}
		at[v.ID] = len(out)
		out = append(out, v.ID+" "+string(v.Service))
	}
	return out
}

// pick picks the verdicts that a test holds for.
func pick(list []verdict.Verdict, holds func(verdict.Verdict) bool) []verdict.Verdict {
	var out []verdict.Verdict
	for _, v := range list {
		if holds(v) {
			out = append(out, v)
		}
	}
	return out
}

// kind picks the verdicts of one kind.
func kind(r Results, k verdict.Kind) []verdict.Verdict {
	return pick(r.Verdicts, func(v verdict.Verdict) bool { return v.Kind == k })
}

// folders writes the evidence folders of one entry shortly, in a form that a
// shell expands.
func folders(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	dash := strings.LastIndex(list[0], "-") + 1
	prefix := list[0][:dash]
	var ends []string
	for _, f := range list {
		if dash == 0 || !strings.HasPrefix(f, prefix) {
			return strings.Join(list, ", ")
		}
		ends = append(ends, f[dash:])
	}
	return prefix + "{" + strings.Join(ends, ",") + "}"
}
