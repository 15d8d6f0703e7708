package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/bradfitz/gomemcache/memcache"
	libstore "github.com/eko/gocache/lib/v4/store"
	memcachestore "github.com/eko/gocache/store/memcache/v4"
	redisstore "github.com/eko/gocache/store/redis/v4"
	"github.com/redis/go-redis/v9"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/integration"
	"github.com/bmemcached/bmemcached-go/store"
)

// stores are the three stores, each on a server of its own.
type stores struct {
	memcache *memcachestore.MemcacheStore
	redis    *redisstore.RedisStore
	ours     *store.Store

	gomemcache *memcache.Client
	miniredis  *miniredis.Miniredis
	client     *memcached.Client

	commands func() int // how many the server of the memcache store carried out
	stop     func()     // ends the servers
}

func compared(t *testing.T) *stores {
	t.Helper()
	old, own := integration.Start(t, nil), integration.Start(t, nil)
	c := &stores{gomemcache: memcache.New(old.Addr()), miniredis: miniredis.RunT(t)}
	t.Cleanup(func() { c.gomemcache.Close() })
	c.memcache = memcachestore.NewMemcache(c.gomemcache)
	client := redis.NewClient(&redis.Options{Addr: c.miniredis.Addr(), MaxRetries: -1})
	t.Cleanup(func() { client.Close() })
	c.redis = redisstore.NewRedis(client)
	c.client = connectTo(t, []string{own.Addr()}, nil)
	c.ours = store.New(c.client)
	probe := connectTo(t, []string{old.Addr()}, nil)
	c.commands = func() int {
		stats, err := probe.ServerStats(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, name := range []string{"cmd_set", "delete_hits", "delete_misses"} {
			var count int
			fmt.Sscan(stats[old.Addr()][name], &count)
			n += count
		}
		return n
	}
	c.stop = func() {
		old.Stop()
		own.Stop()
		c.miniredis.Close()
	}
	return c
}

// each runs f on the three stores, by the names of the table's columns.
func (c *stores) each(f func(name string, s libstore.StoreInterface)) {
	f("memcache", c.memcache)
	f("redis", c.redis)
	f("ours", c.ours)
}

// TestComparison checks the table in the documentation of package store. Each
// subtest is a row, for all three stores.
func TestComparison(t *testing.T) {
	c := compared(t)
	for _, row := range []struct {
		name string
		run  func(t *testing.T, c *stores)
	}{
		{"Authentication", compareAuthentication},
		{"Values", compareValues},
		{"TTLs", compareTTLs},
		{"SixteenWritersOneTag", compareSixteenWritersOneTag},
		{"TagOfThousandItems", compareTagOfThousandItems},
		{"TagThatCannotBeWritten", compareTagThatCannotBeWritten},
		{"Keys", compareKeys},
		{"SetIfNotExists", compareSetIfNotExists},
		{"Clear", compareClear},
		{"Context", compareContext},
		{"Options", compareOptions},
		{"Extras", compareExtras},
		{"InvalidateWithDeadServer", compareInvalidateWithDeadServer}, // the last: it ends them
	} {
		c.each(func(name string, s libstore.StoreInterface) {
			if err := s.Clear(t.Context()); err != nil {
				t.Fatalf("%s: Clear = %v", name, err)
			}
		})
		t.Run(row.name, func(t *testing.T) { row.run(t, c) })
	}
}

// outcome runs f and says how it ended: "ok", "panic", "not found" or "error".
func outcome(f func() error) (result string) {
	defer func() {
		if recover() != nil {
			result = "panic"
		}
	}()
	switch err := f(); {
	case err == nil:
		return "ok"
	case errors.Is(err, libstore.NotFound{}):
		return "not found"
	default:
		return "error"
	}
}

func get(t *testing.T, s libstore.StoreInterface, key any) string {
	return outcome(func() error { _, err := s.Get(t.Context(), key); return err })
}

// column is what a row of the table says of the three stores.
type column map[string]string

func (want column) check(t *testing.T, what, name, got string) {
	t.Helper()
	if got != want[name] {
		t.Errorf("%s, %s: %s, want %s", what, name, got, want[name])
	}
}

func compareAuthentication(t *testing.T, _ *stores) {
	server, client := open(t)
	mustSet(t, store.New(client), "k", "v")
	plain := memcache.New(server.Addr()) // has no way to give credentials
	defer plain.Close()
	if got := outcome(func() error { return memcachestore.NewMemcache(plain).Set(t.Context(), "k", []byte("v")) }); got != "error" {
		t.Errorf("memcache: Set without authentication: %s, want an error", got)
	}
	r := miniredis.RunT(t)
	r.RequireAuth("secret")
	with := redis.NewClient(&redis.Options{Addr: r.Addr(), Password: "secret"})
	defer with.Close()
	mustSet(t, redisstore.NewRedis(with), "k", "v")
}

func compareSetIfNotExists(t *testing.T, c *stores) {
	c.each(func(name string, s libstore.StoreInterface) {
		if _, ok := s.(libstore.SetIfNotExistsStore); ok != (name == "ours") {
			t.Errorf("%s: SetIfNotExists is there: %v", name, ok)
		}
	})
}

func compareClear(t *testing.T, c *stores) {
	if err := c.gomemcache.Set(&memcache.Item{Key: "other's", Value: []byte("v")}); err != nil {
		t.Fatal(err)
	}
	if err := c.miniredis.Set("other's", "v"); err != nil {
		t.Fatal(err)
	}
	if err := c.client.Set(t.Context(), &memcached.Item{Key: "other's", Value: []byte("v")}); err != nil {
		t.Fatal(err)
	}
	if err := prefixed(t, c.client, "p:").Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := get(t, c.ours, "other's"); got != "ok" {
		t.Errorf("ours: Clear of a prefix took what has none: %s", got)
	}
	c.each(func(name string, s libstore.StoreInterface) {
		if err := s.Clear(t.Context()); err != nil {
			t.Errorf("%s: Clear = %v", name, err)
		}
		if got := get(t, s, "other's"); got != "not found" {
			t.Errorf("%s: Clear left what is not the store's: %s", name, got)
		}
	})
}

func compareContext(t *testing.T, c *stores) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	want := column{"memcache": "ok", "redis": "error", "ours": "error"}
	c.each(func(name string, s libstore.StoreInterface) {
		want.check(t, "Set with a cancelled context", name, outcome(func() error { return s.Set(ctx, "k", []byte("v")) }))
	})
}

func compareOptions(t *testing.T, c *stores) {
	cannot := column{"memcache": "ok", "redis": "ok", "ours": "error"}
	none := column{"memcache": "panic", "redis": "panic", "ours": "ok"}
	c.each(func(name string, s libstore.StoreInterface) {
		cannot.check(t, "client-side caching", name, outcome(func() error {
			return s.Set(t.Context(), "k", []byte("v"), libstore.WithClientSideCaching(time.Hour))
		}))
		none.check(t, "nil option", name, outcome(func() error { return s.Set(t.Context(), "k", []byte("v"), nil) }))
	})
}

func compareExtras(t *testing.T, c *stores) {
	type extras interface {
		GetMulti(ctx context.Context, keys []string) (map[string]any, error)
		SetMulti(ctx context.Context, values map[string]any, options ...libstore.Option) error
		DeleteMulti(ctx context.Context, keys []string) error
		Increment(ctx context.Context, key any, delta uint64) (uint64, error)
		Decrement(ctx context.Context, key any, delta uint64) (uint64, error)
		Touch(ctx context.Context, key any, ttl time.Duration) error
	}
	c.each(func(name string, s libstore.StoreInterface) {
		if _, ok := s.(extras); ok != (name == "ours") {
			t.Errorf("%s: several keys at once, counters and Touch are there: %v", name, ok)
		}
	})
}
