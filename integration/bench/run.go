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
			for turn := range row.Peers {
				peer := row.Peers[(turn+round+i)%len(row.Peers)]
				if failed[row.Name+peer] {
					continue
				}
				s := n.measure(row, peer, round)
				if errors.Is(s.err, errWrongValue) {
					return fmt.Errorf("%s, %s: %w", row.Name, peer, s.err)
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				failed[row.Name+peer] = s.err != nil
				r.Samples = append(r.Samples, s.sample)
			}
		}
	}
	return nil
}

// measured is a sample with the error as a value.
type measured struct {
	sample
	err error
}

func (n *runner) measure(row row, peer string, round int) measured {
	start := time.Now()
	metrics, err := n.bounded(row, peer)
	s := measured{sample: sample{Row: row.Name, Peer: peer, Round: round, Metrics: metrics}, err: err}
	line := fmt.Sprintf("round %d/%d  %-14s %-12s", round+1, n.rounds, row.Name, peer)
	if err != nil {
		s.Error = err.Error()
		fmt.Fprintf(n.progress, "%s failed after %v: %v\n", line, time.Since(start).Round(time.Millisecond), err)
		return s
	}
	var parts []string
	for _, c := range columns {
		if v, ok := metrics[c.metric]; ok {
			parts = append(parts, c.head+" "+c.text(v))
		}
	}
	fmt.Fprintf(n.progress, "%s %s\n", line, strings.Join(parts, "  "))
	return s
}

// bounded measures within a generous limit: a client that waits for ever, as
// one that writes a large batch before it reads does, must not take the run
// with it. Its goroutines stay behind, blocked.
func (n *runner) bounded(row row, peer string) (map[string]float64, error) {
	type outcome struct {
		metrics map[string]float64
		err     error
	}
	done := make(chan outcome, 1)
	go func() {
		metrics, err := row.measure(n.env, peer, n.timing)
		done <- outcome{metrics, err}
	}()
	limit := time.NewTimer(n.timing.warmup + n.timing.duration + grace)
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
