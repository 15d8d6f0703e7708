package memcached_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strconv"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/placement"
)

// Many keys cost one pipelined batch per server, whatever their number.
func ExampleClient_GetMulti() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()

	err := client.SetMulti(ctx, []*memcached.Item{
		{Key: "user:1", Value: []byte("Ada"), TTL: time.Hour},
		{Key: "user:2", Value: []byte("Grace"), TTL: time.Hour},
	})
	if err != nil {
		log.Fatal(err)
	}
	keys := []string{"user:1", "user:2", "user:3"}
	items, err := client.GetMulti(ctx, keys)
	if err != nil {
		log.Fatal(err)
	}
	for _, key := range keys {
		if item, ok := items[key]; ok {
			fmt.Printf("%s is %s\n", key, item.Value)
		} else {
			fmt.Println(key, "is not there")
		}
	}
	// Output:
	// user:1 is Ada
	// user:2 is Grace
	// user:3 is not there
}

func ExampleClient_SetMulti() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()

	var items []*memcached.Item
	for i := range 1000 {
		n := strconv.Itoa(i)
		items = append(items, &memcached.Item{Key: "square:" + n, Value: []byte(strconv.Itoa(i * i)), TTL: time.Minute})
	}
	fmt.Println(client.SetMulti(ctx, items))
	item, err := client.Get(ctx, "square:31")
	fmt.Println(string(item.Value), err)
	// Output:
	// <nil>
	// 961 <nil>
}

func ExampleClient_DeleteMulti() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()

	if err := client.Set(ctx, &memcached.Item{Key: "user:1", Value: []byte("Ada")}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.DeleteMulti(ctx, []string{"user:1", "user:2"})) // one that is not there is no error
	_, err := client.Get(ctx, "user:1")
	fmt.Println(err)
	// Output:
	// <nil>
	// memcached: cache miss
}

// A server that fails costs its own keys, not those of the others.
func ExampleMultiError() {
	f := newFleet(nil, "cache-1:11211", "cache-2:11211")
	defer f.Close()
	client, err := memcached.New([]string{"cache-1:11211", "cache-2:11211"}, &memcached.Options{
		DialContext:  f.DialContext,
		Distribution: placement.Gomemcache,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx := context.Background()

	keys := []string{"a", "b", "d", "g"}
	for _, key := range keys {
		if err := client.Set(ctx, &memcached.Item{Key: key, Value: []byte("value of " + key)}); err != nil {
			log.Fatal(err)
		}
	}
	f["cache-2:11211"].Stop()

	items, err := client.GetMulti(ctx, keys)
	failed := map[string]error{}
	if multi := (*memcached.MultiError)(nil); errors.As(err, &multi) {
		failed = multi.Errors
	}
	for _, key := range keys {
		switch {
		case items[key] != nil:
			fmt.Printf("%s: %s\n", key, items[key].Value)
		case failed[key] != nil:
			fmt.Printf("%s: unavailable %v\n", key, errors.Is(failed[key], memcached.ErrUnavailable))
		default:
			fmt.Printf("%s: a miss\n", key)
		}
	}
	// Output:
	// a: unavailable true
	// b: unavailable true
	// d: value of d
	// g: value of g
}

// Counters are decimal text that the server adds to, so that no increment is
// lost, whoever else counts.
func ExampleClient_Increment() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()

	_, err := client.Increment(ctx, "visits", 1)
	fmt.Println(err)
	if err := client.Set(ctx, &memcached.Item{Key: "visits", Value: []byte("41")}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.Increment(ctx, "visits", 1))
	// Output:
	// memcached: cache miss
	// 42 <nil>
}

func ExampleClient_Decrement() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()

	if err := client.Set(ctx, &memcached.Item{Key: "stock", Value: []byte("1")}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.Decrement(ctx, "stock", 1))
	fmt.Println(client.Decrement(ctx, "stock", 1)) // it stops at 0
	// Output:
	// 0 <nil>
	// 0 <nil>
}

// At most three requests a minute: the first creates the counter with its time
// to live, which counting leaves alone.
func ExampleClient_IncrementOrSet() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()

	for range 4 {
		n, err := client.IncrementOrSet(ctx, "rate:10.0.0.1", 1, 1, time.Minute)
		fmt.Println(n, n <= 3, err)
	}
	// Output:
	// 1 true <nil>
	// 2 true <nil>
	// 3 true <nil>
	// 4 false <nil>
}

func ExampleClient_DecrementOrSet() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()

	for range 3 { // of ten seats
		fmt.Println(client.DecrementOrSet(ctx, "seats", 1, 9, time.Hour))
	}
	// Output:
	// 9 <nil>
	// 8 <nil>
	// 7 <nil>
}

// Read, change, write if nobody else has written: the loop for changes that the
// server cannot make by itself.
func ExampleClient_CompareAndSwap() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()

	if err := client.Set(ctx, &memcached.Item{Key: "tags", Value: []byte("go")}); err != nil {
		log.Fatal(err)
	}
	add := func(tag string) error {
		for {
			item, err := client.Get(ctx, "tags")
			if err != nil {
				return err
			}
			item.Value = append(item.Value, ","+tag...)
			err = client.CompareAndSwap(ctx, item)
			if err != memcached.ErrCASConflict {
				return err
			}
		}
	}
	fmt.Println(add("cache"), add("sasl"))
	item, err := client.Get(ctx, "tags")
	fmt.Println(string(item.Value), err)

	// Whoever comes too late is told so.
	stale := *item
	if err := add("gin"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.CompareAndSwap(ctx, &stale))
	// Output:
	// <nil> <nil>
	// go,cache,sasl <nil>
	// memcached: compare-and-swap conflict
}

// A lock is released by its holder alone, even if it expired meanwhile and
// another has it.
func ExampleClient_CompareAndDelete() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()

	if err := client.Set(ctx, &memcached.Item{Key: "lock", Value: []byte("mine")}); err != nil {
		log.Fatal(err)
	}
	mine, err := client.Get(ctx, "lock")
	if err != nil {
		log.Fatal(err)
	}
	if err := client.Set(ctx, &memcached.Item{Key: "lock", Value: []byte("another's")}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.CompareAndDelete(ctx, "lock", mine.CAS))
	// Output: memcached: compare-and-swap conflict
}

func ExampleClient_FlushAll() {
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

	if err := client.Set(ctx, &memcached.Item{Key: "user:42", Value: []byte("Ada")}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.FlushAll(ctx, 0), len(server.Keys()), "keys")
	// Output: <nil> 0 keys
}
