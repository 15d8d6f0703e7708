package main

import (
	"context"
	"errors"
	"os"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/middleware"
)

// eventKinds are the values that the label event can have, and other.
var eventKinds = []middleware.EventKind{
	middleware.EventHit, middleware.EventStale, middleware.EventMiss, middleware.EventCollapsed, middleware.EventRevalidated,
	middleware.EventBypass, middleware.EventStored, middleware.EventInvalidated, middleware.EventPurged, middleware.EventSoftPurged,
	middleware.EventError,
}

// faultKinds are the values that the label fault can have.
var faultKinds = []string{"timeout", "canceled", "auth", "unavailable", "too_large", other}

const other = "other"

// pageMetrics counts what a cache of pages tells. Its labels have few values,
// which are known beforehand: neither keys nor the texts of errors are among
// them, of which there can be any number.
type pageMetrics struct {
	events map[middleware.EventKind]prometheus.Counter
	other  prometheus.Counter
	faults map[string]prometheus.Counter
}

// newPageMetrics registers the counters, all of them at zero: a rate of what has
// not happened yet is 0, and not unknown.
func newPageMetrics(registry prometheus.Registerer) *pageMetrics {
	events := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "page_cache_events_total",
		Help: "What happened to requests and entries in the cache of pages.",
	}, []string{"event"})
	faults := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "page_cache_faults_total",
		Help: "Faults of memcached, by kind: the cache of pages went on without it, or a purge failed.",
	}, []string{"fault"})
	registry.MustRegister(events, faults)
	m := &pageMetrics{
		events: map[middleware.EventKind]prometheus.Counter{},
		other:  events.WithLabelValues(other),
		faults: map[string]prometheus.Counter{},
	}
	for _, kind := range eventKinds {
		m.events[kind] = events.WithLabelValues(string(kind))
	}
	for _, kind := range faultKinds {
		m.faults[kind] = faults.WithLabelValues(kind)
	}
	return m
}

// count is for middleware.Options.OnEvent. It is called in the middle of a
// request: looking up a counter and adding to it takes nanoseconds.
func (m *pageMetrics) count(e middleware.Event) {
	if counter, ok := m.events[e.Kind]; ok {
		counter.Inc()
	} else {
		m.other.Inc() // of a later version of the middleware
	}
	if e.Err != nil {
		m.faults[faultKind(e.Err)].Inc()
	}
}

// faultKind is what kind of fault an error is.
func faultKind(err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, memcached.ErrAuth):
		return "auth"
	case errors.Is(err, memcached.ErrTooLarge):
		return "too_large"
	case errors.Is(err, memcached.ErrUnavailable):
		return "unavailable"
	}
	return other
}
