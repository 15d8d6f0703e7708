package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/middleware"
)

const (
	sampleEvery = time.Second
	sampleCount = 120  // two minutes
	maxTimings  = 8192 // that a sample keeps
)

// A sample is what happened in a second.
type sample struct {
	At       int64             `json:"at"`              // Unix time in milliseconds
	Ops      map[string]uint64 `json:"ops"`             // operations by server
	Errors   uint64            `json:"errors"`          // of these, faults
	HitRatio *float64          `json:"hitRatio"`        // of the keys asked for; null: none
	Median   *float64          `json:"median"`          // time of an operation in milliseconds
	P99      *float64          `json:"p99"`             // 99 of 100 are faster
	Hits     uint64            `json:"hits"`            // pages sent from the cache
	Misses   uint64            `json:"misses"`          // pages made by a handler
	Faults   uint64            `json:"faults,omitzero"` // of the page cache
}

// A meter measures the client, as its Tracer, and the page cache, through its
// events. It keeps the samples of the last two minutes.
type meter struct {
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu      sync.Mutex // guards what follows
	now     sample     // the one under way
	timings []time.Duration
	gets    uint64 // the client's counters at the last sample
	hits    uint64
	samples []sample // oldest first
}

func newMeter() *meter { return &meter{} }

type beginKey struct{}

// OpStart notes when an operation begins.
func (m *meter) OpStart(ctx context.Context, _ memcached.Op) context.Context {
	return context.WithValue(ctx, beginKey{}, time.Now())
}

// OpEnd takes the operation into the sample under way.
func (m *meter) OpEnd(ctx context.Context, op memcached.Op, err error) {
	begin, ok := ctx.Value(beginKey{}).(time.Time)
	if !ok || op.Name == "stats" || op.Server == "" {
		return // the status page's own looks do not count
	}
	took := time.Since(begin)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.now.Ops == nil {
		m.now.Ops = make(map[string]uint64)
	}
	m.now.Ops[op.Server]++
	if isFault(err) {
		m.now.Errors++
		return
	}
	if len(m.timings) < maxTimings {
		m.timings = append(m.timings, took)
	}
}

// page takes what happened to a page into the sample under way.
func (m *meter) page(event middleware.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch event.Kind {
	case middleware.EventHit, middleware.EventStale, middleware.EventCollapsed:
		m.now.Hits++
	case middleware.EventMiss, middleware.EventRevalidated:
		m.now.Misses++
	}
	if event.Err != nil {
		m.now.Faults++
	}
}

// start begins a goroutine that ends a sample every second, until stop.
func (m *meter) start(client *memcached.Client) {
	ctx, cancel := context.WithCancel(context.Background())
	m.cancel = cancel
	m.done.Go(func() {
		ticker := time.NewTicker(sampleEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case at := <-ticker.C:
				m.end(at, client.Stats())
			}
		}
	})
}

func (m *meter) stop() {
	m.cancel()
	m.done.Wait()
}

// end ends the sample under way and begins the next.
func (m *meter) end(at time.Time, stats memcached.Stats) {
	m.mu.Lock()
	defer m.mu.Unlock()
	ended := m.now
	ended.At = at.UnixMilli()
	if gets := stats.Gets - m.gets; gets > 0 {
		ratio := float64(stats.Hits-m.hits) / float64(gets)
		ended.HitRatio = &ratio
	}
	ended.Median, ended.P99 = quantiles(m.timings)
	m.gets, m.hits, m.now, m.timings = stats.Gets, stats.Hits, sample{}, m.timings[:0]
	if len(m.samples) == sampleCount {
		m.samples = slices.Delete(m.samples, 0, 1)
	}
	m.samples = append(m.samples, ended)
}

// history returns the samples that have ended, oldest first.
func (m *meter) history() []sample {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.samples)
}

// quantiles sorts timings and returns their median and 99th percentile in
// milliseconds, or nil when there are none.
func quantiles(timings []time.Duration) (median, p99 *float64) {
	if len(timings) == 0 {
		return nil, nil
	}
	slices.Sort(timings)
	at := func(percent int) *float64 {
		ms := float64(timings[(len(timings)-1)*percent/100].Microseconds()) / 1000
		return &ms
	}
	return at(50), at(99)
}

// isFault reports whether an operation ended in something else than an answer.
func isFault(err error) bool {
	switch err {
	case nil, memcached.ErrCacheMiss, memcached.ErrNotStored, memcached.ErrCASConflict:
		return false
	}
	return true
}
