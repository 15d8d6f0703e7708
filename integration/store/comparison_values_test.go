package store_test

import (
	"fmt"
	"testing"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"
)

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
	typed := newTyped[named](t, c.client, nil)
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
