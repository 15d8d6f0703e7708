package main

import "fmt"

// target is a bar that this client has to reach.
type target struct {
	Row        string
	Metric     string
	Against    string // the contestant it is measured against; empty: the bar is absolute
	AgainstRow string // the row of that contestant; empty: the same
	Bar        float64
	AtMost     bool   // the bar is a ceiling
	Unit       string // of an absolute bar
	What       string // empty: the row's title with the metric
}

// targets lists every bar, in the order of the report.
var targets = []target{
	{Row: "get1", Metric: metricRate, Against: gomemcache, Bar: 0.95},
	{Row: "get2", Metric: metricRate, Against: gomemcache, Bar: 0.95},
	{Row: "get4", Metric: metricRate, Against: gomemcache, Bar: 0.95},
	{Row: "get8", Metric: metricRate, Against: gomemcache, Bar: 0.95},
	{Row: "get64", Metric: metricRate, Against: gomemcache, Bar: 3.5},
	{Row: "get64", Metric: metricRate, Against: mcClient, Bar: 4},
	{Row: "get64", Metric: metricCPU, Against: gomemcache, Bar: 0.35, AtMost: true},
	{Row: "get512", Metric: metricRate, Against: gomemcache, Bar: 6},
	{Row: "get512", Metric: metricP99, Against: gomemcache, Bar: 0.1, AtMost: true},
	{Row: "get512", Metric: metricRate, Against: rawLimit, Bar: 0.6},
	{Row: "set64", Metric: metricRate, Against: gomemcache, Bar: 3},
	{Row: "mixed64", Metric: metricRate, Against: gomemcache, Bar: 2},
	{Row: "getmulti1", Metric: metricRate, Against: gomemcache, Bar: 1.3},
	{Row: "getmulti16", Metric: metricRate, Against: gomemcache, Bar: 2},
	{Row: "setmulti1", Metric: metricRate, Against: gomemcache, Bar: 15},
	{Row: "storeget64", Metric: metricRate, Against: gocacheMemcache, Bar: 3},
	{Row: "storeset64", Metric: metricRate, Against: gocacheMemcache, Bar: 3},
	{Row: "storeload64", Metric: metricCPU, Against: typedGet, Bar: 1.15, AtMost: true},
	{Row: "storecpu64", Metric: metricCPU, Against: clientAlone, Bar: 1.3, AtMost: true},
	{Row: "page64", Metric: metricRate, Against: ginContribCache, Bar: 3},
	{Row: "page64", Metric: metricRate, Against: ginCache, Bar: 0.6},
	{Row: "page64own", Metric: metricRate, Against: ginContribCache, Bar: 3},
	{Row: "page64own", Metric: metricRate, Against: ginCache, Bar: 0.6},
	{Row: "session64", Metric: metricRate, Against: ginContribSession, Bar: 2.5},
	{Row: "session64own", Metric: metricRate, Against: ginContribSession, Bar: 2.5},
	{Row: "session64", Metric: metricRate, Against: ginContribRedis, Bar: 2.5},
	{Row: "session64own", Metric: metricRate, Against: ginContribRedis, Bar: 2.5},
	{Row: "seal1k", Metric: metricSeal, Bar: 3, AtMost: true, Unit: "µs", What: "session of 1 KB sealed"},
	{Row: "seal1k", Metric: metricOpen, Bar: 3, AtMost: true, Unit: "µs", What: "session of 1 KB opened"},
	{Row: "blocked", Metric: metricHeap, Bar: 4096, AtMost: true, Unit: "B", What: "memory beyond the stack for each of 10,000 blocked Gets"},
	{Row: "million", Metric: metricGrowth, Bar: 64 << 10, AtMost: true, Unit: "B", What: "growth of the live heap over a million Gets"},
	{Row: "servers64", Metric: metricCPU, Against: ours, AgainstRow: "servers1", Bar: 1.15, AtMost: true, What: "CPU per Get with 64 servers (1 caller)"},
	{Row: "ring1000", Metric: metricBuild, Bar: 10, AtMost: true, Unit: "ms", What: "ring of 1,000 servers built"},
	{Row: "multiget100k", Metric: metricBeyond, Bar: 16 << 20, AtMost: true, Unit: "B", What: "peak memory beyond the result, GetMulti of 100,000 keys"},
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
	s := r.absolute(t.Row, ours, t.Metric)
	if t.Against != "" {
		s = r.ratio(t.Row, ours, t.Metric, t.againstRow(), t.Against)
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

func (t target) againstRow() string {
	if t.AgainstRow != "" {
		return t.AgainstRow
	}
	return t.Row
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
	if t.Against != "" {
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
	case t.Against == "":
		return "—"
	case t.AgainstRow != "":
		return "the same with " + t.AgainstRow
	case t.Against == rawLimit:
		return "raw pipelined limit"
	case t.Row == "setmulti1":
		return "100 × gomemcache Set"
	case t.Against == ginCache:
		return "chenyahui/gin-cache in memory"
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
