package store_test

import (
	"testing"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"
	gocache "github.com/patrickmn/go-cache"

	"github.com/bmemcached/bmemcached-go/store"
)

// To go-cache a negative expiration means that an item never expires. With a
// Bounded above it, the item is gone, as in this store.
func TestBounded_NegativeExpirationOverGoCache(t *testing.T) {
	_, client := open(t)
	for _, ttl := range []time.Duration{-1, -time.Nanosecond * 2, -time.Second, -time.Hour} {
		local := gocache.New(time.Minute, 0)
		local.Set("k", "v", ttl)
		if _, expires, ok := local.GetWithExpiration("k"); !ok || !expires.IsZero() {
			t.Fatalf("go-cache keeps an item with %v until %v (%v): this test is about one that it keeps for ever", ttl, expires, ok)
		}
		below := localStore()
		mustSet(t, below, "k", "v", libstore.WithExpiration(ttl))
		wantHit(t, below, "k", "v")
		bounded, err := store.NewBounded(below, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		for name, s := range map[string]libstore.StoreInterface{"bounded": bounded, "memcached": store.New(client)} {
			mustSet(t, s, "k", "v")
			wantHit(t, s, "k", "v")
			mustSet(t, s, "k", "w", libstore.WithExpiration(ttl))
			if got, err := s.Get(t.Context(), "k"); err == nil {
				t.Errorf("%s: Get = %v after a Set with %v, want nothing", name, got, ttl)
			}
		}
		wantMiss(t, below, "k") // what it kept for ever is gone, too
	}
}
