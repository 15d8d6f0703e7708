package memcachedtest_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
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
		if r.Op == memcachedtest.OpSet {
			return memcachedtest.Action{Status: memcached.StatusOutOfMemory}
		}
		return memcachedtest.Action{}
	})
	err = client.Set(context.Background(), &memcached.Item{Key: "k", Value: []byte("v")})
	var status *memcached.StatusError
	if errors.As(err, &status) {
		fmt.Println(status.Status, "after", server.RequestCount(memcachedtest.OpSet), "attempt")
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

// Advance lets items expire without waiting.
func ExampleServer_Advance() {
	server, err := memcachedtest.NewServer(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	server.SetItem(&memcached.Item{Key: "token", Value: []byte("…"), TTL: time.Hour})

	server.Advance(59 * time.Minute)
	_, there := server.Item("token")
	fmt.Println(there)
	server.Advance(2 * time.Minute)
	_, there = server.Item("token")
	fmt.Println(there)
	// Output:
	// true
	// false
}

// A server goes away, and comes back empty.
func ExampleServer_Restart() {
	server, err := memcachedtest.NewServer(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client, err := memcached.New([]string{server.Addr()}, &memcached.Options{RetryAfter: time.Millisecond})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx := context.Background()
	if err := client.Set(ctx, &memcached.Item{Key: "greeting", Value: []byte("hello")}); err != nil {
		log.Fatal(err)
	}

	server.Stop()
	_, err = client.Get(ctx, "greeting")
	fmt.Println(errors.Is(err, memcached.ErrUnavailable))

	if err := server.Restart(); err != nil {
		log.Fatal(err)
	}
	for errors.Is(err, memcached.ErrUnavailable) {
		_, err = client.Get(ctx, "greeting")
	}
	fmt.Println(err)
	// Output:
	// true
	// memcached: cache miss
}

// Requests tell what arrived: here that many keys are one batch of quiet
// requests, ended by one that is not.
func ExampleServer_Requests() {
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
	if err := client.Ping(context.Background()); err != nil {
		log.Fatal(err)
	}

	server.ForgetRequests()
	if _, err := client.GetMulti(context.Background(), []string{"a", "b", "c"}); err != nil {
		log.Fatal(err)
	}
	for _, r := range server.Requests() {
		fmt.Println(r.Op, r.Key)
	}
	// Output:
	// GETKQ a
	// GETKQ b
	// GETK c
}

// Several servers, reached in memory: inside a testing/synctest bubble too.
func ExampleDialer() {
	one, err := memcachedtest.NewServer(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer one.Close()
	two, err := memcachedtest.NewServer(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer two.Close()

	client, err := memcached.New([]string{one.Addr(), two.Addr()}, &memcached.Options{
		DialContext: memcachedtest.Dialer(one, two),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	fmt.Println(client.Ping(context.Background()))
	// Output: <nil>
}
