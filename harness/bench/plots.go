package bench

import (
	"bytes"
	"fmt"
	"html/template"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	_ "gonum.org/v1/plot/vg/vgsvg" // the format that a page can hold

	"qmconformance/harness/bench/gate"
	"qmconformance/harness/bench/stats"
)

// Picture is a plot with what it shows.
type Picture struct {
	Title string
	Text  string
	SVG   template.HTML
}

// The size of a picture: two lie beside each other on a wide screen.
const (
	width  = 560 * vg.Length(0.75)
	height = 320 * vg.Length(0.75)
)

func newPlot(x, y string) *plot.Plot {
	plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"}
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = x, y
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.TextStyle.Font.Size = vg.Points(8)
	p.Add(plotter.NewGrid())
	return p
}

// logTicks labels every power of ten and its double and fivefold.
type logTicks struct{}

func (logTicks) Ticks(low, high float64) (list []plot.Tick) {
	for e := math.Floor(math.Log10(low)); e <= math.Ceil(math.Log10(high)); e++ {
		for _, m := range []float64{1, 2, 5} {
			if v := m * math.Pow(10, e); v >= low*0.999 && v <= high*1.001 {
				list = append(list, plot.Tick{Value: v, Label: fmt.Sprintf("%g", v)})
			}
		}
	}
	return list
}

func logX(p *plot.Plot) { p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, logTicks{} }
func logY(p *plot.Plot) { p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, logTicks{} }

// series adds a line. Points that a logarithm cannot show are left out.
func series(p *plot.Plot, i int, name string, x, y []float64, points bool) error {
	var xys plotter.XYs
	for k := range x {
		if x[k] > 0 && y[k] > 0 {
			xys = append(xys, plotter.XY{X: x[k], Y: y[k]})
		}
	}
	if len(xys) == 0 {
		return nil
	}
	line, dots, err := plotter.NewLinePoints(xys)
	if err != nil {
		return err
	}
	line.Color, line.Width = plotutil.Color(i), vg.Points(1.5)
	dots.Color, dots.Shape, dots.Radius = plotutil.Color(i), draw.CircleGlyph{}, vg.Points(2)
	p.Add(line)
	if points {
		p.Add(dots)
	}
	if name != "" {
		p.Legend.Add(name, line)
	}
	return nil
}

func picture(title, text string, p *plot.Plot) (Picture, error) {
	w, err := p.WriterTo(width, height, "svg")
	if err != nil {
		return Picture{}, fmt.Errorf("%s: %w", title, err)
	}
	var b bytes.Buffer
	if _, err := w.WriteTo(&b); err != nil {
		return Picture{}, err
	}
	svg := b.Bytes()
	if i := bytes.Index(svg, []byte("<svg")); i > 0 {
		svg = svg[i:] // a declaration of XML has no place within a page
	}
	return Picture{Title: title, Text: text, SVG: template.HTML(svg)}, nil
}

// Pictures are those of a document, in the order of its parts.
func Pictures(d *Document) (list []Picture, err error) {
	for _, make := range []func(*Document) ([]Picture, error){phaseBars, distributions, histograms, concurrencyPictures, ratePictures, growthPictures, comparisonPictures} {
		more, err := make(d)
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	return list, nil
}

// phaseBars are stacked bars, one for each line with qm under xinetd.
func phaseBars(d *Document) ([]Picture, error) {
	var chosen []Line
	for _, l := range d.Lines {
		if l.Program == "qm" && l.Phases[Connect].N > 0 {
			chosen = append(chosen, l)
		}
	}
	if len(chosen) == 0 {
		return nil, nil
	}
	p := newPlot("ms, medians", "")
	p.Legend.Top, p.Legend.Left = false, false
	var names []string
	for _, l := range chosen {
		names = append(names, l.Name)
	}
	var below *plotter.BarChart
	for i, phase := range []Phase{Connect, FirstByte, Ready, LoggedIn, Request, Close} {
		values := make(plotter.Values, len(chosen))
		for k, l := range chosen {
			values[k] = l.Phases[phase].P50 / 1e3
		}
		bar, err := plotter.NewBarChart(values, vg.Points(12))
		if err != nil {
			return nil, err
		}
		bar.Horizontal, bar.Color, bar.LineStyle.Width = true, plotutil.Color(i), 0
		if below != nil {
			bar.StackOn(below)
		}
		below = bar
		p.Add(bar)
		p.Legend.Add(string(phase), bar)
	}
	p.NominalY(names...)
	pic, err := picture("The phases of a connection", "Medians, one on top of the other. The client's own pause of 10 ms on qmserver is part of “ready”, and so are 40 ms that an ordinary telnet client adds by its delayed acknowledgement.", p)
	return []Picture{pic}, err
}

func distributions(d *Document) (list []Picture, err error) {
	for _, service := range []string{"qmclient", "qmserver"} {
		p := newPlot("set-up in ms", "% within")
		logX(p)
		p.Legend.Top, p.Legend.Left = false, false
		n := 0
		for _, l := range d.Lines {
			if l.Service != "" && l.Service != service || l.Phases[Setup].N == 0 {
				continue
			}
			x, y := cumulative(l.Phases[Setup])
			if err := series(p, n, l.Title, x, y, false); err != nil {
				return nil, err
			}
			n++
		}
		if n == 0 {
			continue
		}
		pic, err := picture("Distribution of the set-up, "+service, "The share of connections that were ready within a time, beside the servers that do less.", p)
		if err != nil {
			return nil, err
		}
		list = append(list, pic)
	}
	return list, nil
}

func histograms(d *Document) (list []Picture, err error) {
	for _, service := range []string{"qmclient", "qmserver"} {
		l := lineNamed(d, service)
		if l == nil || l.Phases[Setup].N == 0 {
			continue
		}
		p := newPlot("ms", "connections")
		logX(p)
		for i, phase := range []Phase{FirstByte, Setup} {
			xys := plotter.XYs{}
			for _, b := range l.Phases[phase].Buckets {
				xys = append(xys, plotter.XY{X: b.UpTo / 1e3, Y: float64(b.Count)})
			}
			line, err := plotter.NewLine(xys)
			if err != nil {
				return nil, err
			}
			line.StepStyle, line.Color, line.Width = plotter.PreStep, plotutil.Color(i), vg.Points(1.5)
			p.Add(line)
			p.Legend.Add(string(phase), line)
		}
		p.Legend.Left = false
		pic, err := picture("Histogram, "+service, "How many connections took how long, to the first byte and until ready.", p)
		if err != nil {
			return nil, err
		}
		list = append(list, pic)
	}
	return list, nil
}

// curves are p50 and p99 of loads against something.
func curves(title, text, x string, loads []Load, at func(Load) float64) ([]Picture, error) {
	if len(loads) < 4 {
		return nil, nil // one for each service makes no curve
	}
	p := newPlot(x, "set-up in ms")
	logX(p)
	logY(p)
	n := 0
	for _, service := range []string{"qmclient", "qmserver"} {
		for _, q := range []struct {
			name string
			of   func(stats.Summary) float64
		}{{"p50", func(s stats.Summary) float64 { return s.P50 }}, {"p99", func(s stats.Summary) float64 { return s.P99 }}} {
			var xs, ys []float64
			for _, l := range loads {
				if l.Service == service {
					xs, ys = append(xs, at(l)), append(ys, q.of(l.Setup)/1e3)
				}
			}
			if err := series(p, n, service+" "+q.name, xs, ys, true); err != nil {
				return nil, err
			}
			n++
		}
	}
	pic, err := picture(title, text, p)
	return []Picture{pic}, err
}

func concurrencyPictures(d *Document) ([]Picture, error) {
	return curves("Cost against concurrency", "Callers that each make one connection after the other.", "at once", d.Concurrency, func(l Load) float64 { return float64(l.AtOnce) })
}

func ratePictures(d *Document) ([]Picture, error) {
	return curves("Cost against the rate", "Connections that come when they come, timed from when they were intended.", "per second", d.Rates, func(l Load) float64 { return l.Rate })
}

func growthPictures(d *Document) (list []Picture, err error) {
	for _, g := range d.Growth {
		p := newPlot(g.With, "p50 in ms")
		p.Legend.Top = false
		var names []string
		var xs, ys []float64
		top := 0.0
		for i, point := range g.Points {
			names = append(names, point.Size)
			if point.Setup.N == 0 {
				continue
			}
			xs, ys = append(xs, float64(i)), append(ys, point.Setup.P50/1e3)
			bar, err := plotter.NewLine(plotter.XYs{{X: float64(i), Y: point.Setup.Median.Low / 1e3}, {X: float64(i), Y: point.Setup.Median.High / 1e3}})
			if err != nil {
				return nil, err
			}
			bar.Width, bar.Color = vg.Points(3), color.Gray{Y: 150}
			p.Add(bar)
			top = max(top, point.Setup.Median.High/1e3)
		}
		if len(xs) == 0 {
			continue
		}
		xys := make(plotter.XYs, len(xs))
		for i := range xs {
			xys[i] = plotter.XY{X: xs[i], Y: ys[i]}
		}
		line, dots, err := plotter.NewLinePoints(xys)
		if err != nil {
			return nil, err
		}
		line.Color, dots.Color, dots.Shape = plotutil.Color(0), plotutil.Color(0), draw.CircleGlyph{}
		p.Add(line, dots)
		p.NominalX(names...)
		p.X.Min, p.X.Max = -0.5, float64(len(names))-0.5 // room for long names
		p.Y.Min, p.Y.Max = 0, 1.15*top
		pic, err := picture(g.Service+": "+g.With, "The median and its 95 % interval, without the client's own pause.", p)
		if err != nil {
			return nil, err
		}
		list = append(list, pic)
	}
	return list, nil
}

// comparisonPictures show each pair's rounds from left to right, and its middle.
func comparisonPictures(d *Document) (list []Picture, err error) {
	for _, g := range d.Gate {
		if len(g.Rounds) == 0 {
			continue
		}
		p := newPlot("pair of targets", "B over A, %")
		var rounds, middles plotter.XYs
		for j := range g.Rounds[0] {
			effects := gate.Effects(g.Rounds, j)
			if len(effects) == 0 {
				continue
			}
			for k, e := range effects {
				rounds = append(rounds, plotter.XY{X: float64(j+1) + 0.6*(float64(k)/float64(len(effects))-0.5), Y: 100 * math.Expm1(e)})
			}
			middles = append(middles, plotter.XY{X: float64(j + 1), Y: gate.EstimateEffects(effects).Percent()})
		}
		for i, of := range []struct {
			name   string
			at     plotter.XYs
			radius vg.Length
		}{{"a round", rounds, vg.Points(1)}, {"the pair", middles, vg.Points(3.5)}} {
			if len(of.at) == 0 {
				continue
			}
			dots, err := plotter.NewScatter(of.at)
			if err != nil {
				return nil, err
			}
			dots.Color, dots.Shape, dots.Radius = plotutil.Color(i), draw.CircleGlyph{}, of.radius
			p.Add(dots)
			p.Legend.Add(of.name, dots)
		}
		pic, err := picture("B against A, "+g.Service, string(g.Decision.Verdict)+": "+g.Decision.Reason, p)
		if err != nil {
			return nil, err
		}
		list = append(list, pic)
	}
	return list, nil
}
