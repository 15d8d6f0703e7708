// Command observability shows what a site's caches report: traces through
// OpenTelemetry and metrics for Prometheus, of the client and of the cache of
// whole pages.
//
//	cd examples && go run ./observability
//	curl http://127.0.0.1:8082/articles/1       (its spans are printed)
//	curl http://127.0.0.1:8082/articles/1       (and now without the database)
//	curl http://127.0.0.1:8082/pages/imprint    (a page of the response cache)
//	curl http://127.0.0.1:8082/metrics
//
// It runs on the memcached that MEMCACHED_SERVERS names (several are separated
// by commas), with MEMCACHED_USERNAME, MEMCACHED_PASSWORD and MEMCACHED_TLS, or
// on one inside the process.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/otelmemcached"
	"github.com/bmemcached/bmemcached-go/binary/prommemcached"
	"github.com/bmemcached/bmemcached-go/examples/internal/connect"
)

const address = "127.0.0.1:8082"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	gin.SetMode(gin.ReleaseMode)
	// A program in production exports to a collector here (otlptracehttp).
	spans := trace.NewTracerProvider(trace.WithSyncer(&printer{out: os.Stdout}))
	defer func() { _ = spans.Shutdown(context.WithoutCancel(ctx)) }()
	metrics := prometheus.NewRegistry()
	client, stop, err := measured(os.Getenv, spans, metrics)
	if err != nil {
		return err
	}
	defer stop()
	handler, end, err := site(client, spans, metrics)
	if err != nil {
		return err
	}
	defer end()
	server := &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	fmt.Println("http://" + address + "/articles/1, http://" + address + "/pages/imprint and http://" + address + "/metrics")
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// measured returns a client that is traced and measured.
func measured(getenv func(string) string, spans *trace.TracerProvider, metrics *prometheus.Registry) (client *memcached.Client, stop func(), err error) {
	tracer, err := otelmemcached.NewTracer(&otelmemcached.Options{TracerProvider: spans})
	if err != nil {
		return nil, nil, err
	}
	// A client has one Tracer; this one measures, and calls the other.
	durations := prommemcached.NewTracer(&prommemcached.Options{Next: tracer})
	client, stop, err = connect.Client(getenv, &memcached.Options{Tracer: durations})
	if err != nil {
		return nil, nil, err
	}
	metrics.MustRegister(durations, prommemcached.NewCollector(client, nil))
	return client, stop, nil
}
