package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// sample is one measurement of one contestant in one round.
type sample struct {
	Row     string             `json:"row"`
	Peer    string             `json:"peer"`
	Round   int                `json:"round"`
	Metrics map[string]float64 `json:"metrics,omitempty"`
	Error   string             `json:"error,omitempty"` // why there are no metrics
}

// results is a whole run, as it is kept in JSON.
type results struct {
	Started  time.Time         `json:"started"`
	Machine  map[string]string `json:"machine"`
	Versions map[string]string `json:"versions"` // of the peers, by name
	Server   string            `json:"server"`
	Command  string            `json:"command"`
	Rounds   int               `json:"rounds"`
	Duration time.Duration     `json:"duration"`
	Samples  []sample          `json:"samples"`
}

// save writes r to path, whose folder it makes.
func (r *results) save(path string) error {
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}

// loadResults reads what save wrote.
func loadResults(path string) (*results, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var r results
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("bench: %s: %w", path, err)
	}
	return &r, nil
}

// value returns a metric of one measurement; ok is false where it is missing.
func (r *results) value(row, peer, metric string, round int) (v float64, ok bool) {
	for i := range r.Samples {
		s := &r.Samples[i]
		if s.Row == row && s.Peer == peer && s.Round == round {
			v, ok = s.Metrics[metric]
			return v, ok
		}
	}
	return 0, false
}

// spread is the median of the rounds with the least and the most.
type spread struct {
	median, low, high float64
	rounds            int
}

// spreadOf sums up values; rounds is 0 for none.
func spreadOf(values []float64) spread {
	if len(values) == 0 {
		return spread{median: math.NaN(), low: math.NaN(), high: math.NaN()}
	}
	sorted := slices.Sorted(slices.Values(values))
	mid := len(sorted) / 2
	median := sorted[mid]
	if len(sorted)%2 == 0 {
		median = (sorted[mid-1] + sorted[mid]) / 2
	}
	return spread{median: median, low: sorted[0], high: sorted[len(sorted)-1], rounds: len(sorted)}
}

// absolute sums up a metric over the rounds.
func (r *results) absolute(row, peer, metric string) spread {
	var values []float64
	for round := range r.Rounds {
		if v, ok := r.value(row, peer, metric, round); ok {
			values = append(values, v)
		}
	}
	return spreadOf(values)
}

// ratio sums up the ratios of a metric to that of another measurement of the
// same round: what slows a whole round cancels out.
func (r *results) ratio(row, peer, metric, againstRow, against string) spread {
	var values []float64
	for round := range r.Rounds {
		v, ok := r.value(row, peer, metric, round)
		base, okBase := r.value(againstRow, against, metric, round)
		if ok && okBase && base != 0 {
			values = append(values, v/base)
		}
	}
	return spreadOf(values)
}

// ratioToBest is ratio to whoever of others has the most in each round.
func (r *results) ratioToBest(row, peer, metric string, others []string) spread {
	var values []float64
	for round := range r.Rounds {
		best := 0.0
		for _, other := range others {
			if v, ok := r.value(row, other, metric, round); ok {
				best = max(best, v)
			}
		}
		if v, ok := r.value(row, peer, metric, round); ok && best > 0 {
			values = append(values, v/best)
		}
	}
	return spreadOf(values)
}

// errorOf returns the first error of a contestant in a row, or "".
func (r *results) errorOf(row, peer string) string {
	for i := range r.Samples {
		if s := &r.Samples[i]; s.Row == row && s.Peer == peer && s.Error != "" {
			return s.Error
		}
	}
	return ""
}
