package main

import (
	"bytes"
	"fmt"
	"image/color"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The picture's size.
const (
	plotWidth  = 10.4 * vg.Inch
	plotHeight = 4.6 * vg.Inch
	reserve    = 24 // beside each panel: readers may have a wider font
)

const bold = 2 // the weight, in package font

// fonts are those that readers have: Liberation Sans is as wide as Arial.
const fonts = "Liberation Sans, Arial, Helvetica, sans-serif"

// colours of the contestants, told apart by people who see few colours and in
// grey as well.
var colours = map[string]color.NRGBA{
	ours:          {0x0b, 0x6e, 0x4f, 0xff},
	gomemcache:    {0xc4, 0x49, 0x00, 0xff},
	mcClient:      {0x7b, 0x5e, 0xa7, 0xff},
	gomemcached:   {0x2f, 0x6d, 0xb5, 0xff},
	rueidisClient: {0xc2, 0x1e, 0x6a, 0xff},
	goredisClient: {0xd9, 0x8c, 0xb3, 0xff},
	rawLimit:      {0x77, 0x77, 0x77, 0xff},
}

// point is a metric at a number of callers.
type point struct {
	callers int
	spread
}

// line is a contestant's points, by callers.
type line struct {
	peer   string
	points []point
}

// drawPlot returns an SVG of throughput and p99 of the Get rows by callers, or
// nil where r has fewer than two such rows.
func drawPlot(r *results, rows []row) ([]byte, error) {
	rates, tails := plotLines(r, rows, metricRate), plotLines(r, rows, metricP99)
	if len(rates) == 0 || len(rates[0].points) < 2 {
		return nil, nil
	}
	return drawBands([]band{{"Get of 100-byte values, client and server on " + coresOf(r), rates, tails}})
}

// band is a row of two panels, throughput and p99, under a title.
type band struct {
	title        string
	rates, tails []line
}

// drawBands returns an SVG of bands, one below the other.
func drawBands(bands []band) ([]byte, error) {
	height := plotHeight * vg.Length(len(bands))
	canvas := vgsvg.New(plotWidth, height)
	whole := draw.New(canvas)
	whole.SetColor(color.White)
	whole.Fill(whole.Rectangle.Path())
	for i, b := range bands {
		from := height - plotHeight*vg.Length(i+1)
		if err := b.draw(draw.Crop(whole, 0, 0, from, from+plotHeight-height)); err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, err
	}
	return bytes.ReplaceAll(b.Bytes(), []byte("font-family:Liberation Sans;"), []byte("font-family:"+fonts+";")), nil
}

// draw draws the band over all of c.
func (b band) draw(c draw.Canvas) error {
	left, err := newPanel(b.rates)
	if err != nil {
		return err
	}
	right, err := newPanel(b.tails)
	if err != nil {
		return err
	}
	title := textStyle(13)
	title.Font.Weight = bold
	const middle = plotWidth / 2
	c.FillText(title, vg.Point{X: 12, Y: c.Max.Y - 24}, b.title)
	c.FillText(textStyle(11), vg.Point{X: 12, Y: c.Max.Y - 48}, "Thousand operations a second: more is better")
	c.FillText(textStyle(11), vg.Point{X: middle + 12, Y: c.Max.Y - 48}, "p99 in milliseconds: less is better")
	left.Draw(draw.Crop(c, 8, -middle-reserve, 6, -64))
	right.Draw(draw.Crop(c, middle+8, -reserve, 6, -64))
	return nil
}

// coresOf shortens the machine's description.
func coresOf(r *results) string {
	_, cores, found := strings.Cut(r.Machine["processor"], ", ")
	cores, _, _ = strings.Cut(cores, " for ")
	if !found {
		return "one machine"
	}
	return "the same " + cores
}

// plotLines collects a metric of the Get rows for each contestant that has it.
func plotLines(r *results, rows []row, metric string) []line {
	var lines []line
	for _, peer := range contestants(rows) {
		l := line{peer: peer}
		for _, row := range rows {
			if row.Name == fmt.Sprintf("get%d", row.Callers) {
				l.add(r.absolute(row.Name, peer, metric), row.Callers)
			}
		}
		slices.SortFunc(l.points, func(a, b point) int { return a.callers - b.callers })
		if len(l.points) > 0 {
			lines = append(lines, l)
		}
	}
	return lines
}

// newPanel returns a plot of lines on two logarithmic axes.
func newPanel(lines []line) (*plot.Plot, error) {
	p := plot.New()
	p.X.Label.Text = "callers"
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Scale = plot.LogScale{}
		axis.Label.TextStyle = textStyle(10)
		axis.Tick.Label.Font = textStyle(9.5).Font
		axis.Tick.Color = color.Gray{0x99}
		axis.LineStyle.Color = color.Gray{0x99}
	}
	p.X.Tick.Label.XAlign = draw.XCenter
	grid := plotter.NewGrid()
	grid.Vertical.Color = nil
	grid.Horizontal.Color = color.Gray{0xe0}
	p.Add(grid)
	for _, l := range lines {
		if err := addLine(p, l, colourOf(lines, l.peer)); err != nil {
			return nil, err
		}
	}
	ticks := ticksAround(rangeOf(lines))
	p.Y.Min, p.Y.Max = ticks[0], ticks[len(ticks)-1]
	p.Y.Tick.Marker = marks(ticks)
	p.X.Tick.Marker = marks(callersOf(lines))
	names, err := nameLines(lines, p.Y.Min, p.Y.Max)
	if err != nil {
		return nil, err
	}
	p.Add(names)
	return p, nil
}

// addLine adds the medians as a line over the spread as a band.
func addLine(p *plot.Plot, l line, own color.NRGBA) error {
	var medians, around plotter.XYs
	for _, pt := range l.points {
		medians = append(medians, plotter.XY{X: float64(pt.callers), Y: pt.median})
		around = append(around, plotter.XY{X: float64(pt.callers), Y: pt.high})
	}
	for _, pt := range slices.Backward(l.points) {
		around = append(around, plotter.XY{X: float64(pt.callers), Y: pt.low})
	}
	area, err := plotter.NewPolygon(around)
	if err != nil {
		return err
	}
	pale := own
	pale.A = 0x28
	area.Color, area.LineStyle.Width = pale, 0
	path, dots, err := plotter.NewLinePoints(medians)
	if err != nil {
		return err
	}
	path.Color, path.Width = own, 1.6
	dots.Color, dots.Radius, dots.Shape = own, 2.2, draw.CircleGlyph{}
	p.Add(area, path, dots)
	return nil
}

// textStyle is text of a size in points.
func textStyle(size float64) text.Style {
	return text.Style{
		Color:   color.Gray{0x22},
		Font:    font.Font{Typeface: "Liberation", Variant: "Sans", Size: font.Length(size)},
		Handler: plot.DefaultTextHandler,
	}
}

// marks labels an axis at values.
func marks(values []float64) plot.ConstantTicks {
	var ticks plot.ConstantTicks
	for _, v := range values {
		ticks = append(ticks, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'g', 4, 64)})
	}
	return ticks
}
