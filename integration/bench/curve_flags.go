package main

import (
	"errors"
	"flag"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// curveCallers are the numbers of callers of the curve.
var curveCallers = []int{1, 2, 3, 4, 6, 8, 12, 16, 32, 64, 128, 512, 2048}

// curveVariants are what the curve shows beside the client as it is: operations
// share connections from fewer on, they always share two, and the scheduler is told of
// every system call.
const curveVariants = "shareFrom=2;shareFrom=3;shareFrom=4;shareFrom=8;secondLane=1;quickSize=0"

// curveFlags are those that only the curve has, as they were written.
type curveFlags struct {
	on, each                      bool
	ops, variants, procs, threads string
}

func (c *curveFlags) register(f *flag.FlagSet) {
	f.BoolVar(&c.on, "curve", false, "measure the curve in place of the rows: every combination of -ops, -callers, -procs, -threads, -delays and -regimes, for this client, its -variants and -peers; -write writes CURVE.md and its picture")
	f.BoolVar(&c.each, "each", false, "with -curve: not every combination, but the first value of each list, and the other values one at a time")
	f.StringVar(&c.ops, "ops", "get", "with -curve: workloads (get, set, mixed, large, getmulti, setmulti, page, session)")
	f.StringVar(&c.variants, "variants", curveVariants, "with -curve: other values of the client's constants, name=value,name=value; several, separated by semicolons")
	f.StringVar(&c.procs, "procs", "", "with -curve: numbers of the client's processors (GOMAXPROCS); empty: those of the machine")
	f.StringVar(&c.threads, "threads", "4", "with -curve: numbers of memcached's threads")
}

// curveOptions are the flags as they were meant.
type curveOptions struct {
	ops, variants, peers    []string
	callers, procs, threads []int
	delays                  []time.Duration
	awake                   []bool
	each                    bool
}

// curve reads the flags of the curve.
func (o *options) curve() (*curveOptions, error) {
	c := &curveOptions{each: o.curves.each, ops: strings.Split(o.curves.ops, ","), peers: []string{rueidisClient}}
	for _, op := range c.ops {
		if _, ok := workloadByName(op); !ok && builders[op] == nil {
			return nil, fmt.Errorf("bench: -ops: no workload %q", op)
		}
	}
	if o.peers != "" {
		c.peers = strings.Split(o.peers, ",")
	}
	for _, name := range c.peers {
		if peerByName(name) == nil {
			return nil, fmt.Errorf("bench: -peers: no client %q", name)
		}
	}
	for text := range strings.SplitSeq(o.curves.variants, ";") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		if _, err := parseVariant(text); err != nil {
			return nil, err
		}
		c.variants = append(c.variants, text)
	}
	var errs [5]error
	c.callers, errs[0] = numbers("callers", o.callers, curveCallers)
	c.procs, errs[1] = numbers("procs", o.curves.procs, []int{runtime.NumCPU()})
	c.threads, errs[2] = numbers("threads", o.curves.threads, nil)
	c.delays, errs[3] = durations("delays", o.delays)
	c.awake, errs[4] = regimes(o.regimes, []bool{false, true})
	return c, errors.Join(errs[:]...)
}

// numbers reads a list of numbers above 0.
func numbers(name, text string, usual []int) ([]int, error) {
	if text == "" {
		return usual, nil
	}
	var list []int
	for field := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(field)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("bench: -%s %q: want numbers above 0", name, text)
		}
		list = append(list, n)
	}
	return list, nil
}

// durations reads a list of durations; empty: none at all.
func durations(name, text string) ([]time.Duration, error) {
	if text == "" {
		return []time.Duration{0}, nil
	}
	var list []time.Duration
	for field := range strings.SplitSeq(text, ",") {
		d, err := time.ParseDuration(field)
		if err != nil || d < 0 {
			return nil, fmt.Errorf("bench: -%s %q: want durations as in 0,200us,1ms", name, text)
		}
		list = append(list, d)
	}
	return list, nil
}

// The names of the regimes.
const regimeQuiet, regimeAwake = "quiet", "awake"

// regimes reads a list of regimes: whether the processors are kept awake.
func regimes(text string, usual []bool) ([]bool, error) {
	if text == "" {
		return usual, nil
	}
	var list []bool
	for field := range strings.SplitSeq(text, ",") {
		if field != regimeQuiet && field != regimeAwake {
			return nil, fmt.Errorf("bench: -regimes %q: want %s, %s or both", text, regimeQuiet, regimeAwake)
		}
		list = append(list, field == regimeAwake)
	}
	return list, nil
}

// inRegimes returns the rows as the flag wants them: as they come, with
// processors that are kept awake, or both.
func inRegimes(rows []row, awake []bool) []row {
	if awake == nil {
		return rows
	}
	var kept []row
	seen := map[string]bool{}
	for _, r := range rows {
		for _, a := range awake {
			if a && !r.Awake {
				r = awakeRow(r)
			}
			if a == r.Awake && !seen[r.Name] {
				seen[r.Name] = true
				kept = append(kept, r)
			}
		}
	}
	return kept
}
