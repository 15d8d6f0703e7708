package store_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/store"
)

func wantStored(t *testing.T, s libstore.SetIfNotExistsStore, key string, value any, want bool, options ...libstore.Option) {
	t.Helper()
	if got, err := s.SetIfNotExists(t.Context(), key, value, options...); got != want || err != nil {
		t.Errorf("SetIfNotExists(%q, %v) = %v, %v, want %v", key, value, got, err, want)
	}
}

func TestSetIfNotExists_OnlyOnce(t *testing.T) {
	_, client := start(t, nil)
	for _, s := range []*store.Store{store.New(client), prefixed(t, client, "p:")} {
		wantStored(t, s, "k", "first", true, libstore.WithExpiration(time.Hour))
		wantStored(t, s, "k", "second", false)
		wantHit(t, s, "k", "first")
		wantTTL(t, s, "k", time.Hour, time.Minute)
		if err := s.Delete(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		wantStored(t, s, "k", "third", true, tagged("t"))
		wantStored(t, s, "k", "fourth", false, tagged("t"))
		wantHit(t, s, "k", "third")
	}
}

func TestSetIfNotExists_NegativeTTL(t *testing.T) {
	_, client := start(t, nil)
	s := store.New(client)
	wantStored(t, s, "k", "v", true, libstore.WithExpiration(-1), tagged("t"))
	wantMiss(t, s, "k")
	mustSet(t, s, "k", "there")
	wantStored(t, s, "k", "v", false, libstore.WithExpiration(-1))
	wantHit(t, s, "k", "there")
}

func TestSetIfNotExists_ExpiredAndInvalidatedDoNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := start(t, nil)
		s := store.New(client)
		mustSet(t, s, "k", "old", tagged("t"))
		invalidate(t, s, "t")
		wantStored(t, s, "k", "new", true, tagged("t"))
		wantStored(t, s, "k", "newer", false)
		wantHit(t, s, "k", "new")

		mustSet(t, s, "k", "old", libstore.WithExpiration(1100*time.Millisecond))
		time.Sleep(1200 * time.Millisecond)
		if _, ok := server.Item("k"); !ok {
			t.Fatal("the server dropped the item, so the stamp is not tested")
		}
		wantStored(t, s, "k", "new", true)
		wantStored(t, s, "k", "newer", false)
		wantHit(t, s, "k", "new")

		server.SetItem(&memcached.Item{Key: "k", Value: []byte("foreign")})
		wantStored(t, s, "k", "new", false)
	})
}

// A lock must not have two holders, whatever was there before.
func TestSetIfNotExists_OneWinner(t *testing.T) {
	_, client := start(t, nil)
	for _, s := range []*store.Store{store.New(client), prefixed(t, client, "p:")} {
		for round := range 50 {
			key := fmt.Sprint("k", round)
			mustSet(t, s, key, "old", tagged("t"))
			invalidate(t, s, "t")
			var won atomic.Int32
			var winner atomic.Value
			var wg sync.WaitGroup
			for i := range 16 {
				wg.Go(func() {
					stored, err := s.SetIfNotExists(t.Context(), key, i, tagged("t"))
					if err != nil {
						t.Errorf("SetIfNotExists = %v", err)
					}
					if stored {
						won.Add(1)
						winner.Store(i)
					}
				})
			}
			wg.Wait()
			if won.Load() != 1 {
				t.Fatalf("round %d: %d of 16 stored the value, want one", round, won.Load())
			}
			wantHit(t, s, key, winner.Load())
		}
	}
}

// Without compare-and-swap, replacing an expired item could replace a new one.
// An error is better than two holders of a lock.
func TestSetIfNotExists_WithoutCompareAndSwap(t *testing.T) {
	_, client := start(t, &memcachedtest.Options{DisableCAS: true})
	s := store.New(client)
	wantStored(t, s, "k", "v", true, tagged("t"))
	wantStored(t, s, "k", "v", false)
	invalidate(t, s, "t")
	if stored, err := s.SetIfNotExists(t.Context(), "k", "v"); stored || err == nil {
		t.Errorf("SetIfNotExists over an invalidated item = %v, %v, want an error", stored, err)
	}
}

// The value was stored, but perhaps in a generation that is over: it must not be
// reported as stored.
func TestSetIfNotExists_GenerationUnknown(t *testing.T) {
	server, client := start(t, nil)
	s := prefixed(t, client, "p:")
	wantMiss(t, s, "k")
	key := counterKey(t, server)
	server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
		if r.Key == key {
			return memcachedtest.Action{Status: memcached.StatusInternalError}
		}
		return memcachedtest.Action{}
	})
	if stored, err := s.SetIfNotExists(t.Context(), "k", "v"); stored || err == nil {
		t.Errorf("SetIfNotExists = %v, %v, want an error", stored, err)
	}
}
