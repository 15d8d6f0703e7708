package memcached_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/codec/bmemcached"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/placement"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// What the methods of python-binary-memcached are here. The examples belong to
// the guide in PYTHON.md; the Python code is in the comments.

// python makes an item of a value as python-binary-memcached stores it.
func python(key string, value any, ttl time.Duration) *memcached.Item {
	data, flags, err := bmemcached.Codec{}.Encode(value)
	if err != nil {
		log.Fatal(err)
	}
	return &memcached.Item{Key: key, Value: data, Flags: flags, TTL: ttl}
}

// client = bmemcached.Client(('cache-1:11211', 'cache-2:11211'), 'app', 'secret')
func ExampleNew_python() {
	f := newFleet(&memcachedtest.Options{Users: map[string]string{"app": "secret"}}, "cache-1:11211", "cache-2:11211")
	defer f.Close()
	client, err := memcached.New([]string{"cache-1:11211", "cache-2:11211"}, &memcached.Options{
		Auth:        sasl.Auto("app", "secret"),
		Replicate:   true,
		DialContext: f.DialContext,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	err = client.Set(context.Background(), python("greeting", "hello", 0))
	fmt.Println(err, f["cache-1:11211"].Keys(), f["cache-2:11211"].Keys())
	// Output: <nil> [greeting] [greeting]
}

// client = bmemcached.DistributedClient(('cache-1:11211', 'cache-2:11211'), 'app', 'secret')
func ExampleNew_distributedClient() {
	f := newFleet(&memcachedtest.Options{Users: map[string]string{"app": "secret"}}, "cache-1:11211", "cache-2:11211")
	defer f.Close()
	client, err := memcached.New([]string{"cache-1:11211", "cache-2:11211"}, &memcached.Options{
		Auth:         sasl.Auto("app", "secret"),
		Distribution: placement.BMemcached("app", "secret"),
		DialContext:  f.DialContext,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	for i := range 6 {
		if err := client.Set(context.Background(), python(fmt.Sprintf("key:%d", i), i, 0)); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(f["cache-1:11211"].Keys())
	fmt.Println(f["cache-2:11211"].Keys())
	// Output:
	// [key:0 key:2 key:3]
	// [key:1 key:4 key:5]
}

// The ring of DistributedClient hashes the credentials along: a new password
// moves keys.
func ExampleDistribution_newPassword() {
	servers := []memcached.Server{
		{Addr: "cache-1:11211", Weight: 1},
		{Addr: "cache-2:11211", Weight: 1},
		{Addr: "cache-3:11211", Weight: 1},
	}
	before := placement.BMemcached("app", "of May")(servers)
	after := placement.BMemcached("app", "of June")(servers)
	moved := 0
	for i := range 3000 {
		if key := fmt.Sprintf("key:%d", i); before(key) != after(key) {
			moved++
		}
	}
	fmt.Println("two thirds:", moved > 1700 && moved < 2300)
	// Output: two thirds: true
}

// client.set('greeting', 'hello', time=100)
func ExampleClient_Set_python() {
	client, stop := connect()
	defer stop()

	data, flags, err := bmemcached.Codec{}.Encode("hello")
	if err != nil {
		log.Fatal(err)
	}
	err = client.Set(context.Background(), &memcached.Item{Key: "greeting", Value: data, Flags: flags, TTL: 100 * time.Second})
	fmt.Println(err)
	// Output: <nil>
}

// client.add('greeting', 'hello', time=100): True, then False
func ExampleClient_Add_python() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()

	fmt.Println(client.Add(ctx, python("greeting", "hello", 100*time.Second)))
	fmt.Println(client.Add(ctx, python("greeting", "hello", 100*time.Second)) == memcached.ErrNotStored)
	// Output:
	// <nil>
	// true
}

// client.replace('greeting', 'hello', time=100): False for a missing key
func ExampleClient_Replace_python() {
	client, stop := connect()
	defer stop()

	err := client.Replace(context.Background(), python("greeting", "hello", 100*time.Second))
	fmt.Println(err == memcached.ErrNotStored)
	// Output: true
}

// client.get('visits'): 42, and None for a missing key
func ExampleClient_Get_python() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()
	if err := client.Set(ctx, python("visits", 42, 0)); err != nil {
		log.Fatal(err)
	}

	item, err := client.Get(ctx, "visits")
	if err != nil {
		log.Fatal(err)
	}
	var visits int
	err = bmemcached.Codec{}.Decode(item.Value, item.Flags, &visits)
	fmt.Println(visits, err)

	_, err = client.Get(ctx, "nothing")
	fmt.Println(err == memcached.ErrCacheMiss)
	// Output:
	// 42 <nil>
	// true
}

// client.get_multi(['a', 'b', 'c']): {'a': 1, 'b': 'two'}
func ExampleClient_GetMulti_python() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()
	if err := client.SetMulti(ctx, []*memcached.Item{python("a", 1, 0), python("b", "two", 0)}); err != nil {
		log.Fatal(err)
	}

	items, err := client.GetMulti(ctx, []string{"a", "b", "c"})
	if err != nil {
		log.Fatal(err)
	}
	values := map[string]any{}
	for key, item := range items {
		if values[key], err = bmemcached.Deserialize(item.Value, item.Flags); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(values)
	// Output: map[a:1 b:two]
}

// client.set_multi({'a': 1, 'b': 'two'}, time=100)
func ExampleClient_SetMulti_python() {
	client, stop := connect()
	defer stop()

	var items []*memcached.Item
	for key, value := range map[string]any{"a": 1, "b": "two"} {
		items = append(items, python(key, value, 100*time.Second))
	}
	fmt.Println(client.SetMulti(context.Background(), items))
	// Output: <nil>
}

// value, cas = client.gets('list'); client.cas('list', value + ',b', cas)
func ExampleClient_CompareAndSwap_python() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()
	if err := client.Set(ctx, python("list", "a", 0)); err != nil {
		log.Fatal(err)
	}

	item, err := client.Get(ctx, "list") // item.CAS is what gets returns
	if err != nil {
		log.Fatal(err)
	}
	stale := *item
	item.Value = append(item.Value, ",b"...)
	fmt.Println(client.CompareAndSwap(ctx, item))                               // item.CAS is the new version now
	fmt.Println(client.CompareAndSwap(ctx, &stale) == memcached.ErrCASConflict) // False in Python
	// Output:
	// <nil>
	// true
}

// client.delete('greeting'): True, also for a missing key
func ExampleClient_Delete_python() {
	client, stop := connect()
	defer stop()

	err := client.Delete(context.Background(), "greeting")
	fmt.Println(err == nil || err == memcached.ErrCacheMiss)
	// Output: true
}

// value, cas = client.gets('lock'); client.delete('lock', cas)
func ExampleClient_CompareAndDelete_python() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()
	if err := client.Set(ctx, python("lock", "mine", 0)); err != nil {
		log.Fatal(err)
	}

	item, err := client.Get(ctx, "lock")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.CompareAndDelete(ctx, "lock", item.CAS))
	// Output: <nil>
}

// client.delete_multi(['a', 'b'])
func ExampleClient_DeleteMulti_python() {
	client, stop := connect()
	defer stop()

	fmt.Println(client.DeleteMulti(context.Background(), []string{"a", "b"}))
	// Output: <nil>
}

// client.incr('visits', 1): creates the counter at 0, for 1,000,000 seconds
func ExampleClient_IncrementOrSet_python() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()

	for range 3 {
		fmt.Println(client.IncrementOrSet(ctx, "visits", 1, 0, 1_000_000*time.Second))
	}
	// What Python stored as an integer, both sides can count.
	if err := client.Set(ctx, python("stock", 7, 0)); err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.Increment(ctx, "stock", 3))
	// Output:
	// 0 <nil>
	// 1 <nil>
	// 2 <nil>
	// 10 <nil>
}

// client.decr('stock', 1): creates the counter at 0, for 100 seconds, and stops
// there
func ExampleClient_DecrementOrSet_python() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()
	if err := client.Set(ctx, python("stock", 1, 0)); err != nil {
		log.Fatal(err)
	}

	for range 2 {
		fmt.Println(client.DecrementOrSet(ctx, "stock", 1, 0, 100*time.Second))
	}
	// Output:
	// 0 <nil>
	// 0 <nil>
}

// client.flush_all(10)
func ExampleClient_FlushAll_python() {
	f := newFleet(nil, "cache-1:11211")
	defer f.Close()
	client, err := memcached.New([]string{"cache-1:11211"}, &memcached.Options{DialContext: f.DialContext})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx := context.Background()
	if err := client.Set(ctx, python("greeting", "hello", 0)); err != nil {
		log.Fatal(err)
	}

	fmt.Println(client.FlushAll(ctx, 10*time.Second), f["cache-1:11211"].Keys())
	f["cache-1:11211"].Advance(12 * time.Second)
	fmt.Println(f["cache-1:11211"].Keys())
	// Output:
	// <nil> [greeting]
	// []
}

// client.stats('settings')
func ExampleClient_ServerStats_python() {
	client, stop := connect()
	defer stop()

	stats, err := client.ServerStats(context.Background(), "settings")
	fmt.Println(stats["cache-1:11211"]["cas_enabled"], err)
	// Output: yes <nil>
}

// client.disconnect_all()
func ExampleClient_Close_python() {
	client, stop := connect()
	defer stop()

	fmt.Println(client.Close())
	_, err := client.Get(context.Background(), "greeting")
	fmt.Println(errors.Is(err, memcached.ErrClosed)) // Python would connect again
	// Output:
	// <nil>
	// true
}
