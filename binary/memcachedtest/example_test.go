package memcachedtest_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	memcached "github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// In a test, memcachedtest.Start(t, nil) does the same in one line.
func Example() {
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

	ctx := context.Background()
	item := &memcached.Item{Key: "greeting", Value: []byte("hello"), TTL: time.Minute}
	if err := client.Set(ctx, item); err != nil {
		log.Fatal(err)
	}
	fmt.Println(server.Keys())

	server.Advance(2 * time.Minute)
	_, err = client.Get(ctx, "greeting")
	fmt.Println(err)
	// Output:
	// [greeting]
	// memcached: cache miss
}

func ExampleServer_Intercept() {
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

	server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
		if r.Op == "SET" {
			return memcachedtest.Action{Status: 0x82} // out of memory
		}
		return memcachedtest.Action{}
	})
	err = client.Set(context.Background(), &memcached.Item{Key: "k", Value: []byte("v")})
	var status *memcached.StatusError
	if errors.As(err, &status) {
		fmt.Println(status.Status, "after", server.RequestCount("SET"), "attempt")
	}
	// Output:
	// out of memory after 1 attempt
}

// A server that demands authentication, over TLS.
func ExampleTLSConfig() {
	serverTLS, clientTLS, err := memcachedtest.TLSConfig()
	if err != nil {
		log.Fatal(err)
	}
	server, err := memcachedtest.NewServer(&memcachedtest.Options{
		Users: map[string]string{"app": "secret"},
		TLS:   serverTLS,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client, err := memcached.New([]string{server.Addr()}, &memcached.Options{
		Auth: sasl.Auto("app", "secret"),
		TLS:  clientTLS,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	fmt.Println(client.Ping(context.Background()))
	// Output:
	// <nil>
}
