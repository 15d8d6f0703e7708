package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// The plot's measures, in SVG units.
const (
	plotWidth   = 960
	plotHeight  = 430
	panelTop    = 64
	panelHeight = 300
	panelWidth  = 300
)

// panelLefts are where the axes of the two panels stand.
var panelLefts = [2]float64{70, 550}

// colours of the contestants, told apart by people who see few colours and in
// grey as well.
var colours = map[string]string{
	ours:        "#0b6e4f",
	gomemcache:  "#c44900",
	mcClient:    "#7b5ea7",
	gomemcached: "#2f6db5",
	rawLimit:    "#777777",
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

// panel maps values to places.
type panel struct {
	left        float64
	title       string
	lowX, highX float64 // log2 of callers
	lowY, highY float64 // log10 of the value
	ticks       []float64
}

// drawPlot returns an SVG of throughput and p99 of the Get rows by callers, or
// "" where r has fewer than two such rows.
func drawPlot(r *results, rows []row) string {
	rates := plotLines(r, rows, metricRate, 1e-3)
	tails := plotLines(r, rows, metricP99, 1e-3)
	if len(rates) == 0 || len(rates[0].points) < 2 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="Helvetica, Arial, sans-serif" font-size="12">`+"\n",
		plotWidth, plotHeight, plotWidth, plotHeight)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", plotWidth, plotHeight)
	fmt.Fprintf(&b, `<text x="20" y="28" font-size="16" font-weight="bold" fill="#222">Get of 100-byte values, client and memcached on %s</text>`+"\n",
		escape(coresOf(r)))
	left := newPanel(panelLefts[0], "thousand operations a second (logarithmic)", rates)
	right := newPanel(panelLefts[1], "p99, milliseconds (logarithmic)", tails)
	left.draw(&b, rates)
	right.draw(&b, tails)
	b.WriteString("</svg>\n")
	return b.String()
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
func plotLines(r *results, rows []row, metric string, unit float64) []line {
	var lines []line
	for _, peer := range contestants(rows) {
		l := line{peer: peer}
		for _, row := range rows {
			if row.Name != fmt.Sprintf("get%d", row.Callers) {
				continue
			}
			s := r.absolute(row.Name, peer, metric)
			if s.rounds == 0 || s.median == 0 {
				continue
			}
			s.median, s.low, s.high = s.median*unit, s.low*unit, s.high*unit
			l.points = append(l.points, point{row.Callers, s})
		}
		slices.SortFunc(l.points, func(a, b point) int { return a.callers - b.callers })
		if len(l.points) > 0 {
			lines = append(lines, l)
		}
	}
	return lines
}

// newPanel is a panel around all points, from a round number to a round number.
func newPanel(left float64, title string, lines []line) *panel {
	p := &panel{left: left, title: title, lowX: math.Inf(1), highX: math.Inf(-1)}
	for _, l := range lines {
		for _, pt := range l.points {
			x := math.Log2(float64(pt.callers))
			p.lowX, p.highX = min(p.lowX, x), max(p.highX, x)
		}
	}
	if p.highX == p.lowX {
		p.highX++
	}
	p.ticks = ticksAround(rangeOf(lines))
	p.lowY, p.highY = math.Log10(p.ticks[0]), math.Log10(p.ticks[len(p.ticks)-1])
	return p
}

// ticksAround returns the steps of 1, 2, 5, 10 … from the last at or below low
// to the first at or above high.
func ticksAround(low, high float64) []float64 {
	var ticks []float64
	for power := math.Pow(10, math.Floor(math.Log10(low))); ; power *= 10 {
		for _, step := range []float64{1, 2, 5} {
			v := step * power
			if v <= low {
				ticks = ticks[:0]
			}
			if ticks = append(ticks, v); v >= high && len(ticks) > 1 {
				return ticks
			}
		}
	}
}

// rangeOf returns the least and the most of all points with their spread.
func rangeOf(lines []line) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, l := range lines {
		for _, pt := range l.points {
			low, high = min(low, pt.low), max(high, pt.high)
		}
	}
	return low, high
}

func (p *panel) x(callers int) float64 {
	return p.left + panelWidth*(math.Log2(float64(callers))-p.lowX)/(p.highX-p.lowX)
}

func (p *panel) y(v float64) float64 {
	return panelTop + panelHeight*(1-(math.Log10(v)-p.lowY)/(p.highY-p.lowY))
}

// draw writes the panel's axes and lines.
func (p *panel) draw(b *strings.Builder, lines []line) {
	const bottom = panelTop + panelHeight
	fmt.Fprintf(b, `<text x="%.1f" y="%d" fill="#444">%s</text>`+"\n", p.left-40, panelTop-14, p.title)
	for _, v := range p.ticks {
		y := p.y(v)
		fmt.Fprintf(b, `<path d="M%.1f %.1fh%d" stroke="#e3e3e3"/><text x="%.1f" y="%.1f" text-anchor="end" fill="#666">%s</text>`+"\n",
			p.left, y, panelWidth, p.left-8, y+4, strconv.FormatFloat(math.Round(v*1e4)/1e4, 'f', -1, 64))
	}
	for x := math.Ceil(p.lowX); x <= p.highX; x++ {
		callers := 1 << int(x)
		fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle" fill="#666">%d</text>`+"\n", p.x(callers), bottom+18, callers)
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle" fill="#444">callers</text>`+"\n", p.left+panelWidth/2.0, bottom+38)
	for _, l := range lines {
		p.drawLine(b, l)
	}
	p.drawNames(b, lines)
}

// drawLine writes the medians as a line over the spread as a band.
func (p *panel) drawLine(b *strings.Builder, l line) {
	colour := colours[l.peer]
	var band, path strings.Builder
	for i, pt := range l.points {
		verb := "L"
		if i == 0 {
			verb = "M"
		}
		fmt.Fprintf(&path, "%s%.1f %.1f", verb, p.x(pt.callers), p.y(pt.median))
		fmt.Fprintf(&band, "%s%.1f %.1f", verb, p.x(pt.callers), p.y(pt.high))
	}
	for _, pt := range slices.Backward(l.points) {
		fmt.Fprintf(&band, "L%.1f %.1f", p.x(pt.callers), p.y(pt.low))
	}
	fmt.Fprintf(b, `<path d="%sZ" fill="%s" opacity="0.15"/>`+"\n", band.String(), colour)
	fmt.Fprintf(b, `<path d="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", path.String(), colour)
	for _, pt := range l.points {
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", p.x(pt.callers), p.y(pt.median), colour)
	}
}

// drawNames writes each contestant's name beside the end of its line, moved
// apart where lines end close to each other.
func (p *panel) drawNames(b *strings.Builder, lines []line) {
	const apart = 15
	ends := slices.Clone(lines)
	at := func(l line) float64 { return p.y(l.points[len(l.points)-1].median) }
	slices.SortFunc(ends, func(a, b line) int { return cmp.Compare(at(a), at(b)) })
	last := math.Inf(-1)
	for _, l := range ends {
		end := l.points[len(l.points)-1]
		last = max(at(l), last+apart)
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" fill="%s" font-weight="bold">%s</text>`+"\n",
			p.x(end.callers)+10, last+4, colours[l.peer], escape(l.peer))
	}
}

// escape makes text safe inside an element.
func escape(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}
