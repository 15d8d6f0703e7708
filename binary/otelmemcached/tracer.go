package otelmemcached

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/bmemcached/bmemcached-go/binary"
)

// Tracer makes spans of a client's operations and measures them. It is safe for
// concurrent use, by several clients too.
type Tracer struct {
	tracer     trace.Tracer
	duration   metric.Float64Histogram
	attributes []attribute.KeyValue // of everything
	recordKeys bool

	spans    bounded // *kept, by spanKey
	measures bounded // metric.MeasurementOption, by measureKey
}

var _ memcached.Tracer = (*Tracer)(nil)

// boundaries are those of the semantic conventions, in seconds.
var boundaries = []float64{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10}

// NewTracer returns a Tracer for memcached.Options. Nil options are defaults.
// The error is that of the MeterProvider.
func NewTracer(opts *Options) (*Tracer, error) {
	o := opts.withDefaults()
	meter := o.MeterProvider.Meter(scope, metric.WithSchemaURL(semconv.SchemaURL))
	duration, err := meter.Float64Histogram("db.client.operation.duration",
		metric.WithUnit("s"),
		metric.WithDescription("Duration of database client operations."),
		metric.WithExplicitBucketBoundaries(boundaries...))
	if err != nil {
		return nil, fmt.Errorf("otelmemcached: %w", err)
	}
	return &Tracer{
		tracer:     o.TracerProvider.Tracer(scope, trace.WithSchemaURL(semconv.SchemaURL)),
		duration:   duration,
		attributes: append(o.Attributes, semconv.DBSystemNameMemcached),
		recordKeys: o.RecordKeys,
	}, nil
}

// operation is an operation under way. It is the context of that, too.
type operation struct {
	context.Context
	span  trace.Span
	start time.Time
}

type operationKey struct{}

// Value finds the operation itself besides what is in the context.
func (o *operation) Value(key any) any {
	if key == (operationKey{}) {
		return o
	}
	return o.Context.Value(key)
}

// OpStart begins a span. The client calls it.
func (t *Tracer) OpStart(ctx context.Context, op memcached.Op) context.Context {
	start := time.Now()
	ctx, span := t.tracer.Start(ctx, op.Name, kind, trace.WithTimestamp(start), t.startOption(op))
	return &operation{Context: ctx, span: span, start: start}
}

// kind is that of all spans.
var kind = trace.WithSpanKind(trace.SpanKindClient)

// startOption returns the attributes with which a span starts: samplers see
// them.
func (t *Tracer) startOption(op memcached.Op) trace.SpanStartOption {
	kept := t.kept(op)
	key := t.recordKeys && op.Key != ""
	if op.Keys < 2 && !key {
		return kept.option
	}
	attrs := kept.attributes // has no room: appending copies it
	if op.Keys > 1 {
		attrs = append(attrs, semconv.DBOperationBatchSize(op.Keys))
	}
	if key {
		attrs = append(attrs, semconv.DBOperationParameter("key", op.Key))
	}
	return trace.WithAttributes(attrs...)
}

// OpEnd ends the span and measures the operation. The client calls it.
func (t *Tracer) OpEnd(ctx context.Context, op memcached.Op, err error) {
	o, ok := ctx.Value(operationKey{}).(*operation)
	if !ok {
		return // the context is not one that OpStart returned
	}
	took := time.Since(o.start)
	out := outcomeOf(err)
	if o.span.IsRecording() {
		describe(o.span, out, err)
	}
	o.span.End(trace.WithTimestamp(o.start.Add(took)))
	t.duration.Record(o.Context, took.Seconds(), t.measureOption(op, out))
}

// describe adds to a span what came of the operation.
func describe(span trace.Span, out outcome, err error) {
	switch {
	case out.answer != "":
		span.SetAttributes(answerKey.String(out.answer))
	case out.errorType != "":
		span.SetStatus(codes.Error, err.Error())
		span.SetAttributes(out.attributes(nil)...)
	}
}

type spanKey struct{ name, server string }

// kept is what all spans of an operation on a server have in common.
type kept struct {
	attributes []attribute.KeyValue
	option     trace.SpanStartOption // the same
}

func (t *Tracer) kept(op memcached.Op) *kept {
	key := spanKey{op.Name, op.Server}
	if k, ok := t.spans.Load(key); ok {
		return k.(*kept)
	}
	attrs := append(slices.Clone(t.attributes), semconv.DBOperationName(op.Name))
	attrs = slices.Clip(append(attrs, serverAttributes(op.Server)...))
	k := &kept{attributes: attrs, option: trace.WithAttributes(attrs...)}
	t.spans.store(key, k)
	return k
}

type measureKey struct {
	spanKey
	outcome
}

// measureOption returns the attributes of a measurement.
func (t *Tracer) measureOption(op memcached.Op, out outcome) metric.MeasurementOption {
	out.answer = "" // not part of it
	key := measureKey{spanKey{op.Name, op.Server}, out}
	if option, ok := t.measures.Load(key); ok {
		return option.(metric.MeasurementOption)
	}
	attrs := out.attributes(slices.Clone(t.kept(op).attributes)) // NewSet sorts in place
	option := metric.WithAttributeSet(attribute.NewSet(attrs...))
	t.measures.store(key, option)
	return option
}

// maxKept is how many entries are kept of each kind. Servers that come and go,
// as with discovery, are without number.
const maxKept = 4096

// bounded is a map that forgets everything when it grows too large.
type bounded struct {
	sync.Map
	size atomic.Int64
}

func (b *bounded) store(key, value any) {
	if _, loaded := b.LoadOrStore(key, value); loaded {
		return
	}
	if b.size.Add(1) > maxKept {
		b.size.Store(0)
		b.Clear()
	}
}
