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
// It uses the servers that MEMCACHED_SERVERS names (several are separated by
// commas), with MEMCACHED_USERNAME and MEMCACHED_PASSWORD, or starts a server
// of its own when there are none.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/otelmemcached"
	"github.com/bmemcached/bmemcached-go/binary/prommemcached"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
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
	client, stop, err := connect(os.Getenv, spans, metrics)
	if err != nil {
		return err
	}
	defer stop()
	handler, end := site(client, spans, metrics)
	defer end()
	server := &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	fmt.Println("http://" + address + "/articles/1, http://" + address + "/pages/imprint and http://" + address + "/metrics")
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// connect returns a client of the servers in the environment, or of one inside
// this process, that is traced and measured.
func connect(getenv func(string) string, spans *trace.TracerProvider, metrics *prometheus.Registry) (client *memcached.Client, stop func(), err error) {
	tracer, err := otelmemcached.NewTracer(&otelmemcached.Options{TracerProvider: spans})
	if err != nil {
		return nil, nil, err
	}
	// A client has one Tracer; this one measures, and calls the other.
	durations := prommemcached.NewTracer(&prommemcached.Options{Next: tracer})
	opts := &memcached.Options{Tracer: durations}
	addrs, end, err := servers(getenv, opts)
	if err != nil {
		return nil, nil, err
	}
	if client, err = memcached.New(addrs, opts); err != nil {
		end()
		return nil, nil, err
	}
	metrics.MustRegister(durations, prommemcached.NewCollector(client, nil))
	return client, func() {
		_ = client.Close()
		end()
	}, nil
}

// servers returns what the environment names, or a server inside this process,
// which stop ends.
func servers(getenv func(string) string, opts *memcached.Options) (addrs []string, stop func(), err error) {
	if env := getenv("MEMCACHED_SERVERS"); env != "" {
		if user := getenv("MEMCACHED_USERNAME"); user != "" {
			opts.Auth = sasl.Auto(user, getenv("MEMCACHED_PASSWORD"))
		}
		return strings.Split(env, ","), func() {}, nil
	}
	server, err := memcachedtest.NewServer(nil)
	if err != nil {
		return nil, nil, err
	}
	return []string{server.Addr()}, server.Close, nil
}
