package otelmemcached_test

import (
	"testing"

	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// BenchmarkGet measures what a Tracer costs: none, one whose providers do
// nothing, one that samples nothing, and one that records every span.
func BenchmarkGet(b *testing.B) {
	server, err := memcachedtest.NewServer(nil)
	if err != nil {
		b.Fatal(err)
	}
	defer server.Close()
	noops := newTelemetry()
	noops.options.TracerProvider, noops.options.MeterProvider = noop.NewTracerProvider(), metricnoop.NewMeterProvider()
	recording := newTelemetry()
	recording.options.TracerProvider = trace.NewTracerProvider() // ends spans nowhere
	for _, c := range []struct {
		name string
		tel  *telemetry
	}{{"untraced", nil}, {"noop", noops}, {"unsampled", newTelemetry(trace.WithSampler(trace.NeverSample()))}, {"recorded", recording}} {
		b.Run(c.name, func(b *testing.B) {
			client, err := memcached.New([]string{server.Addr()}, nil)
			if err != nil {
				b.Fatal(err)
			}
			if c.tel != nil {
				client = c.tel.client(b, []string{server.Addr()}, memcached.Options{})
			}
			defer client.Close()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := client.Get(b.Context(), "k"); err != memcached.ErrCacheMiss {
					b.Fatal(err)
				}
			}
		})
	}
}
