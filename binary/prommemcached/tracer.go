package prommemcached

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bmemcached/bmemcached-go/binary"
)

// Tracer measures a client's operations. It is a prometheus.Collector, to be
// registered, and safe for concurrent use, by several clients too.
type Tracer struct {
	duration  *prometheus.HistogramVec
	perServer bool
	next      memcached.Tracer
}

var (
	_ memcached.Tracer     = (*Tracer)(nil)
	_ prometheus.Collector = (*Tracer)(nil)
)

// NewTracer returns a Tracer for memcached.Options. Nil options are defaults. It
// panics when Prometheus refuses the labels or buckets, as
// prometheus.NewHistogramVec does.
func NewTracer(opts *Options) *Tracer {
	o := opts.withDefaults()
	labels := []string{"operation", "result"}
	if o.PerServer {
		labels = append(labels, "server")
	}
	return &Tracer{
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:        "memcached_client_operation_duration_seconds",
			Help:        "How long operations on servers took, by operation and result.",
			ConstLabels: o.Labels,
			Buckets:     o.Buckets,
		}, labels),
		perServer: o.PerServer,
		next:      o.Next,
	}
}

// Describe sends the description of the histogram.
func (t *Tracer) Describe(to chan<- *prometheus.Desc) { t.duration.Describe(to) }

// Collect sends the histogram.
func (t *Tracer) Collect(to chan<- prometheus.Metric) { t.duration.Collect(to) }

// Forget drops the series of a server. Use it with Options.PerServer when a
// server has left the client, for example from discovery.Options.OnChange;
// otherwise its series stay for ever.
func (t *Tracer) Forget(server string) {
	t.duration.DeletePartialMatch(prometheus.Labels{"server": server})
}

// started is the context of an operation under way, which knows when it began.
type started struct {
	context.Context
	at time.Time
}

type startedKey struct{}

// Value finds the operation itself besides what is in the context.
func (s *started) Value(key any) any {
	if key == (startedKey{}) {
		return s
	}
	return s.Context.Value(key)
}

// OpStart notes the time. The client calls it.
func (t *Tracer) OpStart(ctx context.Context, op memcached.Op) context.Context {
	at := time.Now()
	if t.next != nil {
		if next := t.next.OpStart(ctx, op); next != nil {
			ctx = next
		}
	}
	return &started{Context: ctx, at: at}
}

// OpEnd measures the operation. The client calls it.
func (t *Tracer) OpEnd(ctx context.Context, op memcached.Op, err error) {
	s, ok := ctx.Value(startedKey{}).(*started)
	if !ok {
		return // the context is not one that OpStart returned
	}
	if t.next != nil {
		t.next.OpEnd(s.Context, op, err)
	}
	seconds := time.Since(s.at).Seconds()
	if t.perServer {
		t.duration.WithLabelValues(op.Name, result(err), op.Server).Observe(seconds)
		return
	}
	t.duration.WithLabelValues(op.Name, result(err)).Observe(seconds)
}

// result tells answers and kinds of errors apart.
func result(err error) string {
	switch err { // answers are returned bare
	case nil:
		return "ok"
	case memcached.ErrCacheMiss:
		return "miss"
	case memcached.ErrNotStored:
		return "not_stored"
	case memcached.ErrCASConflict:
		return "cas_conflict"
	}
	var op *memcached.OpError
	switch {
	case errors.As(err, &op) && op.Timeout():
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "canceled"
	}
	return "error"
}
