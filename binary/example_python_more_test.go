package memcached_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/codec/bmemcached"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// client.set_servers(('cache-2:11211', 'cache-3:11211'))
func ExampleClient_SetServers_python() {
	f := newFleet(nil, "cache-1:11211", "cache-2:11211", "cache-3:11211")
	defer f.Close()
	client, err := memcached.New([]string{"cache-1:11211"}, &memcached.Options{Replicate: true, DialContext: f.DialContext})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	if err := client.SetServers([]string{"cache-2:11211", "cache-3:11211"}); err != nil {
		log.Fatal(err)
	}
	err = client.Set(context.Background(), python("greeting", "hello", 0))
	fmt.Println(err, f["cache-1:11211"].Keys(), f["cache-2:11211"].Keys(), f["cache-3:11211"].Keys())
	// Output: <nil> [] [greeting] [greeting]
}

// Protocol.split_host_port('cache-1'): ('cache-1', 11211)
func ExampleNew_pythonServers() {
	for _, server := range []string{"cache-1", "cache-1:11212", "[::1]:11211", "::1", "/run/memcached.sock"} {
		client, err := memcached.New([]string{server}, nil)
		if err != nil {
			log.Fatal(err)
		}
		client.Close()
	}
	_, err := memcached.New([]string{"cache-1:99999"}, nil)
	fmt.Println(err)
	// Output:
	// memcached: server "cache-1:99999": want a port from 1 to 65535
}

// What Protocol.serialize and Protocol.deserialize do: types in the flags, zlib
// above COMPRESSION_THRESHOLD.
func Example_pythonValues() {
	for _, value := range []any{"héllo", []byte{0, 1, 255}, 42, strings.Repeat("abc ", 100)} {
		data, flags, err := bmemcached.Serialize(value)
		if err != nil {
			log.Fatal(err)
		}
		back, err := bmemcached.Deserialize(data, flags)
		fmt.Printf("%-8T flags %2d, %2d bytes, comes back as %T %v\n", value, flags, len(data), back, err)
	}
	// Output:
	// string   flags  0,  6 bytes, comes back as string <nil>
	// []uint8  flags 16,  3 bytes, comes back as []uint8 <nil>
	// int      flags  2,  2 bytes, comes back as int64 <nil>
	// string   flags  8, 17 bytes, comes back as string <nil>
}

// What Python pickles (a list, a dict, a float, None) is not unpickled here: a
// pickle is a program. The bytes are there for whoever has a reader of data.
func Example_pythonPickle() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()

	// client.set('numbers', [1, 2]) in Python
	pickled := &memcached.Item{Key: "numbers", Value: []byte("(lp0\nI1\naI2\na."), Flags: bmemcached.FlagPickle}
	if err := client.Set(ctx, pickled); err != nil {
		log.Fatal(err)
	}
	item, err := client.Get(ctx, "numbers")
	if err != nil {
		log.Fatal(err)
	}
	_, err = bmemcached.Deserialize(item.Value, item.Flags)
	var pickle *bmemcached.PickleError
	fmt.Println(errors.As(err, &pickle), errors.Is(err, bmemcached.ErrPickle), len(pickle.Data))
	// Output: true true 14
}

// InvalidCredentials, AuthenticationNotSupported, MemcachedException and a
// server that is down, which Python's get tells as None.
func Example_pythonErrors() {
	f := newFleet(&memcachedtest.Options{Users: map[string]string{"app": "secret"}}, "cache-1:11211")
	defer f.Close()
	open := newFleet(nil, "open:11211")
	defer open.Close()
	f["open:11211"] = open["open:11211"]
	ctx := context.Background()

	get := func(server, password string) error {
		client, err := memcached.New([]string{server}, &memcached.Options{
			Auth:        sasl.Auto("app", password),
			DialContext: f.DialContext,
		})
		if err != nil {
			log.Fatal(err)
		}
		defer client.Close()
		_, err = client.Get(ctx, "greeting")
		return err
	}
	fmt.Println(get("cache-1:11211", "guess"))
	fmt.Println(get("open:11211", "secret"))
	fmt.Println(get("cache-1:11211", "secret"))
	f["cache-1:11211"].Stop()
	fmt.Println(errors.Is(get("cache-1:11211", "secret"), memcached.ErrUnavailable))
	// Output:
	// memcached: get on cache-1:11211: authentication failed: the server refused the credentials (SCRAM-SHA-256)
	// memcached: get on open:11211: authentication failed: the server does not offer SASL (memcached -S): leave Options.Auth nil, which connects without credentials
	// memcached: cache miss
	// true
}

// Django puts KEY_PREFIX and the version before each key:
//
//	CACHES = {'default': {
//	    'BACKEND': 'django_bmemcached.memcached.BMemcached',
//	    'LOCATION': 'cache-1:11211',
//	    'KEY_PREFIX': 'shop',
//	    'OPTIONS': {'username': 'app', 'password': 'secret'},
//	}}
//	cache.set('user:42', 'Ada', timeout=300)
func Example_django() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()

	// django.core.cache.backends.base.default_key_func
	djangoKey := func(key string) string { return fmt.Sprintf("%s:%d:%s", "shop", 1, key) }

	// Written here, cache.get('user:42') finds it in Django.
	if err := client.Set(ctx, python(djangoKey("user:42"), "Ada", 300*time.Second)); err != nil {
		log.Fatal(err)
	}
	// And what cache.set('visits', 7) stored there, Go finds.
	stored := &memcached.Item{Key: "shop:1:visits", Value: []byte("7"), Flags: bmemcached.FlagInteger}
	if err := client.Set(ctx, stored); err != nil {
		log.Fatal(err)
	}
	for _, key := range []string{"user:42", "visits"} {
		item, err := client.Get(ctx, djangoKey(key))
		if err != nil {
			log.Fatal(err)
		}
		value, err := bmemcached.Deserialize(item.Value, item.Flags)
		fmt.Printf("%s: %T %v %v\n", item.Key, value, value, err)
	}
	// Output:
	// shop:1:user:42: string Ada <nil>
	// shop:1:visits: int64 7 <nil>
}
