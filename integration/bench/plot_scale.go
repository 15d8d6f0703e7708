package main

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
)

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

// callersOf returns the numbers of callers that were measured.
func callersOf(lines []line) []float64 {
	var callers []float64
	for _, l := range lines {
		for _, pt := range l.points {
			callers = append(callers, float64(pt.callers))
		}
	}
	slices.Sort(callers)
	return slices.Compact(callers)
}

// nameLines returns each contestant's name beside the end of its line, moved
// apart where lines end close to each other on a logarithmic axis from low to
// high.
func nameLines(lines []line, low, high float64) (*plotter.Labels, error) {
	end := func(l line) point { return l.points[len(l.points)-1] }
	ends := slices.SortedFunc(slices.Values(lines), func(a, b line) int { return cmp.Compare(end(a).median, end(b).median) })
	apart := math.Pow(high/low, 0.05) // a twentieth of the axis
	var at plotter.XYLabels
	last := 0.0
	for _, l := range ends { // upwards
		last = max(end(l).median, last*apart)
		at.XYs = append(at.XYs, plotter.XY{X: float64(end(l).callers), Y: last})
		at.Labels = append(at.Labels, named([]string{l.peer})...)
	}
	last = math.Inf(1)
	for i, l := range slices.Backward(ends) { // and downwards: names stand in the middle
		last = min(end(l).median, last/apart)
		at.XYs[i].Y = math.Sqrt(at.XYs[i].Y * last)
	}
	names, err := plotter.NewLabels(at)
	if err != nil {
		return nil, err
	}
	names.Offset = vg.Point{X: 6, Y: -3}
	names.TextStyle = make([]text.Style, len(ends))
	for i, l := range ends {
		names.TextStyle[i] = textStyle(10)
		names.TextStyle[i].Font.Weight = bold
		names.TextStyle[i].Color = colourOf(lines, l.peer)
	}
	return names, nil
}
