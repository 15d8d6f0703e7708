package otelmemcached

import (
	"context"
	"fmt"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"

	"github.com/bmemcached/bmemcached-go/binary"
)

// Client is what Observe needs of a client.
type Client interface {
	Stats() memcached.Stats
}

var _ Client = (*memcached.Client)(nil)

// observer reports the statistics of a client.
type observer struct {
	client     Client
	attributes []attribute.KeyValue

	connections, operations metric.Int64ObservableUpDownCounter
	gets, retries, dials    metric.Int64ObservableCounter
	up, ejected             metric.Int64ObservableGauge
}

// Observe reports what client.Stats counts whenever metrics are collected. Call
// Unregister of the registration when the client is closed. Clients of one
// MeterProvider that have a server in common need different Options.Attributes.
// Nil options are defaults; a nil client panics.
func Observe(client Client, opts *Options) (metric.Registration, error) {
	if client == nil || client == (*memcached.Client)(nil) {
		panic("otelmemcached: Observe: client is nil")
	}
	o := opts.withDefaults()
	obs := &observer{client: client, attributes: append(o.Attributes, semconv.DBSystemNameMemcached)}
	meter := o.MeterProvider.Meter(scope, metric.WithSchemaURL(semconv.SchemaURL))
	instruments, err := obs.instruments(meter)
	if err != nil {
		return nil, fmt.Errorf("otelmemcached: %w", err)
	}
	registration, err := meter.RegisterCallback(obs.observe, instruments...)
	if err != nil {
		return nil, fmt.Errorf("otelmemcached: %w", err)
	}
	return registration, nil
}

// instruments makes the instruments and returns all of them.
func (o *observer) instruments(meter metric.Meter) (all []metric.Observable, err error) {
	add := func(instrument metric.Observable, e error) {
		all = append(all, instrument)
		if err == nil {
			err = e
		}
	}
	upDown := func(to *metric.Int64ObservableUpDownCounter, name, unit, text string) {
		i, err := meter.Int64ObservableUpDownCounter(name, metric.WithUnit(unit), metric.WithDescription(text))
		*to = i
		add(i, err)
	}
	counter := func(to *metric.Int64ObservableCounter, name, unit, text string) {
		i, err := meter.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(text))
		*to = i
		add(i, err)
	}
	gauge := func(to *metric.Int64ObservableGauge, name, text string) {
		i, err := meter.Int64ObservableGauge(name, metric.WithUnit("1"), metric.WithDescription(text))
		*to = i
		add(i, err)
	}
	upDown(&o.connections, "db.client.connection.count", "{connection}", "The number of connections that are currently in state described by the state attribute.")
	upDown(&o.operations, "memcached.client.operations", "{operation}", "The number of operations that are under way.")
	counter(&o.gets, "memcached.client.gets", "{key}", "The number of keys that were asked for, by result.")
	counter(&o.retries, "memcached.client.retries", "{operation}", "The number of operations that were sent a second time.")
	counter(&o.dials, "memcached.client.dials", "{connection}", "The number of attempts to connect, TLS and authentication included, by result.")
	gauge(&o.up, "memcached.client.server.up", "1, or 0 while the server rests after a failure.")
	gauge(&o.ejected, "memcached.client.server.ejected", "1 while the distribution leaves the server out, else 0.")
	return all, err
}

// observe is called at every collection.
func (o *observer) observe(_ context.Context, to metric.Observer) error {
	stats := o.client.Stats()
	all := o.with()
	to.ObserveInt64(o.retries, int64(stats.Retries), all)
	for result, n := range map[string]uint64{"hit": stats.Hits, "miss": stats.Misses, "failed": stats.Gets - stats.Hits - stats.Misses} {
		to.ObserveInt64(o.gets, int64(n), o.with(resultKey.String(result)))
	}
	for server, s := range stats.Servers {
		o.observeServer(to, server, s)
	}
	return nil
}

func (o *observer) observeServer(to metric.Observer, server string, s memcached.ServerStats) {
	pool := semconv.DBClientConnectionPoolName(poolName(server))
	used := min(s.InFlight, s.Conns)
	to.ObserveInt64(o.connections, int64(used), o.with(pool, semconv.DBClientConnectionStateUsed))
	to.ObserveInt64(o.connections, int64(s.Conns-used), o.with(pool, semconv.DBClientConnectionStateIdle))

	attrs := serverAttributes(server)
	to.ObserveInt64(o.operations, int64(s.InFlight), o.with(attrs...))
	to.ObserveInt64(o.up, one(!s.Down), o.with(attrs...))
	to.ObserveInt64(o.ejected, one(s.Ejected), o.with(attrs...))
	to.ObserveInt64(o.dials, int64(s.Dials), o.with(append(attrs, resultKey.String("connected"))...))
	to.ObserveInt64(o.dials, int64(s.DialErrors), o.with(append(attrs, resultKey.String("failed"))...))
}

// with returns the attributes of everything and these.
func (o *observer) with(attrs ...attribute.KeyValue) metric.ObserveOption {
	return metric.WithAttributeSet(attribute.NewSet(append(slices.Clone(o.attributes), attrs...)...))
}

func one(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}
