// Command metrics exports a cache to Prometheus: gocache's counts of hits and
// misses, and the client's own numbers.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/eko/gocache/lib/v4/cache"
	"github.com/eko/gocache/lib/v4/metrics"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/examples/internal/connect"
	"github.com/bmemcached/bmemcached-go/store"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	client, stop, err := connect.Client(os.Getenv, nil)
	if err != nil {
		return err
	}
	defer stop()

	registry := prometheus.NewRegistry()
	faults := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "cache_faults_total",
		Help: "Operations of the cache that failed, by kind.",
	}, []string{"op"})
	registry.MustRegister(faults, operations(client))

	s, err := store.NewWithOptions(client, &store.Options{
		Prefix:  "example:",
		OnError: func(op string, _ error) { faults.WithLabelValues(op).Inc() },
	})
	if err != nil {
		return err
	}
	greetings := cache.NewMetric[string](
		metrics.NewPrometheus("example", metrics.WithRegisterer(registry)),
		cache.New[string](s),
	)
	if err := greetings.Set(ctx, "a", "hello"); err != nil {
		return err
	}
	for _, key := range []string{"a", "b", "a"} {
		if value, err := greetings.Get(ctx, key); err == nil {
			fmt.Fprintf(out, "found %q\n", value)
		}
	}
	return show(out, registry)
}

// operations collects the client's count when Prometheus asks for them.
func operations(client *memcached.Client) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "memcached_operations_total",
		Help: "Operations on the servers.",
	}, func() float64 { return float64(client.Stats().Ops) })
}

// show prints what a scrape of /metrics returns. gocache counts in the
// background, so its numbers arrive a moment later.
func show(out io.Writer, registry *prometheus.Registry) error {
	handler := promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	for range 100 {
		page := httptest.NewRecorder()
		handler.ServeHTTP(page, httptest.NewRequest("GET", "/metrics", nil))
		var lines []string
		for line := range strings.Lines(page.Body.String()) {
			if strings.Contains(line, "_count") || strings.Contains(line, "memcached_") && !strings.HasPrefix(line, "#") {
				lines = append(lines, line)
			}
		}
		if slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, `hit_count"`) && strings.HasSuffix(line, " 2\n") }) {
			fmt.Fprint(out, strings.Join(lines, ""))
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("the metrics did not come")
}
