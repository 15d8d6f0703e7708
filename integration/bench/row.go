package main

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// row is one line of work of the report: what each of some contestants is
// measured at in turn.
type row struct {
	Name     string // for -rows
	Group    string // the report's section
	Title    string
	Callers  int      // concurrent callers or connections, 0 where that has no meaning
	Unit     string   // what rate counts, "ops/s" or the like; empty: the row has no rate
	Baseline string   // the contestant that others are shown relative to
	Peers    []string // contestants, in the order of the table
	Slices   int      // parts of a measurement, between which the contestants alternate; 0: 1
	Once     bool     // measured in the first round only: it has no noise worth a median
	Awake    bool     // measured while the processors are kept awake

	measure func(e *env, peer string, t timing) (map[string]float64, error)
}

// Sections of the report.
const (
	groupClient = "Client"
	groupMemory = "Memory"
	groupScale  = "Scale"
	groupStore  = "Store"
	groupHTTP   = "HTTP"
)

// loadSlices is how many parts the measurement of a load has. With few callers
// the time of a round trip depends on where the scheduler puts both processes,
// and stays that way for a while: several slices see several placements.
const loadSlices = 4

// defaultRows is everything that the report holds.
func defaultRows() []row {
	rows := clientRows()
	rows = append(rows, memoryRows()...)
	rows = append(rows, scaleRows()...)
	rows = append(rows, storeRows()...)
	return append(rows, webRows()...)
}

// contestants names everyone who takes part in a row, in the order in which
// they first appear.
func contestants(rows []row) []string {
	var names []string
	for _, r := range rows {
		for _, p := range r.Peers {
			if !slices.Contains(names, p) {
				names = append(names, p)
			}
		}
	}
	return names
}

// counted writes a number with what it counts.
func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// selectRows returns the rows that one of the comma-separated patterns matches:
// a name (get64), a glob (get*) or, where callers are given, the name of a
// workload (get), which then gets a row for each of these numbers.
func selectRows(all []row, patterns string, callers []int, delays []time.Duration) ([]row, error) {
	if patterns == "" && len(callers) == 0 {
		return all, nil
	}
	var rows []row
	for pattern := range strings.SplitSeq(patterns, ",") {
		if len(callers) > 0 {
			generated, err := rowsFor(pattern, callers, delays)
			if err != nil {
				return nil, err
			}
			rows = append(rows, generated...)
			continue
		}
		before := len(rows)
		for _, r := range all {
			if match, err := path.Match(pattern, r.Name); err != nil {
				return nil, fmt.Errorf("bench: -rows %q: %w", pattern, err)
			} else if match {
				rows = append(rows, r)
			}
		}
		if len(rows) == before {
			return nil, fmt.Errorf("bench: -rows %q matches no row; -list shows them", pattern)
		}
	}
	return rows, nil
}

// rowsFor makes rows of a workload for numbers of callers other than the usual.
func rowsFor(load string, callers []int, delays []time.Duration) ([]row, error) {
	if load == "" {
		load = "get"
	}
	w, ok := workloadByName(load)
	if !ok {
		return nil, fmt.Errorf("bench: -callers needs workloads in -rows (get, set, mixed, large, getmulti, setmulti), not %q", load)
	}
	who := clientsFor(w)
	rows := make([]row, 0, len(callers)*len(delays))
	for _, n := range callers {
		for _, d := range delays {
			rows = append(rows, delayedRow(load, n, d, who))
		}
	}
	return rows, nil
}

// keepPeers leaves only the named contestants in the rows, and drops rows that
// none of them takes part in.
func keepPeers(rows []row, names []string) []row {
	var kept []row
	for _, r := range rows {
		r.Peers = slices.DeleteFunc(slices.Clone(r.Peers), func(p string) bool {
			return !slices.Contains(names, p)
		})
		if len(r.Peers) > 0 {
			kept = append(kept, r)
		}
	}
	return kept
}
