package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/trace"

	"github.com/bmemcached/bmemcached-go/binary"
)

// articles serves articles from the cache, or else from a database.
type articles struct {
	cache  *memcached.Client
	tracer trace.Tracer
}

// site returns all pages. What stop ends needs the client: the caller calls it
// before it closes that.
func site(client *memcached.Client, spans trace.TracerProvider, metrics *prometheus.Registry) (all http.Handler, stop func(), err error) {
	a := &articles{cache: client, tracer: spans.Tracer("site")}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /articles/{id}", a.show)
	whole, cache, err := pages(client, metrics)
	if err != nil {
		return nil, nil, err
	}
	mux.Handle("/pages/", whole)
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	return mux, func() { _ = cache.Close() }, nil
}

// show answers with an article. What goes wrong with the cache is seen in the
// traces, and not by the visitor.
func (a *articles) show(w http.ResponseWriter, r *http.Request) {
	ctx, span := a.tracer.Start(r.Context(), "GET /articles/{id}", trace.WithSpanKind(trace.SpanKindServer))
	defer span.End()
	key := memcached.SafeKey("article:", r.PathValue("id"))
	if item, err := a.cache.Get(ctx, key); err == nil {
		_, _ = w.Write(item.Value)
		return
	}
	text := a.load(ctx, r.PathValue("id"))
	_ = a.cache.Set(ctx, &memcached.Item{Key: key, Value: text, TTL: time.Minute})
	_, _ = w.Write(text)
}

// load stands for a query that takes its time.
func (a *articles) load(ctx context.Context, id string) []byte {
	_, span := a.tracer.Start(ctx, "SELECT article", trace.WithSpanKind(trace.SpanKindClient))
	defer span.End()
	time.Sleep(20 * time.Millisecond)
	return fmt.Appendf(nil, "Article %q, from the database.\n", id)
}
