package store_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/store"
)

// Servers that all hold everything have no common versions for
// compare-and-swap. Tags and prefixes do without.
func TestReplicate(t *testing.T) {
	a, b := memcachedtest.Start(t, nil), memcachedtest.Start(t, nil)
	client := connect(t, &memcached.Options{Replicate: true, RetryAfter: 10 * time.Millisecond}, a, b)
	for _, prefix := range []string{"", "p:"} {
		s := prefixed(t, client, prefix)
		for _, ttl := range []time.Duration{time.Minute, time.Hour, 0} {
			mustSet(t, s, "k", 1, tagged("t"), libstore.WithExpiration(ttl), libstore.WithTagsTTL(time.Second))
			wantHit(t, s, "k", 1)
		}
		invalidate(t, s, "t")
		wantMiss(t, s, "k")
		mustSet(t, s, "k", 2)
		mustSet(t, s, "l", 3, tagged("t"))
		wantHit(t, s, "k", 2)
		mustClear(t, s)
		wantMiss(t, s, "k")
		wantMiss(t, s, "l")
		mustSet(t, s, "k", 4)
		if stored, err := s.SetIfNotExists(t.Context(), "k", 5); stored || err != nil {
			t.Errorf("SetIfNotExists = %v, %v, want false", stored, err)
		}
		if err := s.Touch(t.Context(), "k", time.Hour); err == nil || isMiss(err) {
			t.Errorf("Touch = %v, want an error: there is no compare-and-swap", err)
		}
	}
	s := prefixed(t, client, "p:")
	mustSet(t, s, "k", 6, tagged("t"))
	a.Close()
	wantHit(t, s, "k", 6)
}

// Without versions in common, GetOrLoad replaces an old value by a plain set.
func TestReplicate_GetOrLoadReplacesAnOldValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memcachedtest.Start(t, nil), memcachedtest.Start(t, nil)
		s := newTyped[int](t, connect(t, &memcached.Options{Replicate: true}, a, b), &store.Options{
			KeepStale: time.Minute,
			OnError:   func(op string, err error) { t.Errorf("%s: %v", op, err) },
		})
		defer s.Close()
		loads := 0
		for range 2 {
			loads++
			for range 3 {
				got, err := s.GetOrLoad(t.Context(), "k", time.Minute, func(context.Context) (int, error) { return loads, nil }, tagged("t"))
				if got != loads || err != nil {
					t.Errorf("GetOrLoad = %v, %v, want %d", got, err, loads)
				}
			}
			time.Sleep(61 * time.Second)
		}
	})
}
