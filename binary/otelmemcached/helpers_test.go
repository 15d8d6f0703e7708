package otelmemcached_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/otelmemcached"
)

// telemetry is an OpenTelemetry SDK that keeps what it gets.
type telemetry struct {
	spans   *tracetest.SpanRecorder
	reader  *metric.ManualReader
	options otelmemcached.Options
}

func newTelemetry(opts ...trace.TracerProviderOption) *telemetry {
	spans, reader := tracetest.NewSpanRecorder(), metric.NewManualReader()
	return &telemetry{spans: spans, reader: reader, options: otelmemcached.Options{
		TracerProvider: trace.NewTracerProvider(append(opts, trace.WithSpanProcessor(spans))...),
		MeterProvider:  metric.NewMeterProvider(metric.WithReader(reader)),
	}}
}

// client returns a client that is traced.
func (tel *telemetry) client(tb testing.TB, servers []string, opts memcached.Options) *memcached.Client {
	tb.Helper()
	tracer, err := otelmemcached.NewTracer(&tel.options)
	if err != nil {
		tb.Fatal(err)
	}
	opts.Tracer = tracer
	client, err := memcached.New(servers, &opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = client.Close() })
	return client
}

// last returns the span that ended last.
func (tel *telemetry) last(t *testing.T) trace.ReadOnlySpan {
	t.Helper()
	ended := tel.spans.Ended()
	if len(ended) == 0 {
		t.Fatal("no span has ended")
	}
	return ended[len(ended)-1]
}

// collect returns the metrics by name.
func (tel *telemetry) collect(t *testing.T) map[string]metricdata.Metrics {
	t.Helper()
	var data metricdata.ResourceMetrics
	if err := tel.reader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	metrics := map[string]metricdata.Metrics{}
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			metrics[m.Name] = m
		}
	}
	return metrics
}

// durations returns the points of the histogram.
func (tel *telemetry) durations(t *testing.T) []metricdata.HistogramDataPoint[float64] {
	t.Helper()
	h, _ := tel.collect(t)["db.client.operation.duration"].Data.(metricdata.Histogram[float64])
	return h.DataPoints
}

// value returns an attribute as text, or "" if it is not there.
func value(attrs []attribute.KeyValue, key string) string {
	for _, kv := range attrs {
		if string(kv.Key) == key {
			return kv.Value.Emit()
		}
	}
	return ""
}

// refuse answers operations on a key with a status.
func refuse(server *memcachedtest.Server, key string, status memcached.Status) {
	server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
		if r.Key == key {
			return memcachedtest.Action{Status: status}
		}
		return memcachedtest.Action{}
	})
}

// mute leaves operations on a key unanswered.
func mute(server *memcachedtest.Server, key string) {
	server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
		return memcachedtest.Action{Mute: r.Key == key}
	})
}

// operation is one of a client's, by its name in spans.
type operation struct {
	name string
	keys int
	do   func(ctx context.Context, c *memcached.Client) error
}

// operations are all of a client, on keys that are not there.
var operations = []operation{
	{"get", 1, func(ctx context.Context, c *memcached.Client) error { _, err := c.Get(ctx, "k"); return err }},
	{"get", 1, func(ctx context.Context, c *memcached.Client) error {
		_, _, err := c.AppendValue(ctx, nil, "k")
		return err
	}},
	{"get_and_touch", 1, func(ctx context.Context, c *memcached.Client) error { _, err := c.GetAndTouch(ctx, "k", 0); return err }},
	{"get_multi", 3, func(ctx context.Context, c *memcached.Client) error {
		_, err := c.GetMulti(ctx, []string{"k", "l", "m"})
		return err
	}},
	{"set", 1, func(ctx context.Context, c *memcached.Client) error { return c.Set(ctx, &memcached.Item{Key: "k"}) }},
	{"set_multi", 1, func(ctx context.Context, c *memcached.Client) error {
		return c.SetMulti(ctx, []*memcached.Item{{Key: "k"}})
	}},
	{"add", 1, func(ctx context.Context, c *memcached.Client) error { return c.Add(ctx, &memcached.Item{Key: "a"}) }},
	{"replace", 1, func(ctx context.Context, c *memcached.Client) error { return c.Replace(ctx, &memcached.Item{Key: "k"}) }},
	{"append", 1, func(ctx context.Context, c *memcached.Client) error { return c.Append(ctx, "k", []byte("x")) }},
	{"prepend", 1, func(ctx context.Context, c *memcached.Client) error { return c.Prepend(ctx, "k", []byte("x")) }},
	{"touch", 1, func(ctx context.Context, c *memcached.Client) error { return c.Touch(ctx, "k", time.Hour) }},
	{"increment_or_set", 1, func(ctx context.Context, c *memcached.Client) error {
		_, err := c.IncrementOrSet(ctx, "n", 1, 1, 0)
		return err
	}},
	{"increment", 1, func(ctx context.Context, c *memcached.Client) error { _, err := c.Increment(ctx, "n", 1); return err }},
	{"decrement", 1, func(ctx context.Context, c *memcached.Client) error { _, err := c.Decrement(ctx, "n", 1); return err }},
	{"delete", 1, func(ctx context.Context, c *memcached.Client) error { return c.Delete(ctx, "k") }},
	{"delete_multi", 2, func(ctx context.Context, c *memcached.Client) error { return c.DeleteMulti(ctx, []string{"k", "l"}) }},
	{"ping", 0, func(ctx context.Context, c *memcached.Client) error { return c.Ping(ctx) }},
	{"version", 0, func(ctx context.Context, c *memcached.Client) error { _, err := c.Versions(ctx); return err }},
	{"stats", 0, func(ctx context.Context, c *memcached.Client) error { _, err := c.ServerStats(ctx, ""); return err }},
	{"flush_all", 0, func(ctx context.Context, c *memcached.Client) error { return c.FlushAll(ctx, 0) }},
}

// parallel runs f in several goroutines.
func parallel(n int, f func()) {
	var wg sync.WaitGroup
	for range n {
		wg.Go(f)
	}
	wg.Wait()
}

var errOther = errors.New("something else")
