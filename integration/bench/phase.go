package main

import (
	"runtime"
	"sync/atomic"
	"time"
)

// The phases of a measurement.
const (
	warming int32 = iota
	measuring
	stopped
)

// phase is what all callers of a measurement look at before each operation.
// An operation counts when it started while measuring.
type phase struct {
	v    atomic.Int32
	cold atomic.Int32 // callers that have not made their first calls
}

func (p *phase) now() int32 { return p.v.Load() }

// connecting bounds how long the warm-up waits for callers whose client still
// dials.
const connecting = 5 * time.Second

// window is what happened to the process between the start and the end of
// measuring.
type window struct {
	elapsed time.Duration
	cpu     time.Duration // user and system time of this process
	mallocs uint64
	bytes   uint64
}

// run leads the callers through the phases: warm-up, which lasts until every
// caller has had an answer, measuring for duration, stop. An early end of the callers (an error) is noticed through failed.
func (p *phase) run(warmup, duration time.Duration, failed <-chan struct{}) window {
	defer p.v.Store(stopped)
	if !sleep(warmup, failed) {
		return window{}
	}
	for limit := time.Now().Add(connecting); p.cold.Load() > 0 && time.Now().Before(limit); {
		if !sleep(time.Millisecond, failed) {
			return window{}
		}
	}
	before := usageNow()
	p.v.Store(measuring)
	sleep(duration, failed)
	w := usageNow().since(before)
	p.v.Store(stopped)
	return w
}

// usage is what this process has used so far.
type usage struct {
	at      time.Time
	cpu     time.Duration
	mallocs uint64
	bytes   uint64
}

func usageNow() usage {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{at: time.Now(), cpu: processCPU(), mallocs: m.Mallocs, bytes: m.TotalAlloc}
}

// since returns what was used after before.
func (u usage) since(before usage) window {
	return window{
		elapsed: u.at.Sub(before.at),
		cpu:     u.cpu - before.cpu,
		mallocs: u.mallocs - before.mallocs,
		bytes:   u.bytes - before.bytes,
	}
}

// sleep waits for d and tells whether nothing failed meanwhile.
func sleep(d time.Duration, failed <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-failed:
		return false
	}
}
