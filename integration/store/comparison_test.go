package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/bradfitz/gomemcache/memcache"
	libstore "github.com/eko/gocache/lib/v4/store"
	memcachestore "github.com/eko/gocache/store/memcache/v4"
	redisstore "github.com/eko/gocache/store/redis/v4"
	"github.com/redis/go-redis/v9"

	memcached "github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/integration"
	"github.com/bmemcached/bmemcached-go/store"
)

// TestComparison is the table in the documentation of package store: its parts
// are the rows, and look at all three stores.

// stores are the three, each on a server of its own.
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

func compareValues(t *testing.T, c *stores) {
	type named struct{ A int }
	for what, row := range map[string]struct {
		value any
		want  column
	}{
		"bytes":   {[]byte("b"), column{"memcache": "[]uint8", "redis": "string", "ours": "[]uint8"}},
		"text":    {"s", column{"memcache": "panic", "redis": "string", "ours": "string"}},
		"number":  {int64(5), column{"memcache": "panic", "redis": "string", "ours": "int64"}},
		"fact":    {true, column{"memcache": "panic", "redis": "string", "ours": "bool"}},
		"struct":  {named{1}, column{"memcache": "panic", "redis": "error", "ours": "error"}},
		"nothing": {nil, column{"memcache": "panic", "redis": "string", "ours": "error"}},
	} {
		c.each(func(name string, s libstore.StoreInterface) {
			got := outcome(func() error { return s.Set(t.Context(), "k", row.value) })
			if got == "ok" {
				value, err := s.Get(t.Context(), "k")
				if err != nil {
					t.Fatal(err)
				}
				got = fmt.Sprintf("%T", value)
			}
			row.want.check(t, what, name, got)
		})
	}
	typed := store.NewTyped[named](c.client, nil)
	mustSet(t, typed, "typed", named{1})
	wantHit(t, typed, "typed", named{1})
}

func compareTTLs(t *testing.T, c *stores) {
	for _, row := range []struct {
		what string
		ttl  time.Duration
		want column
	}{
		{"TTL of 10 minutes", 10 * time.Minute, column{"memcache": "0s", "redis": "10m0s", "ours": "10m0s"}},
		{"TTL of 400 ms", 400 * time.Millisecond, column{"memcache": "0s", "redis": "0s", "ours": "1s"}},
		{"TTL of 31 days", 31 * 24 * time.Hour, column{"memcache": "not found", "redis": "744h0m0s", "ours": "744h0m0s"}},
		{"negative TTL", -10 * time.Second, column{"memcache": "not found", "redis": "0s", "ours": "not found"}},
		{"no TTL", 0, column{"memcache": "0s", "redis": "0s", "ours": "0s"}},
	} {
		c.each(func(name string, s libstore.StoreInterface) {
			mustSet(t, s, "k", []byte("v"), libstore.WithExpiration(row.ttl))
			var ttl time.Duration
			got := outcome(func() (err error) {
				_, ttl, err = s.GetWithTTL(t.Context(), "k")
				return err
			})
			if got == "ok" {
				got = (ttl + time.Second - 1).Truncate(time.Second).String() // up to whole seconds
			}
			row.want.check(t, row.what, name, got)
		})
	}
	// In the memcache store 500 ms are for ever.
	c.each(func(_ string, s libstore.StoreInterface) {
		mustSet(t, s, "half", []byte("v"), libstore.WithExpiration(500*time.Millisecond))
	})
	c.miniredis.FastForward(500 * time.Millisecond)
	eventually(t, "500 ms", func() bool { return get(t, c.ours, "half") == "not found" })
	if got := get(t, c.redis, "half"); got != "not found" {
		t.Errorf("redis: Get after 500 ms: %s, want not found", got)
	}
	// The server's clock has gone on by more than the longest it rounds to.
	mustSet(t, c.memcache, "second", []byte("v"), libstore.WithExpiration(time.Second))
	eventually(t, "a second", func() bool { return get(t, c.memcache, "second") == "not found" })
	if got := get(t, c.memcache, "half"); got != "ok" {
		t.Errorf("memcache: Get after 500 ms: %s, want it there for ever", got)
	}
}

// gocache's list of keys in a value, changed by compare-and-swap with three
// attempts, loses keys when there are several writers.
func compareSixteenWritersOneTag(t *testing.T, c *stores) {
	c.each(func(name string, s libstore.StoreInterface) {
		workers(16, func(w int) {
			for i := range 50 {
				if err := s.Set(t.Context(), fmt.Sprintf("k%d-%d", w, i), []byte("v"), libstore.WithTags([]string{"t"})); err != nil {
					t.Errorf("%s: Set = %v", name, err)
				}
			}
		})
		invalidate(t, s, "t")
		lost := 0
		for w := range 16 {
			for i := range 50 {
				if get(t, s, fmt.Sprintf("k%d-%d", w, i)) == "ok" {
					lost++
				}
			}
		}
		t.Logf("%s: %d of 800 survive the invalidation", name, lost)
		if (lost > 0) != (name == "memcache") {
			t.Errorf("%s: %d of 800 survive the invalidation", name, lost)
		}
	})
}

func compareTagOfThousandItems(t *testing.T, c *stores) {
	sets := func() (n uint64) {
		stats, err := c.client.ServerStats(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		for _, server := range stats {
			fmt.Sscan(server["cmd_set"], &n)
		}
		return n
	}
	setsBefore := sets()
	before := c.commands()
	c.each(func(name string, s libstore.StoreInterface) {
		for i := range 1000 {
			mustSet(t, s, fmt.Sprint("k", i), []byte("v"), libstore.WithTags([]string{"t"}))
		}
	})
	// What a Set writes for its tag.
	if item, err := c.gomemcache.Get("gocache_tag_t"); err != nil || len(item.Value) < 3890 {
		t.Errorf("memcache: the tag holds %v, %v, want every key", item, err)
	}
	if members, err := c.miniredis.Members("gocache_tag_t"); err != nil || len(members) != 1000 {
		t.Errorf("redis: the tag has %d members, %v, want 1000", len(members), err)
	}
	if written := c.commands() - before; written < 2000 {
		t.Errorf("memcache: %d writes for 1000 items, want two for each", written)
	}
	if n := sets() - setsBefore; n != 1001 {
		t.Errorf("ours: %d writes for 1000 items, want them and one counter", n)
	}

	// What invalidating it costs.
	before = c.commands()
	calls := c.client.Stats().Ops
	invalidate(t, c.memcache, "t")
	invalidate(t, c.ours, "t")
	if deletes := c.commands() - before; deletes < 1000 {
		t.Errorf("memcache: Invalidate deleted %d, want each item", deletes)
	}
	if ops := c.client.Stats().Ops - calls; ops != 1 {
		t.Errorf("ours: Invalidate took %d operations, want one", ops)
	}
	commands := c.miniredis.CommandCount()
	invalidate(t, c.redis, "t")
	if n := c.miniredis.CommandCount() - commands; n < 1000 {
		t.Errorf("redis: Invalidate took %d commands, want one for each item", n)
	}
	c.each(func(name string, s libstore.StoreInterface) {
		if got := get(t, s, "k999"); got != "not found" {
			t.Errorf("%s: after Invalidate: %s, want not found", name, got)
		}
	})
}

func compareInvalidateWithDeadServer(t *testing.T, c *stores) {
	c.stop()
	want := column{"memcache": "ok", "redis": "ok", "ours": "error"}
	c.each(func(name string, s libstore.StoreInterface) {
		want.check(t, "Invalidate", name, outcome(func() error {
			return s.Invalidate(t.Context(), libstore.WithInvalidateTags([]string{"t"}))
		}))
	})
}

// Here the place of the tag is taken by something that is none.
func compareTagThatCannotBeWritten(t *testing.T, c *stores) {
	mustSet(t, c.ours, "probe", "v", libstore.WithTags([]string{"t"}))
	if err := c.gomemcache.Set(&memcache.Item{Key: "gocache_tag_t", Value: make([]byte, 1_048_000)}); err != nil {
		t.Fatal(err)
	}
	if err := c.miniredis.Set("gocache_tag_t", "no set"); err != nil {
		t.Fatal(err)
	}
	key := memcached.SafeKey("", "\x00tag\x00t")
	if err := c.client.Set(t.Context(), &memcached.Item{Key: key, Value: []byte("no counter")}); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("k", 200)
	want := column{"memcache": "ok", "redis": "ok", "ours": "error"}
	stored := column{"memcache": "ok", "redis": "ok", "ours": "not found"}
	for i := range 10 { // until memcache's list is full
		key := fmt.Sprint(long, i)
		c.each(func(name string, s libstore.StoreInterface) {
			got := outcome(func() error {
				return s.Set(t.Context(), key, []byte("v"), libstore.WithTags([]string{"t"}))
			})
			want.check(t, "Set", name, got)
			stored.check(t, "Get", name, get(t, s, key))
		})
	}
	if item, err := c.gomemcache.Get("gocache_tag_t"); err != nil || len(item.Value) > 1_048_000+5*201 {
		t.Errorf("memcache: the tag has %d bytes, %v: nothing was refused", len(item.Value), err)
	}
}

func compareKeys(t *testing.T, c *stores) {
	long := fmt.Sprintf("%0300d", 1)
	for what, row := range map[string]struct {
		key  any
		want column
	}{
		"long":         {long, column{"memcache": "error", "redis": "ok", "ours": "ok"}},
		"spaces":       {"a b", column{"memcache": "error", "redis": "ok", "ours": "ok"}},
		"nil":          {nil, column{"memcache": "panic", "redis": "panic", "ours": "error"}},
		"not a string": {42, column{"memcache": "panic", "redis": "panic", "ours": "error"}},
	} {
		c.each(func(name string, s libstore.StoreInterface) {
			row.want.check(t, "Set, key "+what, name, outcome(func() error { return s.Set(t.Context(), row.key, []byte("v")) }))
			row.want.check(t, "Get, key "+what, name, get(t, s, row.key))
		})
	}
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
	if err := prefixed(c.client, "p:").Clear(t.Context()); err != nil {
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
