package otelmemcached_test

import (
	"context"
	"fmt"
	"log"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/otelmemcached"
)

func Example() {
	server, err := memcachedtest.NewServer(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	// A program has an exporter here, and may make its provider the global one
	// (otel.SetTracerProvider) instead of naming it in Options.
	spans := tracetest.NewSpanRecorder()
	provider := trace.NewTracerProvider(trace.WithSpanProcessor(spans))

	tracer, err := otelmemcached.NewTracer(&otelmemcached.Options{TracerProvider: provider})
	if err != nil {
		log.Fatal(err)
	}
	client, err := memcached.New([]string{server.Addr()}, &memcached.Options{Tracer: tracer})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	ctx, request := provider.Tracer("example").Start(context.Background(), "GET /article")
	_, _ = client.Get(ctx, "article:1")
	_ = client.Set(ctx, &memcached.Item{Key: "article:1", Value: []byte("…")})
	_, _ = client.GetMulti(ctx, []string{"article:1", "article:2"})
	request.End()

	for _, span := range spans.Ended() {
		fmt.Printf("%s (%v), answer %q\n", span.Name(), span.SpanKind(), value(span.Attributes(), "memcached.answer"))
	}
	// Output:
	// get (client), answer "miss"
	// set (client), answer ""
	// get_multi (client), answer ""
	// GET /article (internal), answer ""
}

func ExampleObserve() {
	server, err := memcachedtest.NewServer(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client, err := memcached.New([]string{server.Addr()}, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	// With nil options it is the global provider (otel.SetMeterProvider).
	registration, err := otelmemcached.Observe(client, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(registration.Unregister())
	// Output:
	// <nil>
}
