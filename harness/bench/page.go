package bench

import (
	"bytes"
	_ "embed"
	"html/template"
)

//go:embed page.html.tmpl
var pageText string

var pageTemplate = template.Must(template.New("bench").Funcs(template.FuncMap{
	"ms": ms, "times": times,
	"p50": func(l Line, p Phase) string { return ms(l.Phases[p].P50) },
}).Parse(pageText))

// Page is bench.html: one file that needs no network.
func Page(d *Document) ([]byte, error) {
	pictures, err := Pictures(d)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = pageTemplate.Execute(&b, struct {
		*Document
		Subject    string
		Phases     []Phase
		Setup      Phase
		Paragraphs []string
		Pictures   []Picture
	}{d, subjectLine(d), Phases, Setup, Paragraphs(d), pictures})
	return b.Bytes(), err
}
