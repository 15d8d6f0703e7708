package memcached_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// The client section of the README, which shows parts of it.
func Example_readme() {
	f := newFleet(&memcachedtest.Options{Users: map[string]string{"app": "secret"}}, "cache-1:11211", "cache-2:11211")
	defer f.Close()
	os.Setenv("MEMCACHED_USERNAME", "app")
	os.Setenv("MEMCACHED_PASSWORD", "secret")
	ctx, data, keys := context.Background(), []byte("Ada"), []string{"user:42", "user:43"}

	client, err := memcached.New([]string{"cache-1:11211", "cache-2:11211"}, &memcached.Options{
		Auth:        sasl.Auto(os.Getenv("MEMCACHED_USERNAME"), os.Getenv("MEMCACHED_PASSWORD")),
		DialContext: f.DialContext,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	err = client.Set(ctx, &memcached.Item{Key: "user:42", Value: data, TTL: time.Hour})
	if err != nil {
		log.Fatal(err)
	}
	item, err := client.Get(ctx, "user:42")
	switch {
	case err == nil:
		fmt.Printf("%s\n", item.Value)
	case err == memcached.ErrCacheMiss: // an answer
		fmt.Println("not there")
	case errors.Is(err, memcached.ErrAuth): // a wrong password, or none
		log.Fatal(err)
	default: // a fault, or a context that ended: go on without the cache
		log.Print(err)
	}

	items, err := client.GetMulti(ctx, keys) // one pipelined batch per server
	if err != nil {
		log.Print(err) // what the others answered is in items all the same
	}
	fmt.Println(len(items), "of", len(keys))
	// Output:
	// Ada
	// 1 of 2
}

// The test section of the README: Intercept before the client has connected.
func Example_readmeTest() {
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

	server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
		if r.Op == memcachedtest.OpSet { // connecting and reading go on
			return memcachedtest.Action{Status: memcached.StatusOutOfMemory}
		}
		return memcachedtest.Action{}
	})
	_, err = client.Get(ctx, "user:42")
	fmt.Println(err)
	var status *memcached.StatusError
	err = client.Set(ctx, &memcached.Item{Key: "user:42", Value: []byte("Ada"), TTL: time.Minute})
	fmt.Println(errors.As(err, &status) && status.Status == memcached.StatusOutOfMemory)
	// Output:
	// memcached: cache miss
	// true
}
