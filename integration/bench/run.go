package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"strings"
	"time"
)

// runner measures rows over rounds.
type runner struct {
	env      *env
	rows     []row
	rounds   int
	timing   timing
	progress io.Writer
}

// run measures all rows in each round, every contestant in turn, and adds the
// samples to r. A contestant that fails is noted and left out from then on; a
// wrong value ends the run.
func (n *runner) run(ctx context.Context, r *results) error {
	r.Rounds, r.Duration = n.rounds, n.timing.duration
	failed := map[string]bool{}
	for round := range n.rounds {
		for i, row := range n.rows {
			if row.Once && round > 0 {
				continue
			}
			contest := &contest{row: row, round: round, shift: round + i, failed: failed}
			samples, err := n.hold(ctx, contest)
			if err != nil {
				return err
			}
			r.Samples = append(r.Samples, samples...)
		}
	}
	return nil
}

// contest is one row in one round.
type contest struct {
	row    row
	round  int
	shift  int             // how far the order of the contestants is rotated
	failed map[string]bool // who is left out, by row and contestant
}

// hold measures every contestant in as many slices as the row has, in turn, and
// sums the slices up: what disturbs the machine for a moment disturbs all.
func (n *runner) hold(ctx context.Context, c *contest) (samples []sample, err error) {
	if c.row.Awake {
		stop, cannot := keepAwake(ctx)
		if cannot != nil {
			return c.fail(cannot), nil
		}
		defer func() { err = errors.Join(err, stop()) }()
	}
	count := max(c.row.Slices, 1)
	parts := map[string][]map[string]float64{}
	problems := map[string]error{}
	for slice := range count {
		for turn := range c.row.Peers {
			peer := c.row.Peers[(turn+c.shift+slice)%len(c.row.Peers)]
			if c.failed[c.row.Name+peer] {
				continue
			}
			metrics, err := n.bounded(c.row, peer, n.timing.slice(count))
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if errors.Is(err, errWrongValue) {
				return nil, fmt.Errorf("%s, %s: %w", c.row.Name, peer, err)
			}
			if err != nil {
				problems[peer], c.failed[c.row.Name+peer] = err, true
				continue
			}
			parts[peer] = append(parts[peer], metrics)
		}
	}
	for _, peer := range c.row.Peers {
		s := sample{Row: c.row.Name, Peer: peer, Round: c.round, Metrics: sumUp(parts[peer])}
		switch err := problems[peer]; {
		case err != nil:
			s.Metrics, s.Error = nil, err.Error()
		case s.Metrics == nil:
			continue
		}
		n.tell(s)
		samples = append(samples, s)
	}
	return samples, nil
}

// fail notes that none of the contestants can be measured.
func (c *contest) fail(err error) []sample {
	var samples []sample
	for _, peer := range c.row.Peers {
		if !c.failed[c.row.Name+peer] {
			c.failed[c.row.Name+peer] = true
			samples = append(samples, sample{Row: c.row.Name, Peer: peer, Round: c.round, Error: err.Error()})
		}
	}
	return samples
}

// slice returns the timing of one of several equal parts.
func (t timing) slice(parts int) timing {
	return timing{
		warmup:   max(t.warmup/time.Duration(parts), min(t.warmup, 100*time.Millisecond)),
		duration: t.duration / time.Duration(parts),
	}
}

// sumUp returns the mean of slices: of rates over time, of everything else over
// the operations where they have a rate.
func sumUp(parts []map[string]float64) map[string]float64 {
	if len(parts) == 0 {
		return nil
	}
	sum, weights := map[string]float64{}, 0.0
	for _, part := range parts {
		weight := 1.0
		if rate, ok := part[metricRate]; ok {
			weight = rate
		}
		weights += weight
		for name, v := range part {
			if name != metricRate {
				v *= weight
			}
			sum[name] += v
		}
	}
	for name := range sum {
		if name == metricRate {
			sum[name] /= float64(len(parts))
		} else {
			sum[name] /= weights
		}
	}
	return sum
}

// tell writes a sample down while the run goes on.
func (n *runner) tell(s sample) {
	line := fmt.Sprintf("round %d/%d  %-14s %-20s", s.Round+1, n.rounds, s.Row, s.Peer)
	if s.Error != "" {
		fmt.Fprintf(n.progress, "%s failed: %s\n", line, s.Error)
		return
	}
	var parts []string
	for _, c := range columns {
		if v, ok := s.Metrics[c.metric]; ok {
			parts = append(parts, c.head+" "+c.text(v))
		}
	}
	fmt.Fprintf(n.progress, "%s %s\n", line, strings.Join(parts, "  "))
}

// bounded measures within a generous limit: a client that waits for ever, as
// one that writes a large batch before it reads does, must not take the run
// with it. Its goroutines stay behind, blocked.
func (n *runner) bounded(row row, peer string, t timing) (map[string]float64, error) {
	type outcome struct {
		metrics map[string]float64
		err     error
	}
	done := make(chan outcome, 1)
	go func() {
		metrics, err := row.measure(n.env, peer, t)
		done <- outcome{metrics, err}
	}()
	limit := time.NewTimer(t.warmup + t.duration + grace)
	defer limit.Stop()
	select {
	case o := <-done:
		return o.metrics, o.err
	case <-limit.C:
		return nil, errStuck
	case <-n.env.ctx.Done():
		return nil, n.env.ctx.Err()
	}
}

// grace is what a measurement may take beyond its time, for preloading and for
// rows whose length is a number of operations.
const grace = 2 * time.Minute

// errStuck ends a measurement that does not come back.
var errStuck = errors.New("bench: the client did not come back")

// profile starts a CPU profile and prepares a profile of allocations; each only
// where a path is given. stop writes them.
func profile(cpu, allocs string) (stop func() error, err error) {
	var file *os.File
	if cpu != "" {
		if file, err = os.Create(cpu); err != nil {
			return nil, err
		}
		if err := pprof.StartCPUProfile(file); err != nil {
			return nil, err
		}
	}
	return func() error {
		var err error
		if file != nil {
			pprof.StopCPUProfile()
			err = file.Close()
		}
		if allocs == "" {
			return err
		}
		out, createErr := os.Create(allocs)
		if createErr != nil {
			return errors.Join(err, createErr)
		}
		return errors.Join(err, pprof.Lookup("allocs").WriteTo(out, 0), out.Close())
	}, nil
}
