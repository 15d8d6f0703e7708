package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/integration"
	"github.com/bmemcached/bmemcached-go/store"
)

// The server's clock and its increments work with the store's items.
func TestServer_TTLs(t *testing.T) {
	_, client := open(t)
	for name, s := range map[string]*store.Store{"plain": store.New(client), "prefix": prefixed(t, client, "p:")} {
		for _, tags := range [][]string{nil, {"t"}} {
			tagged := libstore.WithTags(tags)
			for _, ttl := range []time.Duration{
				0, 30 * 24 * time.Hour, 30*24*time.Hour + time.Second, 400 * 24 * time.Hour, 1<<63 - 1,
			} {
				mustSet(t, s, "k", "v", libstore.WithExpiration(ttl), tagged)
				_, left, err := s.GetWithTTL(t.Context(), "k")
				if err != nil || left > ttl || ttl < 1<<62 && left < ttl-10*time.Second {
					t.Errorf("%s: TTL %v: GetWithTTL = %v, %v", name, ttl, left, err)
				}
			}
			mustSet(t, s, "k", "v", libstore.WithExpiration(-time.Second), tagged)
			wantMiss(t, s, "k")

			stored := time.Now()
			mustSet(t, s, "k", "v", libstore.WithExpiration(1300*time.Millisecond), tagged)
			eventually(t, "the end of a short TTL", func() bool {
				before := time.Now()
				_, err := s.Get(t.Context(), "k")
				if err == nil && before.Sub(stored) > 1400*time.Millisecond {
					t.Fatalf("%s: served %v after it was stored for 1.3 s", name, before.Sub(stored))
				}
				return errors.Is(err, libstore.NotFound{})
			})
		}
	}
}

func TestServer_CountsInOurItems(t *testing.T) {
	_, client := open(t)
	s := store.New(client)
	mustSet(t, s, "n", int32(99), libstore.WithExpiration(time.Hour))
	if n, err := client.Increment(t.Context(), "n", 1); err != nil || n != 100 {
		t.Errorf("the client's Increment = %d, %v, want 100", n, err)
	}
	wantHit(t, s, "n", int32(100))
	if n, err := s.Decrement(t.Context(), "n", 1); err != nil || n != 99 { // padded by the server
		t.Errorf("Decrement = %d, %v, want 99", n, err)
	}
	wantHit(t, s, "n", int32(99))
	if _, ttl, err := s.GetWithTTL(t.Context(), "n"); err != nil || ttl < 59*time.Minute || ttl > time.Hour {
		t.Errorf("GetWithTTL = %v, %v, want the hour to go on", ttl, err)
	}
}

func TestServer_AnyKeyAnyValue(t *testing.T) {
	_, client := open(t)
	for _, s := range []*store.Store{store.New(client), prefixed(t, client, "p:")} {
		keys := []string{
			"", " ", "a b", "line\r\nset x 0 0 1", "\x00", "\x00tag\x00t", "h\u00e9llo", "\xff\xfe",
			strings.Repeat("k", 250), strings.Repeat("k", 251), strings.Repeat("k", 100_000),
		}
		for i, key := range keys {
			mustSet(t, s, key, i, libstore.WithTags([]string{key}))
		}
		for i, key := range keys {
			wantHit(t, s, key, i)
		}
		for i, key := range keys {
			invalidate(t, s, key)
			wantMiss(t, s, key)
			if i+1 < len(keys) {
				wantHit(t, s, keys[i+1], i+1)
			}
		}
	}
}

func TestServer_BadInputLeavesValueAndConnection(t *testing.T) {
	_, client := open(t)
	s := store.New(client)
	mustSet(t, s, "k", "old")
	expired, cancel := context.WithTimeout(t.Context(), -time.Second)
	defer cancel()
	for name, c := range map[string]struct {
		err  error
		want error
	}{
		"unsupported type": {s.Set(t.Context(), "k", struct{}{}), store.ErrValueType},
		"nil value":        {s.Set(t.Context(), "k", nil), store.ErrValueType},
		"nil key":          {s.Set(t.Context(), nil, "v"), store.ErrKeyType},
		"key of bytes":     {s.Set(t.Context(), []byte("k"), "v"), store.ErrKeyType},
		"oversized":        {s.Set(t.Context(), "k", bytes.Repeat([]byte("x"), 1<<20)), memcached.ErrTooLarge},
		"oversized tagged": {s.Set(t.Context(), "k", bytes.Repeat([]byte("x"), 1_048_500), libstore.WithTags([]string{"t"})), memcached.ErrTooLarge},
		"expired context":  {s.Set(expired, "k", "v"), context.DeadlineExceeded},
		"client side":      {s.Set(t.Context(), "k", "v", libstore.WithClientSideCaching(time.Hour)), libstore.ErrNotSupported},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v, want %v", name, c.err, c.want)
		}
	}
	wantHit(t, s, "k", "old")
	for addr, stats := range client.Stats().Servers {
		if stats.Dials > 1 || stats.DialErrors > 0 {
			t.Errorf("%s: %d connections were opened, %d failed: bad input cost some", addr, stats.Dials, stats.DialErrors)
		}
	}
}

// A server with a larger limit than the client's, and a value above that of
// the server.
func TestServer_TooLargeForTheServer(t *testing.T) {
	server := integration.Start(t, &integration.Options{Args: []string{"-I", "512k"}})
	client := connectTo(t, []string{server.Addr()}, nil)
	s := store.New(client)
	if err := s.Set(t.Context(), "k", bytes.Repeat([]byte("x"), 600<<10)); !errors.Is(err, memcached.ErrTooLarge) {
		t.Errorf("Set = %v, want ErrTooLarge", err)
	}
	mustSet(t, s, "k", "v")
	wantHit(t, s, "k", "v")
}

func TestServer_FlushForbidden(t *testing.T) {
	_, client := open(t, "-F")
	s := store.New(client)
	mustSet(t, s, "k", "v", libstore.WithTags([]string{"t"}))
	if err := s.Clear(t.Context()); err == nil || errors.Is(err, libstore.NotFound{}) {
		t.Errorf("Clear on a server with -F = %v, want an error", err)
	}
	wantHit(t, s, "k", "v")
	p := prefixed(t, client, "p:")
	mustSet(t, p, "k", "v")
	if err := p.Clear(t.Context()); err != nil {
		t.Errorf("Clear of a prefix on a server with -F = %v", err)
	}
	wantMiss(t, p, "k")
	wantHit(t, s, "k", "v")
}

func TestServer_WithoutCompareAndSwap(t *testing.T) {
	_, client := open(t, "-C")
	s := store.New(client)
	for _, ttl := range []time.Duration{time.Minute, time.Hour, 0} {
		mustSet(t, s, "k", "v", libstore.WithTags([]string{"t"}), libstore.WithExpiration(ttl), libstore.WithTagsTTL(time.Second))
		wantHit(t, s, "k", "v")
	}
	invalidate(t, s, "t")
	wantMiss(t, s, "k")
	if stored, err := s.SetIfNotExists(t.Context(), "k", "v"); stored || err == nil {
		t.Errorf("SetIfNotExists over an invalidated item = %v, %v, want an error", stored, err)
	}
	if err := s.Delete(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	if stored, err := s.SetIfNotExists(t.Context(), "k", "v"); !stored || err != nil {
		t.Errorf("SetIfNotExists = %v, %v, want true", stored, err)
	}
}

func TestServer_UnavailableAndBack(t *testing.T) {
	server, client := open(t)
	s, p := store.New(client), prefixed(t, client, "p:")
	mustSet(t, s, "k", "v")
	mustSet(t, p, "k", "v")
	server.Stop()
	for name, err := range map[string]error{
		"Set":        s.Set(t.Context(), "k", "v"),
		"Set prefix": p.Set(t.Context(), "k", "v"),
		"Delete":     s.Delete(t.Context(), "k"),
		"Invalidate": s.Invalidate(t.Context(), libstore.WithInvalidateTags([]string{"t"})),
		"Clear":      s.Clear(t.Context()),
		"Clear p":    p.Clear(t.Context()),
		"Get":        func() error { _, err := s.Get(t.Context(), "k"); return err }(),
		"Get prefix": func() error { _, err := p.Get(t.Context(), "k"); return err }(),
	} {
		if !errors.Is(err, memcached.ErrUnavailable) || errors.Is(err, libstore.NotFound{}) {
			t.Errorf("%s with a dead server = %v, want ErrUnavailable", name, err)
		}
	}
	server.Restart()
	for _, s := range []*store.Store{s, p} {
		eventually(t, "the server's return", func() bool { return s.Set(t.Context(), "new", "v") == nil })
		wantHit(t, s, "new", "v")
		wantMiss(t, s, "k")
	}
}

// Several servers: counters, items and generations are spread over them.
func TestServer_ThreeNodes(t *testing.T) {
	var addrs []string
	for range 3 {
		addrs = append(addrs, integration.Start(t, nil).Addr())
	}
	one, two := connectTo(t, addrs, nil), connectTo(t, addrs, nil)
	for name, prefix := range map[string]string{"plain": "", "prefix": "p:"} {
		t.Run(name, func(t *testing.T) {
			a, b := prefixed(t, one, prefix), prefixed(t, two, prefix)
			values := make(map[string]any)
			var keys []string
			for i := range 300 {
				keys = append(keys, fmt.Sprint("k", i))
				values[keys[i]] = i
			}
			if err := a.SetMulti(t.Context(), values, libstore.WithTags([]string{"t", "u", "v", "w"})); err != nil {
				t.Fatal(err)
			}
			if got, err := b.GetMulti(t.Context(), keys); err != nil || len(got) != len(keys) {
				t.Errorf("GetMulti = %d values, %v, want %d", len(got), err, len(keys))
			}
			invalidate(t, a, "v")
			if got, err := b.GetMulti(t.Context(), keys); err != nil || len(got) != 0 {
				t.Errorf("GetMulti after Invalidate = %d values, %v, want none", len(got), err)
			}
			if err := b.SetMulti(t.Context(), values); err != nil {
				t.Fatal(err)
			}
			if err := a.Clear(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got, err := b.GetMulti(t.Context(), keys); err != nil || len(got) != 0 {
				t.Errorf("GetMulti after Clear = %d values, %v, want none", len(got), err)
			}
		})
	}
}

// A TTL is exact to 50 ms, whenever in a second of the server's clock a value is
// set.
func TestServer_TTLIsExact(t *testing.T) {
	_, client := open(t)
	const exact = 50 * time.Millisecond
	stores := []*store.Store{store.New(client), prefixed(t, client, "p:")}
	workers(20, func(w int) {
		s, key, ttl := stores[w%2], fmt.Sprint("k", w), time.Duration(1+w%3)*time.Second
		time.Sleep(time.Duration(w) * 50 * time.Millisecond)
		began := time.Now()
		if err := s.Set(t.Context(), key, "v", libstore.WithExpiration(ttl)); err != nil {
			t.Error(err)
			return
		}
		stored := time.Now()
		for {
			asked := time.Now()
			_, err := s.Get(t.Context(), key)
			answered := time.Now()
			switch {
			case err == nil && asked.Sub(stored) > ttl+exact:
				t.Errorf("%v: there %v after it was set", ttl, asked.Sub(stored))
				return
			case errors.Is(err, libstore.NotFound{}):
				if answered.Sub(began) < ttl-exact {
					t.Errorf("%v: gone %v after it was set", ttl, answered.Sub(began))
				}
				return
			case err != nil:
				t.Error(err)
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
}
