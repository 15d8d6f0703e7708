package memcached_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// fleet are servers inside this process under the names that the examples use.
// A program leaves Options.DialContext out, and its names lead to real servers.
type fleet map[string]*memcachedtest.Server

func newFleet(opts *memcachedtest.Options, names ...string) fleet {
	f := fleet{}
	for _, name := range names {
		server, err := memcachedtest.NewServer(opts)
		if err != nil {
			log.Fatal(err)
		}
		f[name] = server
	}
	return f
}

func (f fleet) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return f[address].DialContext(ctx, network, address)
}

func (f fleet) Close() {
	for _, server := range f {
		server.Close()
	}
}

// connect returns a client of one server inside this process.
func connect() (client *memcached.Client, stop func()) {
	f := newFleet(nil, "cache-1:11211")
	client, err := memcached.New([]string{"cache-1:11211"}, &memcached.Options{DialContext: f.DialContext})
	if err != nil {
		log.Fatal(err)
	}
	return client, func() {
		client.Close()
		f.Close()
	}
}

func Example() {
	// In a test or a demonstration a server can run inside the process.
	server, err := memcachedtest.NewServer(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	// One client for the whole program: it is safe for concurrent use.
	client, err := memcached.New([]string{server.Addr()}, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx := context.Background()

	err = client.Set(ctx, &memcached.Item{Key: "user:42", Value: []byte("Ada"), TTL: time.Hour})
	if err != nil {
		log.Fatal(err)
	}
	item, err := client.Get(ctx, "user:42")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", item.Value)
	// Output: Ada
}

// New checks its arguments and connects on first use.
func ExampleNew() {
	client, err := memcached.New([]string{
		"cache-1",                // port 11211
		"cache-2:11212",          // host and port
		"[2001:db8::1]:11211",    // IPv6
		"/run/memcached.sock",    // a Unix socket
		"tcp://cache-3:11211",    // the same as cache-3:11211
		"unix:///run/other.sock", // the same as /run/other.sock
	}, &memcached.Options{Timeout: 200 * time.Millisecond})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	_, err = memcached.New([]string{"cache-1:memcached"}, nil)
	fmt.Println(err != nil)
	// Output: true
}

// A miss is an answer, not a fault: it comes bare, and the code that asks the
// database and fills the cache is short.
func ExampleClient_Get() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()

	name := func(key string) (string, error) {
		item, err := client.Get(ctx, key)
		if err == nil {
			return string(item.Value), nil
		}
		if err != memcached.ErrCacheMiss {
			log.Print(err) // the cache is down: go on without it
		}
		name := "Ada" // from the database
		return name, client.Set(ctx, &memcached.Item{Key: key, Value: []byte(name), TTL: time.Minute})
	}
	for range 2 {
		fmt.Println(name("user:42"))
	}
	fmt.Println(client.Stats().Misses, "miss,", client.Stats().Hits, "hit")
	// Output:
	// Ada <nil>
	// Ada <nil>
	// 1 miss, 1 hit
}

func ExampleClient_Set() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()

	err := client.Set(ctx, &memcached.Item{
		Key:   "page:/about",
		Value: []byte("<html>…"),
		Flags: 7,                   // kept with the value, for whoever reads it
		TTL:   90 * 24 * time.Hour, // above 30 days works
	})
	if err != nil {
		log.Fatal(err)
	}
	item, err := client.Get(ctx, "page:/about")
	fmt.Println(string(item.Value), item.Flags, err)
	// Output: <html>… 7 <nil>
}

// Add is a lock that expires by itself: one of many gets it.
func ExampleClient_Add() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()

	for _, worker := range []string{"a", "b"} {
		err := client.Add(ctx, &memcached.Item{Key: "lock:report", Value: []byte(worker), TTL: time.Minute})
		switch err {
		case nil:
			fmt.Println(worker, "makes the report")
		case memcached.ErrNotStored:
			fmt.Println(worker, "leaves it to the other")
		default:
			log.Fatal(err)
		}
	}
	// Output:
	// a makes the report
	// b leaves it to the other
}

func ExampleClient_Replace() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()

	item := &memcached.Item{Key: "user:42", Value: []byte("Ada")}
	fmt.Println(client.Replace(ctx, item))
	fmt.Println(client.Set(ctx, item))
	fmt.Println(client.Replace(ctx, item))
	// Output:
	// memcached: item not stored
	// <nil>
	// <nil>
}

// Append and Prepend change a value on the server, without reading it.
func ExampleClient_Append() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()

	fmt.Println(client.Append(ctx, "log", []byte("lost")))
	if err := client.Set(ctx, &memcached.Item{Key: "log", Value: []byte("b")}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.Append(ctx, "log", []byte("c")), client.Prepend(ctx, "log", []byte("a")))
	item, err := client.Get(ctx, "log")
	fmt.Println(string(item.Value), err)
	// Output:
	// memcached: item not stored
	// <nil> <nil>
	// abc <nil>
}

func ExampleClient_Touch() {
	f := newFleet(nil, "cache-1:11211")
	defer f.Close()
	client, err := memcached.New([]string{"cache-1:11211"}, &memcached.Options{DialContext: f.DialContext})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx := context.Background()

	if err := client.Set(ctx, &memcached.Item{Key: "draft", Value: []byte("…"), TTL: time.Minute}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.Touch(ctx, "draft", time.Hour))
	f["cache-1:11211"].Advance(30 * time.Minute) // the clock of the server
	_, err = client.Get(ctx, "draft")
	fmt.Println(err)
	fmt.Println(client.Touch(ctx, "nothing", time.Hour))
	// Output:
	// <nil>
	// <nil>
	// memcached: cache miss
}

// GetAndTouch keeps what is in use: one round trip reads a value and prolongs
// its life.
func ExampleClient_GetAndTouch() {
	f := newFleet(nil, "cache-1:11211")
	defer f.Close()
	client, err := memcached.New([]string{"cache-1:11211"}, &memcached.Options{DialContext: f.DialContext})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx := context.Background()

	if err := client.Set(ctx, &memcached.Item{Key: "cart", Value: []byte("2 prints"), TTL: 20 * time.Minute}); err != nil {
		log.Fatal(err)
	}
	for range 3 { // an hour, in three visits
		f["cache-1:11211"].Advance(15 * time.Minute)
		item, err := client.GetAndTouch(ctx, "cart", 20*time.Minute)
		fmt.Println(string(item.Value), err)
	}
	// Output:
	// 2 prints <nil>
	// 2 prints <nil>
	// 2 prints <nil>
}

// AppendValue reads into memory that the caller has already.
func ExampleClient_AppendValue() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()

	if err := client.Set(ctx, &memcached.Item{Key: "greeting", Value: []byte("hello")}); err != nil {
		log.Fatal(err)
	}
	buffer := make([]byte, 0, 4096)
	for range 2 {
		value, flags, err := client.AppendValue(ctx, buffer[:0], "greeting")
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s %d\n", value, flags) // value is valid until buffer is used again
	}
	// Output:
	// hello 0
	// hello 0
}

func ExampleClient_Delete() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()

	if err := client.Set(ctx, &memcached.Item{Key: "user:42", Value: []byte("Ada")}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.Delete(ctx, "user:42"))
	fmt.Println(client.Delete(ctx, "user:42"))
	// Output:
	// <nil>
	// memcached: cache miss
}

func ExampleClient_Close() {
	client, stop := connect()
	defer stop()

	fmt.Println(client.Close(), client.Close()) // closing again is no error
	_, err := client.Get(context.Background(), "key")
	fmt.Println(err)
	// Output:
	// <nil> <nil>
	// memcached: get on cache-1:11211: client is closed
}
