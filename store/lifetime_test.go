package store_test

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/store"
)

func TestTags_CounterOutlivesItsItems(t *testing.T) {
	for name, opts := range map[string]*memcachedtest.Options{
		"": nil, "without compare-and-swap": {DisableCAS: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, client := start(t, opts)
				s := store.New(client)
				for _, c := range []struct{ ttl, tagsTTL time.Duration }{
					{time.Minute, 0},
					{time.Minute, time.Second},
					{time.Hour, time.Minute},
					{40 * day, 0},
					{time.Minute, time.Minute}, // must not shorten
					{100 * day, 50 * day},
					{500 * time.Millisecond, time.Millisecond},
					{0, 0},
					{0, time.Second},
					{time.Minute, time.Minute},
				} {
					mustSet(t, s, "k", "v", tagged("t"), libstore.WithExpiration(c.ttl), libstore.WithTagsTTL(c.tagsTTL))
					item, _ := server.Item("k")
					counter, ok := server.Item(counterKey(t, server))
					if !ok || counter.TTL != 0 && (item.TTL == 0 || counter.TTL <= item.TTL) {
						t.Errorf("an item with TTL %v has a counter with %v (%v), want longer", item.TTL, counter.TTL, ok)
					}
					if c.ttl == 0 {
						continue
					}
					time.Sleep(c.ttl - c.ttl/8)
					wantHit(t, s, "k", "v")
				}
			})
		})
	}
}

func TestTags_TTLIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := start(t, nil)
		s := store.New(client)
		mustSet(t, s, "k", "v", tagged("t"), libstore.WithExpiration(time.Minute), libstore.WithTagsTTL(10*time.Minute))
		if counter, ok := server.Item(counterKey(t, server)); !ok || counter.TTL != 10*time.Minute {
			t.Errorf("the counter is %+v, %v, want a TTL of 10 minutes", counter, ok)
		}
		time.Sleep(10 * time.Minute)
		if keys := server.Keys(); len(keys) != 0 {
			t.Errorf("after TagsTTL the server holds %q, want nothing", keys)
		}
		mustSet(t, s, "k", "v", tagged("t"), libstore.WithExpiration(time.Minute))
		if counter, ok := server.Item(counterKey(t, server)); !ok || counter.TTL != 30*day {
			t.Errorf("the counter is %+v, %v, want gocache's 30 days", counter, ok)
		}
	})
}

// Prolonging a counter for every item would cost a round trip each.
func TestTags_CounterIsProlongedRarely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := start(t, nil)
		s := store.New(client)
		for range 80 {
			mustSet(t, s, "k", "v", tagged("t"), libstore.WithExpiration(10*time.Minute), libstore.WithTagsTTL(10*time.Minute))
			time.Sleep(time.Second)
		}
		// 80 items and a few writes of the counter.
		if n := server.RequestCount("SET", "ADD"); n > 84 {
			t.Errorf("80 items took %d writes, want hardly more", n)
		}
	})
}

// A Set that finds the counter's life too short, and prolongs it while somebody
// invalidates, does not put the counter back.
func TestTags_ProlongedWhileInvalidated(t *testing.T) {
	for name, opts := range map[string]*memcachedtest.Options{"": nil, "without compare-and-swap": {DisableCAS: true}} {
		t.Run(name, func(t *testing.T) {
			server, client := start(t, opts)
			s, other := store.New(client), store.New(connect(t, nil, server))
			mustSet(t, s, "old", "v", tagged("t"), libstore.WithExpiration(time.Minute), libstore.WithTagsTTL(time.Minute))
			counter := counterKey(t, server)
			var once sync.Once
			server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
				if r.Key == counter && (strings.HasPrefix(r.Op, "SET") || strings.HasPrefix(r.Op, "TOUCH")) {
					once.Do(func() { invalidate(t, other, "t") })
				}
				return memcachedtest.Action{}
			})
			mustSet(t, s, "new", "v", tagged("t"), libstore.WithExpiration(time.Hour))
			server.Intercept(nil)
			wantMiss(t, s, "old")
			if len(server.Keys()) != 3 {
				t.Errorf("the server holds %q, want two items and a counter", server.Keys())
			}
		})
	}
}
