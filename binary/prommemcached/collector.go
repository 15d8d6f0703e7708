package prommemcached

import (
	"maps"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bmemcached/bmemcached-go/binary"
)

// Client is what a Collector needs of a client.
type Client interface {
	Stats() memcached.Stats
}

var _ Client = (*memcached.Client)(nil)

// Options configures NewCollector and NewTracer. The zero value of each field is its
// default; the struct is copied.
type Options struct {
	// Labels are added to every metric, to tell the clients of a program apart.
	// nil: none.
	Labels prometheus.Labels

	// Buckets are the upper bounds of the Tracer's histogram, in seconds. nil:
	// DefaultBuckets.
	Buckets []float64

	// PerServer adds the label server to the Tracer's histogram. It multiplies
	// the series by the number of servers; see Tracer.Forget. false: no label.
	PerServer bool

	// Next is a Tracer that is called too, such as one that makes spans. nil:
	// none.
	Next memcached.Tracer
}

// DefaultBuckets suit a cache in the same network, whose answers take from a
// tenth of a millisecond to, when something is wrong, the client's default
// timeout of one second. It must not be changed.
var DefaultBuckets = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5}

func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	c.Labels = maps.Clone(c.Labels)
	if c.Buckets == nil {
		c.Buckets = DefaultBuckets
	}
	return c
}

// Collector is a prometheus.Collector of what a client counts. It holds nothing
// itself.
type Collector struct {
	client Client

	gets, operations, errors, timeouts, cancellations, retries *prometheus.Desc

	up, ejected, connections, inFlight, serverOperations, serverErrors, dials, dialErrors *prometheus.Desc
}

var _ prometheus.Collector = (*Collector)(nil)

// NewCollector returns a Collector of client, to be registered. Nil options are
// defaults; a nil client panics.
func NewCollector(client Client, opts *Options) *Collector {
	if client == nil || client == (*memcached.Client)(nil) {
		panic("prommemcached: NewCollector: client is nil")
	}
	o := opts.withDefaults()
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("memcached_client_"+name, help, labels, o.Labels)
	}
	return &Collector{
		client:        client,
		gets:          desc("gets_total", "Keys that were asked for, by result: hit, miss or failed.", "result"),
		operations:    desc("operations_total", "Operations on servers."),
		errors:        desc("operation_errors_total", "Operations that ended in a fault; misses and the like are answers."),
		timeouts:      desc("operation_timeouts_total", "Operations that ended because time ran out."),
		cancellations: desc("operation_cancellations_total", "Operations whose context was cancelled."),
		retries:       desc("operation_retries_total", "Operations that were sent a second time."),

		up:               desc("server_up", "1, or 0 while the server rests after a failure.", "server"),
		ejected:          desc("server_ejected", "1 while the distribution leaves the server out, else 0.", "server"),
		connections:      desc("server_connections", "Connections that are open.", "server"),
		inFlight:         desc("server_operations_in_flight", "Operations that are under way.", "server"),
		serverOperations: desc("server_operations_total", "Operations on the server.", "server"),
		serverErrors:     desc("server_operation_errors_total", "Operations on the server that ended in a fault.", "server"),
		dials:            desc("server_dials_total", "Connections that were opened.", "server"),
		dialErrors:       desc("server_dial_errors_total", "Connections that failed at dialling, TLS or authentication.", "server"),
	}
}

// Describe sends the descriptions of all metrics.
func (c *Collector) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		c.gets, c.operations, c.errors, c.timeouts, c.cancellations, c.retries,
		c.up, c.ejected, c.connections, c.inFlight, c.serverOperations, c.serverErrors, c.dials, c.dialErrors,
	} {
		to <- desc
	}
}

// Collect sends the numbers of now.
func (c *Collector) Collect(to chan<- prometheus.Metric) {
	counter := func(desc *prometheus.Desc, n uint64, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n), labels...)
	}
	gauge := func(desc *prometheus.Desc, n int, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(n), labels...)
	}
	stats := c.client.Stats()
	counter(c.gets, stats.Hits, "hit")
	counter(c.gets, stats.Misses, "miss")
	counter(c.gets, stats.Gets-stats.Hits-stats.Misses, "failed")
	counter(c.operations, stats.Ops)
	counter(c.errors, stats.Errors)
	counter(c.timeouts, stats.Timeouts)
	counter(c.cancellations, stats.Cancellations)
	counter(c.retries, stats.Retries)
	for server, s := range stats.Servers {
		gauge(c.up, one(!s.Down), server)
		gauge(c.ejected, one(s.Ejected), server)
		gauge(c.connections, s.Conns, server)
		gauge(c.inFlight, s.InFlight, server)
		counter(c.serverOperations, s.Ops, server)
		counter(c.serverErrors, s.Errors, server)
		counter(c.dials, s.Dials, server)
		counter(c.dialErrors, s.DialErrors, server)
	}
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
