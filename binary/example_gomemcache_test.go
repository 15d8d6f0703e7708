package memcached_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/placement"
)

// What the methods of gomemcache are here. The examples belong to the guide in
// GOMEMCACHE.md; gomemcache's code is in the comments.

// client := memcache.New("cache-1:11211", "cache-2:11211")
func ExampleNew_gomemcache() {
	servers := []string{"cache-1:11211", "cache-2:11211"}
	f := newFleet(nil, servers...)
	defer f.Close()
	client, err := memcached.New(servers, &memcached.Options{
		DialContext:  f.DialContext,
		Distribution: placement.Gomemcache,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	for _, key := range []string{"red", "green", "blue", "black"} {
		if err := client.Set(context.Background(), &memcached.Item{Key: key}); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(f["cache-1:11211"].Keys(), f["cache-2:11211"].Keys()) // where gomemcache looks for them
	// Output: [black blue] [green red]
}

// client := memcache.NewFromSelector(selector)
func ExampleNew_gomemcacheSelector() {
	servers := []string{"cache-1:11211", "cache-2:11211"}
	f := newFleet(nil, servers...)
	defer f.Close()
	client, err := memcached.New(servers, &memcached.Options{
		DialContext: f.DialContext,
		Distribution: func([]memcached.Server) func(key string) int {
			return func(key string) int { // PickServer
				if strings.HasPrefix(key, "session:") {
					return 0
				}
				return 1
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	for _, key := range []string{"session:1", "page:1"} {
		if err := client.Set(context.Background(), &memcached.Item{Key: key}); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(f["cache-1:11211"].Keys(), f["cache-2:11211"].Keys())
	// Output: [session:1] [page:1]
}

// err := serverList.SetServers("cache-1:11211", "cache-2:11211")
func ExampleClient_SetServers_gomemcache() {
	client, stop := connect()
	defer stop()
	fmt.Println(client.SetServers([]string{"cache-1:11211", "cache-2:11211"}))
	// Output: <nil>
}

// item, err := client.Get("key")
func ExampleClient_Get_gomemcache() {
	client, stop := connect()
	defer stop()
	_, err := client.Get(context.Background(), "key")
	fmt.Println(err == memcached.ErrCacheMiss)
	// Output: true
}

// items, err := client.GetMulti([]string{"a", "b"})
func ExampleClient_GetMulti_gomemcache() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()
	if err := client.Set(ctx, &memcached.Item{Key: "a", Value: []byte("1")}); err != nil {
		log.Fatal(err)
	}
	items, err := client.GetMulti(ctx, []string{"a", "b"})
	fmt.Printf("%s %d %v\n", items["a"].Value, len(items), err)
	// Output: 1 1 <nil>
}

// err := client.Set(&memcache.Item{Key: "key", Value: []byte("value"), Expiration: 60})
func ExampleClient_Set_gomemcache() {
	client, stop := connect()
	defer stop()
	fmt.Println(client.Set(context.Background(), &memcached.Item{Key: "key", Value: []byte("value"), TTL: 60 * time.Second}))
	fmt.Println(client.Set(context.Background(), &memcached.Item{Key: "key", Value: []byte("value"), TTL: 60}))
	// Output:
	// <nil>
	// memcached: set: time to live of 60ns: durations have units, as in 60*time.Second
}

// err := client.Add(&memcache.Item{Key: "key", Value: []byte("value")})
func ExampleClient_Add_gomemcache() {
	client, stop := connect()
	defer stop()
	item := &memcached.Item{Key: "key", Value: []byte("value")}
	ctx := context.Background()
	fmt.Println(client.Replace(ctx, item) == memcached.ErrNotStored, client.Add(ctx, item), client.Add(ctx, item) == memcached.ErrNotStored)
	// Output: true <nil> true
}

// err := client.Append(&memcache.Item{Key: "key", Value: []byte(",b")})
func ExampleClient_Append_gomemcache() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()
	fmt.Println(client.Append(ctx, "key", []byte(",b")) == memcached.ErrNotStored)
	if err := client.Set(ctx, &memcached.Item{Key: "key", Value: []byte("a")}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.Append(ctx, "key", []byte(",b")), client.Prepend(ctx, "key", []byte("_,")))
	// Output:
	// true
	// <nil> <nil>
}

// err := client.CompareAndSwap(item)
func ExampleClient_CompareAndSwap_gomemcache() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()
	item := &memcached.Item{Key: "key", Value: []byte("a")}
	if err := client.Set(ctx, item); err != nil { // sets item.CAS
		log.Fatal(err)
	}
	stale := *item
	fmt.Println(client.CompareAndSwap(ctx, item), client.CompareAndSwap(ctx, &stale) == memcached.ErrCASConflict)
	// Output: <nil> true
}

// err := client.Touch("key", 60)
func ExampleClient_Touch_gomemcache() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()
	if err := client.Set(ctx, &memcached.Item{Key: "key", Value: []byte("value")}); err != nil {
		log.Fatal(err)
	}
	err := client.Touch(ctx, "key", time.Minute)
	item, getErr := client.GetAndTouch(ctx, "key", time.Hour)
	fmt.Printf("%v %s %v\n", err, item.Value, getErr)
	// Output: <nil> value <nil>
}

// err := client.Delete("key")
func ExampleClient_Delete_gomemcache() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()
	fmt.Println(client.Delete(ctx, "key") == memcached.ErrCacheMiss, client.DeleteMulti(ctx, []string{"key", "other"}))
	// Output: true <nil>
}

// n, err := client.Increment("visits", 1)
func ExampleClient_Increment_gomemcache() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()
	_, err := client.Increment(ctx, "visits", 1)
	fmt.Println(err == memcached.ErrCacheMiss)
	fmt.Println(client.IncrementOrSet(ctx, "visits", 1, 1, time.Hour))
	fmt.Println(client.Increment(ctx, "visits", 2))
	fmt.Println(client.Decrement(ctx, "visits", 1))
	// Output:
	// true
	// 1 <nil>
	// 3 <nil>
	// 2 <nil>
}

// err := client.DeleteAll()
func ExampleClient_FlushAll_gomemcache() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()
	fmt.Println(client.Ping(ctx), client.FlushAll(ctx, 0), client.Close())
	fmt.Println(errors.Is(client.Ping(ctx), memcached.ErrClosed))
	// Output:
	// <nil> <nil> <nil>
	// true
}
