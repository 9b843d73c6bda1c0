package xinetd

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// attribute adds one line to a block. The result is the reason why xinetd drops
// the whole block for it, or "". Without comment the line is only recorded: it
// is in a part that xinetd skips.
func (p *parser) attribute(b *Block, line string, number int, comment bool) (drop string) {
	text := strings.Trim(line, blank)
	a := Attribute{File: b.File, Line: number, Text: strings.Join(splitValues(text), " ")}
	end := strings.IndexAny(text, blank+"=")
	if end < 0 {
		end = len(text)
	}
	a.Spelled, a.Name = text[:end], canonical(text[:end])
	rest := text[end:]
	glued := strings.HasPrefix(rest, "=")
	rest = strings.TrimLeft(rest, blank)
	for _, operator := range []string{"=", "+=", "-="} {
		if strings.HasPrefix(rest, operator) {
			a.Operator = operator
			a.Values = p.values(line, operator, end)
			break
		}
	}
	remark := Remark{File: b.File, Line: number, Service: b.Service, Attribute: a.Name}
	say := func(kind RemarkKind, text, hint string) {
		a.Ignored = text
		remark.Kind, remark.Text, remark.Hint = kind, text, hint
		if comment {
			p.remark(remark)
		}
	}
	defer func() { b.Attributes = append(b.Attributes, a) }()

	known := serviceAttributes
	if b.IsDefaults() {
		known = defaultAttributes
	}
	switch {
	case !comment:
		a.Ignored = "xinetd doesn't read this line"
		return ""
	case glued:
		say(NoBlank, fmt.Sprintf("there is no blank between %s and =", a.Spelled), "write "+a.Spelled+" = VALUE; as it is, xinetd drops the whole block")
		return a.Ignored
	case a.Operator == "":
		say(BadOperator, fmt.Sprintf("no =, += or -= after %s", a.Spelled), "as it is, xinetd drops the whole block")
		return a.Ignored
	}
	count, ok := known[strings.ToLower(a.Spelled)]
	if !ok {
		p.unknown(b, &a, say)
		return ""
	}
	if count != extended {
		if earlier, set := b.Attribute(a.Name); set {
			say(AlreadySet, fmt.Sprintf("%s is already set in line %d, and the first one counts", a.Name, earlier.Line), "remove one of the two lines")
			return ""
		}
		if a.Operator != "=" {
			say(WrongOperator, fmt.Sprintf("%s does not work on %s, and the line is ignored", a.Operator, a.Name), "write =")
			return ""
		}
	}
	if count > 0 && len(a.Values) != count {
		kind, hint := WrongCount, ""
		if slices.ContainsFunc(a.Values, func(v string) bool { return strings.HasPrefix(v, "#") }) {
			kind, hint = TrailingComment, "xinetd knows comments only on lines of their own"
		}
		say(kind, fmt.Sprintf("%s takes %d, but has %d values, and the line is ignored", a.Name, count, len(a.Values)), hint)
		return ""
	}
	p.checkValues(b, a, remark)
	if a.Name == "disable" && strings.EqualFold(a.Values[0], "yes") {
		b.Disabled = true
	}
	return ""
}

// values keeps a carriage return at the end, as xinetd does.
func (p *parser) values(line, operator string, nameEnd int) []string {
	start := len(line) - len(strings.TrimLeft(line, blank)) + nameEnd
	_, rest, _ := strings.Cut(line[start:], operator)
	return splitValues(rest)
}

// unknown handles a name that isn't on the list of this kind of block. xinetd
// warns and goes on.
func (p *parser) unknown(b *Block, a *Attribute, say func(RemarkKind, string, string)) {
	known, other, here := serviceAttributes, defaultAttributes, "a service"
	if b.IsDefaults() {
		known, other, here = defaultAttributes, serviceAttributes, "defaults"
	}
	if _, elsewhere := other[strings.ToLower(a.Spelled)]; elsewhere {
		say(WrongSection, fmt.Sprintf("%s has no place in %s, and the line is ignored", a.Name, here), "")
		return
	}
	if a.Meant = canonical(meant(a.Spelled, slices.Sorted(maps.Keys(known)))); a.Meant != "" {
		say(Misspelt, fmt.Sprintf("%s is no attribute, and the line is ignored", a.Spelled), a.Meant+" is meant, perhaps")
		return
	}
	say(UnknownAttribute, fmt.Sprintf("%s is no attribute, and the line is ignored", a.Spelled), "")
}

// checkValues remarks on values that are taken otherwise than they look. They
// don't make the line ignored: what xinetd does with them it says itself.
func (p *parser) checkValues(b *Block, a Attribute, remark Remark) {
	for _, value := range a.Values {
		value = strings.TrimRight(value, "\r")
		switch words := vocabulary[a.Name]; {
		case strings.HasPrefix(value, "#") && value != "#" || value == "#":
			remark.Kind = TrailingComment
			remark.Text = fmt.Sprintf("%q and what follows are values of %s, not a comment", value, a.Name)
			remark.Hint = "xinetd knows comments only on lines of their own"
			p.remark(remark)
			return
		case strings.ContainsAny(value, `"'`) && a.Name == "server_args":
			remark.Kind = Quoted
			remark.Text = "the quotation marks become a part of the arguments, which are split at every blank all the same"
			remark.Hint = "xinetd knows no quoting: leave them out"
			p.remark(remark)
			return
		case len(words) > 0 && !slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, value) }):
			remark.Kind = BadValue
			remark.Text = fmt.Sprintf("%s knows no value %q", a.Name, value)
			remark.Hint = "it knows " + strings.Join(words, ", ")
			if word := meant(value, words); word != "" {
				remark.Hint = word + " is meant, perhaps"
			}
			if b.Service != "" && a.Name != "disable" {
				remark.Hint += "; a later \"disable = no\" lets the service run without it"
			}
			p.remark(remark)
		}
	}
}
