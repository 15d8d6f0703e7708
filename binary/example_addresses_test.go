package memcached_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// A URL, as in MEMCACHED_URL, holds servers, credentials and options.
func ExampleParseURL() {
	servers, opts, err := memcached.ParseURL("memcached://app:p%40ss@cache-1:11211,cache-2/?timeout=500ms&tls=true")
	if err != nil {
		log.Fatal(err)
	}
	opts.MaxConns = 4
	client, err := memcached.New(servers, opts)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	fmt.Println(servers, opts.Auth, opts.Timeout, opts.TLS != nil)
	// Output: [cache-1:11211 cache-2] sasl:AUTO 500ms true
}

// A list of servers, as in MEMCACHIER_SERVERS, can have weights.
func ExampleParseServers() {
	servers, weights, err := memcached.ParseServers("mc1.example.com:11211,mc2.example.com:11211:2")
	if err != nil {
		log.Fatal(err)
	}
	client, err := memcached.New(servers, &memcached.Options{Weights: weights})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	fmt.Println(servers, weights)
	// Output: [mc1.example.com:11211 mc2.example.com:11211] map[mc2.example.com:11211:2]
}

// One large read gets more time than the client's other operations.
func ExampleWithTimeout() {
	server, err := memcachedtest.NewServer(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client, err := memcached.New([]string{server.Addr()}, &memcached.Options{Timeout: 100 * time.Millisecond})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	items, err := client.GetMulti(memcached.WithTimeout(context.Background(), 10*time.Second), []string{"a", "b"})
	fmt.Println(len(items), err)
	// Output: 0 <nil>
}
