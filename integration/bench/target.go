package main

import (
	"cmp"
	"fmt"
	"strings"
)

// target is a bar that this client has to reach.
type target struct {
	Row        string
	Metric     string
	Who        string   // the contestant that has to reach it; empty: this client
	Against    string   // the contestant it is measured against; empty: the bar is absolute
	Among      []string // it is measured against the best of these in each round
	AgainstRow string   // the row of that contestant; empty: the same
	Bar        float64
	AtMost     bool   // the bar is a ceiling
	Unit       string // of an absolute bar
	What       string // empty: the row's title with the metric
}

// verdict is how a target came out.
type verdict struct {
	target
	spread
	met bool
	off float64 // how far beyond the bar, as a share of it; negative: short of it
}

// judge holds r against t; ok is false where r lacks the measurements.
func (t target) judge(r *results) (v verdict, ok bool) {
	var s spread
	switch {
	case len(t.Among) > 0:
		s = r.ratioToBest(t.Row, t.who(), t.Metric, t.Among)
	case t.Against != "":
		s = r.ratio(t.Row, t.who(), t.Metric, t.againstRow(), t.Against)
	default:
		s = r.absolute(t.Row, t.who(), t.Metric)
	}
	if s.rounds == 0 {
		return verdict{}, false
	}
	v = verdict{target: t, spread: s, met: s.median >= t.Bar, off: s.median/t.Bar - 1}
	if t.AtMost {
		v.met, v.off = s.median <= t.Bar, 1-s.median/t.Bar
	}
	return v, true
}

func (t target) who() string { return cmp.Or(t.Who, ours) }

func (t target) againstRow() string {
	return cmp.Or(t.AgainstRow, t.Row)
}

// title names the target's work.
func (t target) title(rows []row) string {
	if t.What != "" {
		return t.What
	}
	title := t.Row
	for _, r := range rows {
		if r.Name == t.Row {
			title = r.Title
		}
	}
	if t.Who == oursSealed {
		return title + ", sealed: CPU"
	}
	if name, ok := metricTitles[t.Metric]; ok {
		title += ": " + name
	}
	return title
}

// metricTitles names the metrics of targets other than throughput.
var metricTitles = map[string]string{metricCPU: "client CPU", metricP99: "p99"}

// bar writes the bar down.
func (t target) bar() string {
	sign := "≥"
	if t.AtMost {
		sign = "≤"
	}
	return sign + " " + t.quantity(t.Bar)
}

// quantity writes a value of the target's metric down: a ratio, or with a unit.
func (t target) quantity(v float64) string {
	if t.Against != "" || len(t.Among) > 0 {
		return fmt.Sprintf("%.2f", v)
	}
	if t.Unit == "B" {
		return bytesText(v)
	}
	return fmt.Sprintf("%.2f %s", v, t.Unit)
}

// baseline names what the target is measured against.
func (t target) baseline() string {
	switch {
	case len(t.Among) > 0:
		return "the fastest of " + strings.Join(t.Among, ", ")
	case t.Against == "":
		return "—"
	case t.AgainstRow != "":
		return "the same with " + t.AgainstRow
	case t.Against == rawLimit:
		return "raw pipelined limit"
	case t.Against == rawMulti:
		return "raw batches of quiet gets, a connection for each caller"
	case t.Row == "setmulti1":
		return "100 × gomemcache Set"
	case t.Against == rueidisClient:
		return t.Against + " on Redis"
	case t.Who == oursSealed:
		return "entries that are not sealed"
	case t.Against == ginCache:
		return "chenyahui/gin-cache in memory"
	case t.Against == ginCacheRedis:
		return "chenyahui/" + t.Against
	case t.Against == ginContribCache || t.Against == ginContribSession:
		return t.Against + " over memcached"
	}
	return t.Against
}

// outcome says whether the bar was met, and by how much.
func (v verdict) outcome() string {
	switch {
	case v.met && v.Bar == 0:
		return "met"
	case v.met:
		return fmt.Sprintf("met (%+.0f %%)", 100*v.off)
	}
	return fmt.Sprintf("**missed by %.0f %%**", -100*v.off)
}
