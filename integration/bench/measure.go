package main

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// timing is how long a measurement takes.
type timing struct {
	warmup   time.Duration
	duration time.Duration
}

// Names of the metrics of a sample.
const (
	metricRate   = "rate"   // operations a second
	metricCPU    = "cpu"    // µs of this process's processor time an operation
	metricP50    = "p50"    // µs that half the calls stay below
	metricP99    = "p99"    // µs that 99 in 100 calls stay below
	metricAllocs = "allocs" // allocations an operation
	metricBytes  = "bytes"  // allocated bytes an operation
)

// measureLoad opens a client of peer and lets callers repeat the workload.
func measureLoad(peer Peer, servers []string, load workload, data *dataset, callers int, t timing) (map[string]float64, error) {
	client, err := peer.Open(servers, callers)
	if err != nil {
		return nil, fmt.Errorf("bench: opening %s: %w", peer.Name(), err)
	}
	defer client.Close()
	runtime.GC()

	if d, ok := client.(driver); ok {
		return measureDriver(d, data, t)
	}
	var (
		p       phase
		wg      sync.WaitGroup
		failed  = make(chan struct{})
		failing sync.Once
		first   error
		workers = make([]*worker, callers)
	)
	for i := range workers {
		workers[i] = newWorker(load, data, i)
	}
	p.cold.Store(int32(callers))
	for _, w := range workers {
		wg.Go(func() {
			if err := w.repeat(client, load, &p); err != nil {
				failing.Do(func() { first = err; close(failed) })
			}
		})
	}
	win := p.run(t.warmup, t.duration, failed)
	wg.Wait()
	if first != nil {
		return nil, first
	}
	return summarize(win, load.ops, workers), nil
}

// repeat does load's work until p stops, and times every load.sample-th call.
func (w *worker) repeat(c Client, load workload, p *phase) error {
	base := time.Now()
	for call := 0; ; call++ {
		if call == 1 {
			p.cold.Add(-1)
		}
		now := p.now()
		if now == stopped {
			return nil
		}
		if now == warming || call%load.sample != 0 {
			if err := load.do(c, w); err != nil {
				return err
			}
			if now == measuring {
				w.calls++
			}
			continue
		}
		start := time.Since(base)
		if err := load.do(c, w); err != nil {
			return err
		}
		w.samples = append(w.samples, time.Since(base)-start)
		w.calls++
	}
}

// summarize sums up what the workers saw in the window.
func summarize(win window, opsPerCall int, workers []*worker) map[string]float64 {
	var calls int64
	var samples []time.Duration
	for _, w := range workers {
		calls += w.calls
		samples = append(samples, w.samples...)
	}
	slices.Sort(samples)
	m := perOp(win, calls*int64(opsPerCall))
	m[metricP50] = micros(percentile(samples, 0.50))
	m[metricP99] = micros(percentile(samples, 0.99))
	return m
}

// perOp spreads what the window cost over ops operations.
func perOp(win window, ops int64) map[string]float64 {
	n := float64(max(ops, 1))
	return map[string]float64{
		metricRate:   float64(ops) / win.elapsed.Seconds(),
		metricCPU:    micros(win.cpu) / n,
		metricAllocs: float64(win.mallocs) / n,
		metricBytes:  float64(win.bytes) / n,
	}
}

// measureDriver lets a client that needs no callers run by itself.
func measureDriver(d driver, data *dataset, t timing) (map[string]float64, error) {
	var (
		p    phase
		ops  atomic.Int64
		err  error
		done = make(chan struct{})
	)
	go func() {
		defer close(done)
		var n int64
		n, err = d.drive(data, &p)
		ops.Store(n)
	}()
	win := p.run(t.warmup, t.duration, done)
	<-done
	if err == nil && win.elapsed == 0 {
		err = errors.New("bench: ended before it was measured")
	}
	return perOp(win, ops.Load()), err
}

// percentile returns the value that the share q of the sorted samples stays
// below, 0 of none.
func percentile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
