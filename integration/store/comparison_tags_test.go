package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bradfitz/gomemcache/memcache"
	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
)

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

// The key of the tag holds something else.
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

func compareInvalidateWithDeadServer(t *testing.T, c *stores) {
	c.stop()
	want := column{"memcache": "ok", "redis": "ok", "ours": "error"}
	c.each(func(name string, s libstore.StoreInterface) {
		want.check(t, "Invalidate", name, outcome(func() error {
			return s.Invalidate(t.Context(), libstore.WithInvalidateTags([]string{"t"}))
		}))
	})
}
