package report

import (
	"bytes"
	_ "embed"
	"html/template"

	"qmconformance/harness/requirement/handbook"
)

//go:embed report.html.tmpl
var pageText string

//go:embed report.css
var pageStyle string

//go:embed report.js
var pageScript string

var pageTemplate = template.Must(template.New("report").Funcs(template.FuncMap{
	"text":   printable,
	"more":   handbook.LinkTo,
	"style":  func() template.CSS { return template.CSS(pageStyle) },
	"script": func() template.JS { return template.JS(pageScript) },
}).Parse(pageText))

// htmlLimit is the most that report.html may hold: more than this is slow to
// open on a phone and is refused by some mail systems and CI artifact viewers.
const htmlLimit = 2 << 20

// limits bound what is shown; the first that keep the page below htmlLimit are
// taken. The whole texts are in results.json and evidence/.
type limits struct {
	text, file, all int // characters of a text, of a file, and of all files
	data, events    int // bytes of an event, and events of a connection
}

var htmlLimits = []limits{
	{4000, 24_000, 900_000, 512, 120},
	{1000, 6_000, 200_000, 128, 40},
	{200, 0, 0, 0, 0},
}

func renderHTML(r Results, x Extra) ([]byte, error) {
	var b bytes.Buffer
	for _, l := range htmlLimits {
		b.Reset()
		if err := pageTemplate.Execute(&b, newPage(r, x, l)); err != nil {
			return nil, err
		}
		if b.Len() < htmlLimit {
			break
		}
		x.Attachments = linksOnly(x.Attachments)
	}
	return b.Bytes(), nil
}

func linksOnly(list []Attachment) []Attachment {
	var out []Attachment
	for _, a := range list {
		out = append(out, Attachment{Title: a.Title, File: a.File})
	}
	return out
}
