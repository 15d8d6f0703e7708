package prommemcached_test

import (
	"context"
	"fmt"
	"log"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/prommemcached"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

func Example() {
	server, err := memcachedtest.NewServer(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	tracer := prommemcached.NewTracer(nil)
	client, err := memcached.New([]string{server.Addr()}, &memcached.Options{Tracer: tracer})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	registry := prometheus.NewRegistry() // a program serves it with promhttp
	registry.MustRegister(prommemcached.NewCollector(client, nil), tracer)

	ctx := context.Background()
	_ = client.Set(ctx, &memcached.Item{Key: "article:1", Value: []byte("…")})
	_, _ = client.GetMulti(ctx, []string{"article:1", "article:2"})

	families, err := registry.Gather()
	if err != nil {
		log.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			switch family.GetName() {
			case "memcached_client_gets_total":
				fmt.Println("gets:", m.GetLabel()[0].GetValue(), m.GetCounter().GetValue())
			case "memcached_client_operation_duration_seconds":
				fmt.Println("operation:", m.GetLabel()[0].GetValue(), m.GetLabel()[1].GetValue(), m.GetHistogram().GetSampleCount())
			}
		}
	}
	// Output:
	// gets: failed 0
	// gets: hit 1
	// gets: miss 1
	// operation: get_multi ok 1
	// operation: set ok 1
}

// The servers' own numbers, of servers that ask for a password.
func ExampleNewServerCollector() {
	server, err := memcachedtest.NewServer(&memcachedtest.Options{Users: map[string]string{"app": "secret"}})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client, err := memcached.New([]string{server.Addr()}, &memcached.Options{Auth: sasl.Auto("app", "secret")})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	_ = client.Set(context.Background(), &memcached.Item{Key: "article:1"})

	registry := prometheus.NewRegistry()
	registry.MustRegister(prommemcached.NewServerCollector(client, nil))
	families, err := registry.Gather()
	if err != nil {
		log.Fatal(err)
	}
	for _, family := range families {
		if name := family.GetName(); name == "memcached_up" || name == "memcached_current_items" {
			fmt.Println(name, family.GetMetric()[0].GetGauge().GetValue())
		}
	}
	// Output:
	// memcached_current_items 1
	// memcached_up 1
}
