package main

import (
	"math"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// canned returns results of rounds rounds in which each value of rates is the
// rate of one contestant, the same in each round but for the round's factor.
func canned(row string, rates map[string]float64, factors ...float64) *results {
	r := &results{
		Machine:  map[string]string{"processor": "Example, 2 cores for everything"},
		Versions: map[string]string{gomemcache: "v1.2.3"},
		Server:   "1.6.0", Command: "go run . -write",
		Rounds: len(factors), Duration: time.Second,
	}
	for round, factor := range factors {
		for peer, rate := range rates {
			r.Samples = append(r.Samples, sample{Row: row, Peer: peer, Round: round, Metrics: map[string]float64{
				metricRate: rate * factor, metricCPU: 1000 / rate, metricP99: 1e6 / rate, metricP50: 1e5 / rate,
			}})
		}
	}
	return r
}

func TestSpreadOf_MedianAndEnds(t *testing.T) {
	tests := map[string]struct {
		values            []float64
		median, low, high float64
	}{
		"one":  {[]float64{4}, 4, 4, 4},
		"odd":  {[]float64{9, 1, 5}, 5, 1, 9},
		"even": {[]float64{4, 1, 2, 9}, 3, 1, 9},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := spreadOf(test.values)
			if s.median != test.median || s.low != test.low || s.high != test.high || s.rounds != len(test.values) {
				t.Errorf("spreadOf(%v) = %+v, want median %v, low %v, high %v", test.values, s, test.median, test.low, test.high)
			}
		})
	}
	if s := spreadOf(nil); s.rounds != 0 || !math.IsNaN(s.median) {
		t.Errorf("spreadOf(nil) = %+v, want no rounds and NaN", s)
	}
}

// A round in which the machine is slow must not show in a ratio.
func TestRatio_TakenWithinARound(t *testing.T) {
	r := canned("get64", map[string]float64{ours: 400, gomemcache: 100}, 1, 0.1, 3)
	s := r.ratio("get64", ours, metricRate, "get64", gomemcache)
	if math.Abs(s.low-4) > 1e-9 || math.Abs(s.high-4) > 1e-9 || s.rounds != 3 {
		t.Errorf("ratio = %+v, want 4 in all 3 rounds", s)
	}
}

func TestRatio_LeavesOutRoundsWithoutBoth(t *testing.T) {
	r := canned("get64", map[string]float64{ours: 400, gomemcache: 100}, 1, 1)
	r.Samples = slices.DeleteFunc(r.Samples, func(s sample) bool { return s.Peer == gomemcache && s.Round == 1 })
	if s := r.ratio("get64", ours, metricRate, "get64", gomemcache); s.rounds != 1 {
		t.Errorf("ratio over %d rounds, want 1", s.rounds)
	}
}

func TestResults_SaveAndLoad(t *testing.T) {
	r := canned("get64", map[string]float64{ours: 400}, 1)
	path := filepath.Join(t.TempDir(), "results", "last.json")
	if err := r.save(path); err != nil {
		t.Fatal(err)
	}
	back, err := loadResults(path)
	if err != nil {
		t.Fatal(err)
	}
	if s := back.absolute("get64", ours, metricRate); s.median != 400 || back.Duration != time.Second {
		t.Errorf("loadResults = %+v, want what was saved", back)
	}
}

func TestJudge(t *testing.T) {
	r := canned("get64", map[string]float64{ours: 400, gomemcache: 100}, 1, 1, 1)
	tests := map[string]struct {
		target target
		met    bool
		off    float64
	}{
		"above a floor":   {target{Row: "get64", Metric: metricRate, Against: gomemcache, Bar: 3.2}, true, 0.25},
		"below a floor":   {target{Row: "get64", Metric: metricRate, Against: gomemcache, Bar: 5}, false, -0.2},
		"below a ceiling": {target{Row: "get64", Metric: metricCPU, Against: gomemcache, Bar: 0.5, AtMost: true}, true, 0.5},
		"above a ceiling": {target{Row: "get64", Metric: metricCPU, Against: gomemcache, Bar: 0.2, AtMost: true}, false, -0.25},
		"absolute":        {target{Row: "get64", Metric: metricRate, Bar: 200}, true, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			v, ok := test.target.judge(r)
			if !ok || v.met != test.met || math.Abs(v.off-test.off) > 1e-9 {
				t.Errorf("judge = met %v, off %v, ok %v; want met %v, off %v", v.met, v.off, ok, test.met, test.off)
			}
		})
	}
	if _, ok := (target{Row: "get1", Metric: metricRate, Against: gomemcache}).judge(r); ok {
		t.Error("judge of a row that was not measured is ok, want not")
	}
}

func TestTargets_NameRowsThatExist(t *testing.T) {
	rows := defaultRows()
	find := func(name string) *row {
		for i := range rows {
			if rows[i].Name == name {
				return &rows[i]
			}
		}
		return nil
	}
	for _, target := range slices.Concat(targets, goals) {
		own, against := find(target.Row), find(target.againstRow())
		if own == nil || against == nil {
			t.Errorf("target %+v names a row that does not exist", target)
			continue
		}
		missing := slices.ContainsFunc(target.Among, func(peer string) bool { return !slices.Contains(own.Peers, peer) })
		if missing || !slices.Contains(own.Peers, target.who()) || target.Against != "" && !slices.Contains(against.Peers, target.Against) {
			t.Errorf("target %+v names a contestant that its row leaves out", target)
		}
	}
}

func TestPercentile(t *testing.T) {
	var sorted []time.Duration
	for i := range 100 {
		sorted = append(sorted, time.Duration(i+1))
	}
	for q, want := range map[float64]time.Duration{0: 1, 0.5: 51, 0.99: 100, 1: 100} {
		if got := percentile(sorted, q); got != want {
			t.Errorf("percentile(1..100, %v) = %v, want %v", q, got, want)
		}
	}
	if got := percentile(nil, 0.5); got != 0 {
		t.Errorf("percentile(nil) = %v, want 0", got)
	}
}
