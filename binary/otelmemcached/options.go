package otelmemcached

import (
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// scope names the instrumentation.
const scope = "github.com/bmemcached/bmemcached-go/binary/otelmemcached"

// Options configures NewTracer and Observe. The zero value of each field is its
// default; the struct is copied.
type Options struct {
	// TracerProvider makes the spans; a noop provider makes none. nil: the
	// global one.
	TracerProvider trace.TracerProvider

	// MeterProvider makes the metrics; a noop provider makes none. nil: the
	// global one.
	MeterProvider metric.MeterProvider

	// Attributes are added to every span and measurement, to tell the clients
	// of a program apart. nil: none.
	Attributes []attribute.KeyValue

	// RecordKeys records the keys of operations on one key in spans. Keys may
	// hold personal data, and whoever reads traces reads them. false: no keys.
	RecordKeys bool
}

// withDefaults returns a copy with defaults filled in.
func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	if c.TracerProvider == nil {
		c.TracerProvider = otel.GetTracerProvider()
	}
	if c.MeterProvider == nil {
		c.MeterProvider = otel.GetMeterProvider()
	}
	c.Attributes = append([]attribute.KeyValue(nil), c.Attributes...)
	return c
}
