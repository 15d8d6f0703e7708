package main

import "image/color"

// drawCurve returns an SVG with a band for each group of the curve that was
// measured.
func drawCurve(c *curveOptions, r *results) ([]byte, error) {
	var bands []band
	for _, g := range c.groups() {
		rates, tails := c.lines(r, g, metricRate), c.lines(r, g, metricP99)
		if len(rates) > 0 && len(tails) > 0 {
			bands = append(bands, band{g.title(), rates, tails})
		}
	}
	return drawBands(bands)
}

// lines collects a metric of a group for each contestant that has it.
func (c *curveOptions) lines(r *results, g curveGroup, metric string) []line {
	var lines []line
	for _, peer := range c.contestants(g) {
		l := line{peer: peer}
		for _, callers := range c.callers {
			l.add(r.absolute(g.row(callers), peer, metric), callers)
		}
		if len(l.points) > 0 {
			lines = append(lines, l)
		}
	}
	return lines
}

// add adds a point, in thousands, if it was measured.
func (l *line) add(s spread, callers int) {
	if s.rounds == 0 || s.median == 0 {
		return
	}
	const unit = 1e-3
	s.median, s.low, s.high = s.median*unit, s.low*unit, s.high*unit
	l.points = append(l.points, point{callers, s})
}

// others are the colours of contestants without one of their own.
var others = []color.NRGBA{
	{0x4c, 0xa9, 0x84, 0xff},
	{0x8c, 0xc0, 0x5f, 0xff},
	{0xc8, 0xb4, 0x2a, 0xff},
	{0x3f, 0xb8, 0xc4, 0xff},
	{0x66, 0x66, 0xaa, 0xff},
	{0x99, 0x66, 0x44, 0xff},
}

// colourOf returns a contestant's colour: its own, or the next of the others that
// no contestant of lines before it has.
func colourOf(lines []line, peer string) color.NRGBA {
	if own, ok := colours[peer]; ok {
		return own
	}
	n := 0
	for _, l := range lines {
		if l.peer == peer {
			break
		}
		if _, ok := colours[l.peer]; !ok {
			n++
		}
	}
	return others[n%len(others)]
}
